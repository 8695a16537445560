import { join } from 'node:path';
import { enter } from '../src/core/door.ts';
import { systemClock } from '../src/engine/clock.ts';
import { createEngine } from '../src/engine/engine.ts';
import type { Ledger } from '../src/engine/ledger.ts';
import { type Benchmark, percentile, type Size, show } from './measure.ts';
import { copyOf, openStore, rolloutIn, SILENT, temporaryFolder } from './world.ts';

/** Hears when the answer of each rollout's timer was committed. */
function heard(ledger: Ledger, committed: (rolloutId: string) => void): Ledger {
  return {
    ...ledger,
    write: async (unit) => {
      const woken: string[] = [];
      const value = await ledger.write((tx) => {
        const audit: typeof tx.audit = (entry, atMs) => {
          if (entry.rolloutId !== null && entry.what.startsWith('woke')) woken.push(entry.rolloutId);
          return tx.audit(entry, atMs);
        };
        return unit({ ...tx, audit });
      });
      woken.forEach(committed);
      return value;
    },
  };
}

/** Rollouts that wait for their build, each until a deadline of its own; the deadlines are spread over some seconds. */
async function run({ isQuick }: Size) {
  const count = isQuick ? 500 : 10_000;
  const overMs = isQuick ? 1000 : 10_000;
  const template = await rolloutIn('building');
  using folder = temporaryFolder();
  await using store = openStore(join(folder.path, 'belay.db'));
  const firstMs = Date.now() + (isQuick ? 1500 : 15_000);
  const dueAtMs = new Map<string, number>();
  const writes = Array.from({ length: count }, (_, n) => {
    const rollout = copyOf(template, n);
    const at = firstMs + Math.floor((n * overMs) / count);
    dueAtMs.set(rollout.id, at);
    const effects = enter(rollout, rollout.phase, [{ kind: 'wake', timer: 'build-deadline' }], 0).effects;
    return store.ledger.write(async (tx) => {
      await tx.saveRollout(rollout);
      for (const effect of effects) await tx.owe(rollout, { ...effect, generation: rollout.generation }, at);
    });
  });
  await Promise.all(writes);
  const lateness: number[] = [];
  const stop = new AbortController();
  const { promise: allWoken, resolve } = Promise.withResolvers<void>();
  const ledger = heard(store.ledger, (id) => {
    lateness.push(Date.now() - (dueAtMs.get(id) ?? Number.NaN));
    if (lateness.length === count) resolve();
  });
  const engine = createEngine({ ledger, perform: async () => ({ is: 'done' }), clock: systemClock, log: SILENT });
  const running = engine.run(stop.signal);
  if (Date.now() >= firstMs) throw new Error('The timers were due before all of them were written');
  await allWoken;
  stop.abort();
  await running;
  const p99 = percentile(lateness, 0.99);
  return [
    {
      what: `${count.toLocaleString('en')} timers due over ${overMs / 1000} s: how late their transition is committed, p99`,
      belay: `${show.ms(p99)} (p50 ${show.ms(percentile(lateness, 0.5))}, worst ${show.ms(percentile(lateness, 1))})`,
      beside: 'elsewhere, not measured here: bullmq 96 ms, pg-boss 490 ms, graphile-worker 505 ms',
      ratio: null,
      goal: '≤ 50 ms',
      isMet: p99 <= 50,
      notes: [
        'Each ends a rollout: its new state, an announcement and a projection are committed with it and performed as well ' +
          '(three rows of the outbox for each timer). The clock stops after the fsync.',
      ],
    },
  ];
}

export const timers: Benchmark = { name: 'timers', run };
