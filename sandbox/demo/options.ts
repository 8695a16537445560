import { parseArgs } from 'node:util';

export const HELP = `Belay on this machine, with no account anywhere: a Slack to click in, a GitHub, a fleet of real processes
under traffic, and the real Belay between them.

  npm run demo                      runs until Ctrl-C
  npm run demo -- --auto            plays a good release, a bad one and a rollback, checks each, and ends
  npm run demo -- --prometheus      judges health by a real Prometheus server, which must be installed
  npm run demo -- --help            this text
`;

export type DemoOptions = { isAuto: boolean; isPrometheus: boolean };

/** What was asked for; `help`; or what is wrong with it, as a sentence. */
export function readOptions(args: string[]): { options: DemoOptions } | { help: true } | { wrong: string } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        auto: { type: 'boolean', default: false },
        prometheus: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { help: true };
    return { options: { isAuto: values.auto, isPrometheus: values.prometheus } };
  } catch (error) {
    return { wrong: error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error) };
  }
}
