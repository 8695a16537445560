import { setTimeout as sleep } from 'node:timers/promises';
import { AUTO_PACE, DEMO_PACE } from './belay/config.ts';
import { threeRegions } from './belay/three-regions.ts';
import { play } from './demo/auto.ts';
import { type DemoOptions, HELP, readOptions } from './demo/options.ts';
import { playScenario } from './demo/scenario.ts';
import { findPrometheus } from './prometheus.ts';
import { startWorld, type World } from './world.ts';

const PAGE_PORT = 4400;
/** `EX_USAGE` of sysexits.h. */
const USAGE = 64;
/** What takes longer than this has gone wrong, also on a slow machine. */
const AUTO_WITHIN_MS = 400_000;
/** A scenario is watched for longer. */
const SCENARIO_WITHIN_MS = 600_000;
const EXIT_WITHIN_MS = 15_000;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const read = readOptions(args);
  if ('print' in read) {
    console.log(read.print);
    return 0;
  }
  if ('wrong' in read) {
    console.error(`${read.wrong}\n\n${HELP}`);
    return USAGE;
  }
  const { options } = read;
  if (options.isPrometheus && findPrometheus(process.env.PATH ?? '') === null) {
    console.error(
      '--prometheus needs an installed Prometheus, and there is none on the PATH. On Debian: apt install prometheus',
    );
    return 1;
  }
  const ending = endingSignal();
  try {
    return options.isAuto || options.scenario ? await playAlone(options, ending) : await stay(options, ending);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    // Whatever is still open now is of no use to anybody.
    setTimeout(() => process.exit(), 1_000).unref();
  }
}

/** Runs until somebody ends it. A Belay that was killed is started again, and goes on where it was. */
async function stay(options: DemoOptions, ending: AbortSignal): Promise<number> {
  const world = await startWorld({ slackPort: PAGE_PORT, prometheus: options.isPrometheus, pace: DEMO_PACE });
  try {
    if (!ending.aborted) console.log(welcome(world));
    const isEnding = new Promise<'ending'>((resolve) => {
      if (ending.aborted) resolve('ending');
      ending.addEventListener('abort', () => resolve('ending'));
    });
    for (;;) {
      const ended = await Promise.race([isEnding, world.belay.whenEnded()]);
      // A Ctrl-C reaches Belay too, and it may end before this process has heard of it.
      if (ended === 'ending' || (await Promise.race([isEnding, sleep(300)])) === 'ending') break;
      console.log(`Belay ended (${ended.signal ?? `exit code ${ended.code}`}): it is started again.`);
      await world.belay.start();
      console.log(`Belay runs again as process ${world.belay.pid}, and goes on where it was.`);
    }
  } finally {
    await stopped(world);
  }
  return 0;
}

function welcome(world: World): string {
  return `Belay runs. Open ${world.slack.url} and merge a pull request under "World": one kind is good, three are bad.
Then act as Ben: when the card in #shop asks for it, approve. The fleet shows what really runs, and who gets errors.
Try: /deploy status, /rollback shop because …, or kill -9 ${world.belay.pid} in the middle of it: Belay goes on where it was.
Ctrl-C ends everything. Configuration, database and log are in ${world.folder} until then.`;
}

/** Plays by itself; 0 only when everything was as it should be. */
async function playAlone(options: DemoOptions, ending: AbortSignal): Promise<number> {
  const startedAtMs = performance.now();
  const say = (line: string) => {
    const seconds = (performance.now() - startedAtMs) / 1000;
    console.log(`${seconds.toFixed(1).padStart(5)} s  ${line}`);
  };
  const { scenario } = options;
  const withinMs = scenario ? SCENARIO_WITHIN_MS : AUTO_WITHIN_MS;
  const late = AbortSignal.any([ending, AbortSignal.timeout(withinMs)]);
  const isLate = new Promise<never>((_, reject) => {
    const why = () => (ending.aborted ? 'Ended from outside' : `Not done within ${withinMs / 1000} s`);
    late.addEventListener('abort', () => reject(new Error(why())));
  });
  isLate.catch(() => {});
  say('A Slack, a GitHub, a fleet and Belay are started');
  const world = await startWorld({
    prometheus: options.isPrometheus,
    pace: AUTO_PACE,
    ...(scenario ? { fleet: scenario.fleet, configure: (files) => threeRegions(files, scenario.pace) } : {}),
  });
  try {
    const played = scenario ? playScenario(world, scenario, say) : play(world, say);
    await Promise.race([played, isLate]);
    say('Everything was as it should be.');
    return 0;
  } catch (error) {
    say(`WRONG: ${error instanceof Error ? error.message : error}`);
    console.error(`What Belay wrote last:\n${world.belay.log().slice(-20).join('\n')}`);
    return 1;
  } finally {
    await stopped(world);
  }
}

/** Ends everything, but does not wait for ever: children end with this process anyway. */
async function stopped(world: World): Promise<void> {
  await Promise.race([world.stop(), sleep(EXIT_WITHIN_MS, undefined, { ref: false })]);
}

/** Aborts on the first signal to end; the second ends at once. */
function endingSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort();
    });
  }
  return controller.signal;
}
