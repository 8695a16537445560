import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decide } from '../src/core/decide.ts';
import { keyed } from '../src/core/door.ts';
import type { Signal } from '../src/core/judge/signal.ts';
import type { Rollout } from '../src/core/rollout.ts';
import { systemClock } from '../src/engine/clock.ts';
import { createEngine } from '../src/engine/engine.ts';
import { prometheus } from '../src/health/prometheus.ts';
import { aSignal } from '../test/support/service.ts';
import { type Benchmark, type Line, median, perSecond, type Size, show } from './measure.ts';
import { copyOf, healthyEdges, openStore, rolloutIn, SILENT, temporaryFolder } from './world.ts';

const ANSWERING = fileURLToPath(new URL('./answering.ts', import.meta.url));
const EVERY_MS = 10_000;
/** Asked of every service by its name, and of a neighbour that all of them have. */
const OWN = 'sum(rate(errors_total{service="$service"}[1m]))';
const SHARED = 'sum(rate(errors_total{service="payments"}[1m]))';

const SIGNALS: Signal[] = [
  aSignal({ name: 'errors', source: 'metrics', query: { promql: OWN }, minSamples: 0 }),
  aSignal({
    name: 'payments',
    source: 'metrics',
    query: { promql: SHARED },
    minSamples: 0,
    neighbour: { service: 'payments', is: 'downstream' },
  }),
];

/** The rollout as it bakes for an hour, judged by these signals every ten seconds. */
function baking(template: Rollout, signals: Signal[]): Rollout {
  const bake = { forMs: 3_600_000, everyMs: EVERY_MS, deadlineMs: 7_200_000 };
  const stages = template.plan.stages.map((stage) => {
    return { ...stage, signals, steps: stage.steps.map((step) => ({ ...step, bake })) };
  });
  if (template.phase.is !== 'baking') throw new Error(`Expected a baking rollout, found ${template.phase.is}`);
  return { ...template, plan: { ...template.plan, stages }, phase: { ...template.phase, forMs: bake.forMs } };
}

type Server = AsyncDisposable & { url: string; asked(): Promise<Record<string, number>> };

async function answering(): Promise<Server> {
  const child = fork(ANSWERING, { execArgv: [] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    url: `http://127.0.0.1:${port}`,
    async asked() {
      const heard = once(child, 'message');
      child.send('how many');
      const [{ asked }] = (await heard) as [{ asked: Record<string, number> }];
      return asked;
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}

/** A thousand rollouts that bake at once, looks spread over the interval, in one process with the real store and source. */
async function thousand({ isQuick }: Size): Promise<Line[]> {
  const count = isQuick ? 100 : 1000;
  const intervals = isQuick ? 1 : 3;
  await using server = await answering();
  using folder = temporaryFolder();
  await using store = openStore(join(folder.path, 'belay.db'));
  const template = baking(await rolloutIn('baking'), SIGNALS);
  const startMs = Date.now() + 1000;
  await Promise.all(
    Array.from({ length: count }, (_, n) => copyOf(template, n)).map((one, n) =>
      store.ledger.write(async (tx) => {
        if (one.phase.is !== 'baking') return;
        const sinceMs = Date.now();
        const rollout: Rollout = { ...one, phase: { ...one.phase, sinceMs, lastLookMs: sinceMs } };
        await tx.saveRollout(rollout);
        const look = {
          kind: 'measure' as const,
          round: one.phase.round,
          targets: ['staging'],
          signals: SIGNALS,
          now: { digest: 'sha256:new', sha: one.release.sha },
          before: null,
          sinceMs,
          lastGood: null,
          without: [],
          everyMs: EVERY_MS,
        };
        await tx.owe(rollout, keyed(rollout, look), startMs + (n * EVERY_MS) / count);
      }),
    ),
  );
  const source = prometheus.create(prometheus.schema.parse({ url: server.url }), {
    fetch,
    now: Date.now,
    instances: async () => [],
  });
  const perform = healthyEdges(Date.now, { source: () => source });
  const engine = createEngine({ ledger: store.ledger, perform, clock: systemClock, log: SILENT });
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  // The first interval warms up.
  await sleep(startMs - Date.now() + EVERY_MS);
  await server.asked();
  const before = process.cpuUsage();
  const beganMs = performance.now();
  await sleep(intervals * EVERY_MS);
  const { user, system } = process.cpuUsage(before);
  const tookMs = performance.now() - beganMs;
  const asked = await server.asked();
  stop.abort();
  await running;
  const share = (user + system) / 1000 / tookMs;
  const total = Object.values(asked).reduce((sum, one) => sum + one, 0);
  const shared = asked[SHARED] ?? 0;
  return [
    {
      what: `${count.toLocaleString('en')} rollouts that bake at once, judged every ${EVERY_MS / 1000} s by two signals: processor`,
      belay: `${(100 * share).toFixed(1)} % of one processor, answers, audit and disk included`,
      beside: `${show.rate(perSecond(count, EVERY_MS))} looks asked for`,
      ratio: null,
      goal: 'none set',
      isMet: null,
      notes: [],
    },
    {
      what: 'The same: questions to Prometheus in each interval',
      belay: `${Math.round(total / intervals)}, of which ${(shared / intervals).toFixed(1)} for the signal that all of them share`,
      beside: `${2 * count} without sharing`,
      ratio: total / intervals / (2 * count),
      goal: 'an identical question once an interval',
      isMet: shared <= 2 * intervals,
      notes: [],
    },
  ];
}

/** One look of a step with two hundred signals: judged, decided, ready to be written. */
async function twoHundred({ rounds }: Size): Promise<Line[]> {
  const signals = Array.from({ length: 200 }, (_, n) =>
    aSignal({ name: `signal-${n}`, role: n < 20 ? 'critical' : 'scored', weight: 1, failures: 2, of: 3 }),
  );
  const rollout = baking(await rolloutIn('baking'), signals);
  const took: number[] = [];
  for (let round = 0; round < 20 * rounds; round += 1) {
    const atMs = rollout.seenAtMs + 1000;
    const measurements = signals.map(({ name }) => {
      return { signal: name, link: null, value: 0.001, samples: 500, takenAtMs: atMs };
    });
    const { generation, phase } = rollout;
    const look = phase.is === 'baking' ? phase.round : 0;
    const startedMs = performance.now();
    decide(rollout, { type: 'measured', atMs, generation, round: look, measurements, controls: [] });
    took.push(performance.now() - startedMs);
  }
  return [
    {
      what: 'One look of a step with 200 signals, judged and decided',
      belay: show.ms(median(took)),
      beside: `the slowest of ${took.length}: ${show.ms(Math.max(...took))}`,
      ratio: null,
      goal: 'none set',
      isMet: null,
      notes: [],
    },
  ];
}

export const bakingBench: Benchmark = {
  name: 'baking',
  run: async (size) => [...(await twoHundred(size)), ...(await thousand(size))],
};
