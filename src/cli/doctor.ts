import { problemText } from '../config/problem.ts';
import { answer, type Command, EXIT } from './command.ts';
import type { Finding } from './doctor/finding.ts';
import { databaseChecks, hostChecks } from './doctor/host.ts';
import { makeReady } from './ready.ts';
import { inert } from './words.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'Check this installation from end to end',
  usage: 'belay doctor [--config <path>] [--json]',
  details:
    'Looks at the versions, the configuration, the environment, the database, Slack, GitHub, every provider, ' +
    'every source and every check of a stage, and says for each what is well or what to do. It only reads. Run it after installing, and after a change.',
  options: {},
  positionals: { min: 0, max: 0 },
  async run(given, io) {
    const findings: Finding[] = hostChecks();
    const ready = makeReady(given, io);
    if ('problems' in ready) {
      findings.push(
        ...ready.problems.map((problem) => ({
          name: problem.file === 'environment' ? 'Environment' : 'Configuration',
          ok: false,
          detail: problemText({ ...problem, hint: null }),
          fix: problem.hint ?? `expected ${problem.expected}`,
        })),
      );
    } else {
      const { services } = ready.installation;
      findings.push({ name: 'Configuration', ok: true, detail: `${services.length} services`, fix: null });
      // Loaded here: the packages of Slack and GitHub take longer to read than any other command takes to answer.
      const { checkChecks, githubChecks, providerChecks, slackChecks, sourceChecks } = await import(
        './doctor/outside.ts'
      );
      // One after the other would add up their deadlines.
      const groups = [databaseChecks, slackChecks, githubChecks, providerChecks, sourceChecks, checkChecks];
      findings.push(...(await Promise.all(groups.map((group) => group(ready)))).flat());
    }
    const ok = findings.every((finding) => finding.ok);
    const ill = findings.filter((finding) => !finding.ok).length;
    answer(given, io, { ok, findings }, [...findings.map(line), ok ? 'All is well.' : `${ill} to mend.`]);
    if ('problems' in ready) return EXIT.configuration;
    return ok ? EXIT.ok : EXIT.failed;
  },
};

function line({ name, ok, detail, fix }: Finding): string {
  return `${ok ? '✓' : '✗'} ${inert(name)}: ${inert(detail)}${fix === null ? '' : ` → ${inert(fix)}`}`;
}
