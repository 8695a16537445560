import { join } from 'node:path';
import { type Draft, keyed } from '../src/core/door.ts';
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

type Kind = {
  count: number;
  overMs: number;
  /** What the n-th rollout owes, and which moment of it counts. */
  effect: Draft;
  isUntilCommit: boolean;
};

/** Rollouts that wait for their build and owe one thing each, spread over some seconds; how late each was, in ms. */
async function lateness({ count, overMs, effect, isUntilCommit }: Kind): Promise<number[]> {
  const template = await rolloutIn('building');
  using folder = temporaryFolder();
  await using store = openStore(join(folder.path, 'belay.db'));
  const firstMs = Date.now() + 500 + count * 2;
  const dueAtMs = new Map<string, number>();
  const writes = Array.from({ length: count }, (_, n) => {
    const rollout = copyOf(template, n);
    const at = firstMs + Math.floor((n * overMs) / count);
    dueAtMs.set(rollout.id, at);
    return store.ledger.write(async (tx) => {
      await tx.saveRollout(rollout);
      await tx.owe(rollout, keyed(rollout, effect), at);
    });
  });
  await Promise.all(writes);
  if (Date.now() >= firstMs) throw new Error('The first was due before the last was written: the machine is too busy');
  const late: number[] = [];
  const stop = new AbortController();
  const all = Promise.withResolvers<void>();
  const happened = (id: string) => {
    late.push(Date.now() - (dueAtMs.get(id) ?? Number.NaN));
    if (late.length === count) all.resolve();
  };
  const engine = createEngine({
    ledger: isUntilCommit ? heard(store.ledger, happened) : store.ledger,
    perform: async ({ due, rolloutId }) => {
      if (due.kind !== 'watch-build') return { is: 'done' };
      happened(rolloutId);
      return { is: 'later', afterMs: 600_000 };
    },
    clock: systemClock,
    log: SILENT,
  });
  const running = engine.run(stop.signal);
  await all.promise;
  stop.abort();
  await running;
  return late;
}

async function run({ isQuick }: Size) {
  const count = isQuick ? 500 : 10_000;
  const overMs = isQuick ? 1000 : 5000;
  const few = isQuick ? 200 : 2000;
  const looks = await lateness({
    count,
    overMs,
    effect: { kind: 'watch-build', repo: 'acme/shop', sha: 'c'.repeat(40), check: null },
    isUntilCommit: false,
  });
  const ends = await lateness({
    count: few,
    overMs,
    effect: { kind: 'wake', timer: 'build-deadline' },
    isUntilCommit: true,
  });
  const line = (what: string, late: number[]) => {
    const p99 = percentile(late, 0.99);
    return {
      what: `${late.length.toLocaleString('en')} ${what}, due over ${overMs / 1000} s: how late, p99`,
      belay: `${show.ms(p99)} (p50 ${show.ms(percentile(late, 0.5))}, worst ${show.ms(percentile(late, 1))})`,
      beside: 'elsewhere, not measured here: bullmq 96 ms, pg-boss 490 ms, graphile-worker 505 ms',
      ratio: null,
      goal: '≤ 50 ms',
      isMet: p99 <= 50,
    };
  };
  return [
    {
      ...line('looks that begin on time', looks),
      notes: ['Until it is performed, as a job queue counts it: leased on disk before, and put back on disk after.'],
    },
    {
      ...line('deadlines that end a rollout', ends),
      notes: [
        'Until the new state is on disk. The announcement and the projection that follow from each are performed meanwhile.',
      ],
    },
  ];
}

export const timers: Benchmark = { name: 'timers', run };
