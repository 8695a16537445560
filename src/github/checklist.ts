import type { Checklist, ChecklistAnswer } from '../core/release.ts';

type Question = keyof Checklist;

/** How a line of the template begins, in lower case. */
const BEGINNINGS: [string, Question][] = [
  ['tests', 'tests'],
  ['metrics', 'telemetry'],
  ['can it break production', 'breaking'],
  ['rollback', 'rollback'],
  ['can it be rolled back', 'rollback'],
];

/** When a body answers twice and differently, the answer that asks for more care stands. */
const CAREFUL: Record<Question, 'yes' | 'no'> = { tests: 'no', telemetry: 'no', breaking: 'yes', rollback: 'no' };

const WORDS: Record<string, 'yes' | 'no'> = { yes: 'yes', no: 'no', safe: 'yes', unsafe: 'no' };

const MAX_BODY = 65_536;
const MAX_LINE = 500;
const MAX_TEXT = 200;

/**
 * The reviewer's checklist in a pull request's body (docs/pull-request-template.md). A line that is missing, or that
 * says neither yes nor no, is unanswered. Comments and code blocks do not answer. `rollback` yes: it can be rolled back.
 */
export function parseChecklist(body: string | null): Checklist {
  const unanswered: ChecklistAnswer = { answer: 'unanswered', text: '' };
  const found: Checklist = { tests: unanswered, telemetry: unanswered, breaking: unanswered, rollback: unanswered };
  let isInCode = false;
  for (const raw of withoutComments((body ?? '').slice(0, MAX_BODY)).split('\n')) {
    const line = raw.slice(0, MAX_LINE).trim();
    if (line.startsWith('```') || line.startsWith('~~~')) isInCode = !isInCode;
    const parsed = isInCode ? null : parseLine(line);
    if (!parsed) continue;
    const before = found[parsed.question].answer;
    const isBetter = before === 'unanswered' || parsed.answer.answer === CAREFUL[parsed.question];
    if (parsed.answer.answer !== 'unanswered' ? isBetter : before === 'unanswered') {
      found[parsed.question] = parsed.answer;
    }
  }
  return found;
}

function parseLine(line: string): { question: Question; answer: ChecklistAnswer } | null {
  const box = /^(?:[-*+] )? ?\[([ xX])\] /.exec(line);
  const rest = line
    .slice(box ? box[0].length : 0)
    .replace(/^[-*+] /, '')
    .replaceAll('*', '')
    .replaceAll('`', '')
    .trim();
  const lower = rest.toLowerCase();
  const question = BEGINNINGS.find(([beginning]) => lower.startsWith(beginning))?.[1];
  if (!question) return null;
  const end = rest.search(/[:?]/);
  // Without a box or an answer after the colon it is a sentence that happens to begin alike.
  if (end < 0 && !box) return null;
  const text =
    end < 0
      ? ''
      : rest
          .slice(end + 1)
          .replace(/^[:? ]{1,3}/, '')
          .trim();
  const word = WORDS[/^[a-z]{1,10}(?![a-z|/])/.exec(text.toLowerCase())?.[0] ?? ''];
  // `safe | unsafe` is the template's own line, left as it was.
  const isUntouched = /^[a-z]{1,10} ?[|/]/i.test(text);
  const ticked = box && box[1] !== ' ' ? 'yes' : 'unanswered';
  return { question, answer: { answer: isUntouched ? 'unanswered' : (word ?? ticked), text: text.slice(0, MAX_TEXT) } };
}

function withoutComments(text: string): string {
  let kept = '';
  for (let at = 0; at < text.length; ) {
    const start = text.indexOf('<!--', at);
    if (start < 0) return kept + text.slice(at);
    kept += text.slice(at, start);
    const end = text.indexOf('-->', start + 4);
    if (end < 0) return kept;
    at = end + 3;
  }
  return kept;
}
