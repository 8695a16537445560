import { type Command, EXIT } from './command.ts';
import { hostChecks } from './doctor/host.ts';
import { makeReady, refuseConfiguration } from './ready.ts';

export const start: Command = {
  name: 'start',
  summary: 'Run Belay',
  usage: 'belay start [--config <path>]',
  details:
    'Reads the configuration and the environment, and runs until it is asked to end (SIGTERM or SIGINT). What was ' +
    'under way is continued by the next start.',
  options: {},
  positionals: { min: 0, max: 0 },
  async run(given, io, app) {
    const ready = makeReady(given, io);
    if ('problems' in ready) return refuseConfiguration(given, io, ready.problems);
    const ill = hostChecks().filter((finding) => !finding.ok);
    for (const { name, detail, fix } of ill) io.err(`Belay does not start with ${name} ${detail}: ${fix}`);
    if (ill.length > 0) return EXIT.failed;
    await app.start(ready, io.ending());
    return EXIT.ok;
  },
};
