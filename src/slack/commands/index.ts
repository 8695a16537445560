import { nearest } from '../../core/nearest.ts';
import type { Message } from '../views/block.ts';
import { helpOf } from '../views/help.ts';
import { refusalOf } from '../views/refusal.ts';
import { type Asking, misunderstood, type Verb } from './asking.ts';
import { deploy } from './deploy.ts';
import { history } from './history.ts';
import { problem, readWords } from './parse.ts';
import { plan } from './plan.ts';
import { queue } from './queue.ts';
import { rollback } from './rollback.ts';
import { belayStatus, status } from './status.ts';
import { answerInThread, isThreadWord, THREAD_WORDS } from './thread.ts';

const help: Verb = {
  command: '/belay',
  name: 'help',
  usage: '/belay help [verb]',
  summary: 'This list, or one line of it.',
  run: async (_asking, text) => showHelp(text),
};

/** Every verb, one line each; the help, the manifest's test and the dispatch are made from it. */
export const VERBS: Verb[] = [deploy, plan, status, history, queue, rollback, help, belayStatus];

export const COMMANDS = [...new Set(VERBS.map((one) => one.command))];

/** Runs a slash command. */
export async function runCommand(command: string, text: string, asking: Asking): Promise<Message | null> {
  const verbs = VERBS.filter((one) => one.command === command);
  if (verbs.length === 0) return refusalOf('This command is not one of Belay’s.');
  const [, word = '', rest = ''] = /^\s*(\S*)([\s\S]*)$/.exec(text.slice(0, 4000)) ?? [];
  const named = verbs.find((one) => one.name !== '' && one.name === word.toLowerCase());
  if (named) return named.run(asking, rest);
  const fallback = verbs.find((one) => one.name === '');
  if (!fallback) return word === '' ? showHelp('') : unknownVerb(command, word, rest, verbs);
  // A misspelt verb should not be taken for a service, unless a service has that name.
  const isService = asking.desk.services().some((one) => one.name.toLowerCase() === word.toLowerCase().split('@')[0]);
  const meant = nearest(
    word,
    verbs.map((one) => one.name).filter((name) => name.length > 3),
  );
  if (meant !== null && !isService && readWords(text).is === 'words') return unknownVerb(command, word, rest, verbs);
  return fallback.run(asking, text);
}

function unknownVerb(command: string, word: string, rest: string, verbs: Verb[]): Message {
  const words = readWords(`${word}${rest}`);
  if (words.is === 'problem') return misunderstood(words);
  const near = nearest(
    word,
    verbs.map((one) => one.name).filter((name) => name !== ''),
  );
  const hint = near === null ? ` Try ${command} help.` : ` Did you mean “${near}”?`;
  return misunderstood(
    problem(
      `${command} has no “${word.slice(0, 40)}”.${hint}`,
      near === null ? null : `${command} ${near}${rest.trimEnd()}`,
    ),
  );
}

/** The same words by mention: `@belay rollback api because …`, `@belay status`, `@belay retry` in a thread. */
export async function runMention(text: string, asking: Asking): Promise<Message | null> {
  const words = text
    .slice(0, 4000)
    .replace(/^\s*<@[A-Z0-9]+(\|[^>]*)?>/, '')
    .trim();
  const [, first = '', rest = ''] = /^(\S*)([\s\S]*)$/.exec(words) ?? [];
  const word = first.toLowerCase();
  if (word === '' || word === 'help') return showHelp(rest);
  if (isThreadWord(word)) return answerInThread(asking, word);
  if (word === 'rollback') return runCommand('/rollback', rest.trim(), asking);
  if (word === 'deploy') return runCommand('/deploy', rest.trim(), asking);
  if (VERBS.some((one) => one.command === '/deploy' && one.name === word)) return runCommand('/deploy', words, asking);
  const known = [
    'help',
    'rollback',
    'deploy',
    ...THREAD_WORDS,
    ...VERBS.map((one) => one.name).filter((one) => one !== ''),
  ];
  const near = nearest(word, known);
  const checked = readWords(words);
  if (checked.is === 'problem') return misunderstood(checked);
  return misunderstood(
    problem(`I do not know “${first.slice(0, 40)}”.${near === null ? ' Say “help”.' : ` Did you mean “${near}”?`}`),
  );
}

function showHelp(text: string): Message {
  const topic = text.trim().toLowerCase().replace(/^\//, '');
  if (topic === '') return helpOf(VERBS, null);
  const about = VERBS.filter((one) => one.name === topic || one.command === `/${topic}`);
  if (about.length > 0) return helpOf(about, topic);
  const checked = readWords(text);
  if (checked.is === 'problem') return misunderstood(checked);
  const known = [...new Set(VERBS.flatMap((one) => [one.command.slice(1), one.name]))].filter((one) => one !== '');
  const near = nearest(topic, known);
  return misunderstood(
    problem(`There is no help on “${topic.slice(0, 40)}”.`, near === null ? null : `/belay help ${near}`),
  );
}
