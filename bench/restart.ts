import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../src/engine/clock.ts';
import { createEngine } from '../src/engine/engine.ts';
import { type Benchmark, median, type Size, show } from './measure.ts';
import { openStore, SILENT, temporaryFolder } from './world.ts';

const WRITER = fileURLToPath(new URL('./restart-writer.ts', import.meta.url));

/** Fills a database in another process and kills that while it works; answers once it is gone. */
async function killedWhileWorking(path: string, count: number): Promise<void> {
  const child = spawn(process.execPath, [WRITER, path, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const said = await Promise.race([once(child.stdout, 'data'), gone.then(() => null)]);
  if (said === null) throw new Error('The process that was to be killed ended by itself');
  child.kill('SIGKILL');
  await gone;
}

async function killAndReopen(count: number): Promise<{ firstMs: number; lastMs: number }> {
  using folder = temporaryFolder();
  const path = join(folder.path, 'belay.db');
  await killedWhileWorking(path, count);
  const startedMs = performance.now();
  await using store = openStore(path);
  const performed = new Set<string>();
  const all = Promise.withResolvers<void>();
  let firstMs = 0;
  const engine = createEngine({
    ledger: store.ledger,
    perform: async (owed) => {
      if (performed.size === 0) firstMs = performance.now() - startedMs;
      performed.add(owed.rolloutId);
      if (performed.size === count) all.resolve();
      // The build still runs: looked at again in a while.
      return { is: 'later', afterMs: 600_000 };
    },
    clock: systemClock,
    log: SILENT,
  });
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  await all.promise;
  const lastMs = performance.now() - startedMs;
  stop.abort();
  await running;
  return { firstMs, lastMs };
}

async function run({ isQuick, rounds }: Size) {
  const count = isQuick ? 1000 : 10_000;
  const figures = [];
  for (let round = 0; round < Math.min(rounds, 3); round += 1) figures.push(await killAndReopen(count));
  const firstMs = median(figures.map((one) => one.firstMs));
  const lastMs = median(figures.map((one) => one.lastMs));
  const what = `After kill -9 with ${count.toLocaleString('en')} live rollouts that each owe an effect`;
  const beside = 'no yardstick: bare code has no outbox to take up';
  return [
    {
      what: `${what}: from opening the database to the first effect`,
      belay: show.ms(firstMs),
      beside,
      ratio: null,
      goal: '≤ 150 ms',
      isMet: firstMs <= 150,
      notes: [],
    },
    {
      what: `${what}: to the last`,
      belay: show.ms(lastMs),
      beside,
      ratio: null,
      goal: '≤ 2 s',
      isMet: lastMs <= 2000,
      notes: [
        'Each is claimed, its rollout read, tried, and written back as due later. 64 had been leased when it died.',
      ],
    },
  ];
}

export const restart: Benchmark = { name: 'restart', run };
