import { answer, type Command, EXIT, textOf } from './command.ts';
import { makeReady, refuseConfiguration } from './ready.ts';
import { refProblemText, refusalText } from './words.ts';

export const rollback: Command = {
  name: 'rollback',
  summary: 'Roll back a service, also when Slack is down',
  usage: 'belay rollback <service> [--on <stage>] [--to <version>] --because <reason> [--config <path>] [--json]',
  details:
    'Puts the last good version back, or the one that --to names (a full sha or digest that was healthy there before). ' +
    'The running Belay on this host does it; where none runs, this command does it itself. It waits for no approval, lock or timer. Your account on this host and the ' +
    'reason are in the audit.',
  options: {
    on: { type: 'string', description: 'The stage. Default: the last protected one.' },
    to: { type: 'string', description: 'The version: a full sha or digest. Default: the last good one.' },
    because: { type: 'string', description: 'Why. Required: others will read it.' },
  },
  positionals: { min: 1, max: 1 },
  async run(given, io, app) {
    const because = textOf(given, 'because');
    if (because === null) {
      io.err('A reason is missing. Expected --because "…", such as: belay rollback shop --because "checkout fails"');
      return EXIT.usage;
    }
    const ready = makeReady(given, io);
    if ('problems' in ready) return refuseConfiguration(given, io, ready.problems);
    const wish = { service: given.positionals[0] ?? '', stage: textOf(given, 'on'), to: textOf(given, 'to') };
    const outcome = await app.rollback(ready, { ...wish, because, user: io.user });
    if (given.values.json)
      answer(given, io, { ok: outcome.is === 'requested' || outcome.is === 'done', ...outcome }, []);
    switch (outcome.is) {
      case 'done':
        if (!given.values.json) io.out(`${wish.service} is rolled back (${outcome.id}): every instance was read back.`);
        return EXIT.ok;
      case 'requested': {
        const next = outcome.isRunning
          ? 'The running Belay does it now.'
          : 'No Belay runs here: start it, and it does this first.';
        if (!given.values.json) io.out(`Rollback of ${wish.service} is accepted (${outcome.id}). ${next}`);
        return EXIT.ok;
      }
      case 'refused':
        if (!given.values.json) io.err(refusalText(outcome.refusal));
        return EXIT.failed;
      case 'unknown':
        if (!given.values.json) io.err(refProblemText(outcome.problem));
        return EXIT.failed;
    }
  },
};
