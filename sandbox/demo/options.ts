import { parseArgs } from 'node:util';
import { SCENARIO_LIST, SCENARIOS, type Scenario } from './scenarios.ts';

export const HELP = `Belay on this machine, with no account anywhere: a Slack to click in, a GitHub, a fleet of real processes
under traffic, and the real Belay between them.

  npm run demo                      runs until Ctrl-C
  npm run demo -- --auto            plays a good release, a bad one and a rollback, checks each, and ends
  npm run demo -- --prometheus      judges health by a real Prometheus server, which must be installed
  npm run demo -- --scenario leak   plays one release in three regions, and says what it cost; --list shows all
  npm run demo -- --list            the scenarios
  npm run demo -- --help            this text
`;

export type DemoOptions = { isAuto: boolean; isPrometheus: boolean; scenario: Scenario | null };

/** What was asked for; what is only to be printed; or what is wrong with it, as a sentence. */
export function readOptions(args: string[]): { options: DemoOptions } | { print: string } | { wrong: string } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        auto: { type: 'boolean', default: false },
        prometheus: { type: 'boolean', default: false },
        scenario: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { print: HELP };
    if (values.list) return { print: SCENARIO_LIST };
    const { scenario: name } = values;
    const scenario = SCENARIOS.find((one) => one.name === name) ?? null;
    if (name !== undefined && !scenario) return { wrong: `There is no scenario ${name}. There are:\n${SCENARIO_LIST}` };
    return { options: { isAuto: values.auto, isPrometheus: values.prometheus, scenario } };
  } catch (error) {
    return { wrong: error instanceof Error ? (error.message.split('. ', 1)[0] ?? '') : String(error) };
  }
}
