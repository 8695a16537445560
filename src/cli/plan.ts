import { answer, type Command, EXIT, textOf } from './command.ts';
import { makeReady, refuseConfiguration } from './ready.ts';
import { planLines, refProblemText } from './words.ts';

export const plan: Command = {
  name: 'plan',
  summary: 'Show what a deploy would do',
  usage: 'belay plan <service>[@<ref>] [--to <stage>] [--config <path>] [--json]',
  details:
    'Reads the release from GitHub and shows every stage and step that it would go through, who must approve and how ' +
    'long it takes at least. A ref is a branch, a tag, a full sha or #<pull request>; without one it is the head of the ' +
    'default branch. Changes nothing.',
  options: { to: { type: 'string', description: 'Up to and including this stage.' } },
  positionals: { min: 1, max: 1 },
  async run(given, io, app) {
    const [service = '', ref = null] = splitRef(given.positionals[0] ?? '');
    const ready = makeReady(given, io);
    if ('problems' in ready) return refuseConfiguration(given, io, ready.problems);
    const found = await app.plan(ready, { service, ref, upTo: textOf(given, 'to') });
    if ('code' in found) {
      if (given.values.json) answer(given, io, { ok: false, problem: found }, []);
      else io.err(refProblemText(found));
      return EXIT.failed;
    }
    answer(given, io, { ok: true, plan: found }, planLines(found));
    return EXIT.ok;
  },
};

/** `shop@feature/x` → shop, feature/x. A slash belongs to the branch's name. */
function splitRef(text: string): string[] {
  const at = text.indexOf('@');
  return at < 0 || at === text.length - 1 ? [text.replace(/@$/, '')] : [text.slice(0, at), text.slice(at + 1)];
}
