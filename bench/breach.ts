import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../src/engine/clock.ts';
import { createCommands } from '../src/engine/commands.ts';
import { createEngine } from '../src/engine/engine.ts';
import { createMemoryProvider } from '../src/providers/memory.ts';
import { aRelease, aService, aStage, aStep } from '../test/support/service.ts';
import { sha256 } from '../test/support/store.ts';
import { type Benchmark, percentile, type Size, show } from './measure.ts';
import { healthyEdges, openStore, SILENT, temporaryFolder } from './world.ts';

const EVERY_MS = 500;

/** Services whose newest release turns bad while it bakes, each at a moment of its own. */
async function run({ isQuick }: Size) {
  const count = isQuick ? 5 : 50;
  using folder = temporaryFolder();
  await using store = openStore(join(folder.path, 'belay.db'));
  const brokenAtMs = new Map<string, number>();
  const seenAtMs = new Map<string, number>();
  const issuedAtMs = new Map<string, number>();
  const allIssued = Promise.withResolvers<void>();
  const memory = createMemoryProvider();
  const provider: typeof memory = {
    ...memory,
    rollBack: (request, signal) => {
      if (!issuedAtMs.has(request.service)) issuedAtMs.set(request.service, performance.now());
      if (issuedAtMs.size === count) allIssued.resolve();
      return memory.rollBack(request, signal);
    },
  };
  const perform = healthyEdges(Date.now, {
    provider: () => ({ provider, options: () => ({ regions: { eu: 2 }, digest: 'sha256:first' }) }),
    source: () => ({
      measure: async ({ signal, service }) => {
        const isBroken = brokenAtMs.has(service);
        if (isBroken && !seenAtMs.has(service)) seenAtMs.set(service, performance.now());
        return { signal, link: null, value: isBroken ? 0.2 : 0.001, samples: 500, takenAtMs: Date.now() };
      },
    }),
  });
  const engine = createEngine({ ledger: store.ledger, perform, clock: systemClock, log: SILENT });
  const newId = () => crypto.randomUUID();
  const commands = createCommands({
    ledger: store.ledger,
    engine,
    now: systemClock.now,
    newId,
    hash: sha256,
    readFacts: async () => null,
  });
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  const bake = { forMs: 3_600_000, everyMs: EVERY_MS, deadlineMs: 7_200_000 };
  const names = Array.from({ length: count }, (_, n) => `shop-${n}`);
  for (const [n, name] of names.entries()) {
    const service = aService({ name, stages: [aStage({ steps: [aStep({ bake })] })] });
    const release = aRelease(n + 1, { service: name });
    await commands.recordMerges(service, { headSha: release.sha, releases: [release] });
  }
  while ((await store.ledger.openRollouts(null)).some((one) => one.phase.is !== 'baking')) await sleep(50);
  for (const name of names) {
    await sleep(Math.random() * 40);
    brokenAtMs.set(name, performance.now());
  }
  await allIssued.promise;
  stop.abort();
  await running;
  const between = (from: Map<string, number>, to: Map<string, number>) =>
    names.map((name) => (to.get(name) ?? Number.NaN) - (from.get(name) ?? Number.NaN));
  const reaction = between(seenAtMs, issuedAtMs);
  const whole = between(brokenAtMs, issuedAtMs);
  return [
    {
      what: `A look that sees a breach → the rollback is issued, ${count} services that look every ${EVERY_MS} ms`,
      belay: `p50 ${show.ms(percentile(reaction, 0.5))}, p99 ${show.ms(percentile(reaction, 0.99))}`,
      beside: `from when it could be seen, so with the wait for the next look: p50 ${show.ms(percentile(whole, 0.5))}, p99 ${show.ms(percentile(whole, 0.99))}`,
      ratio: null,
      goal: 'none set',
      isMet: null,
      notes: ['Judged, decided and on disk before the platform is asked; one bad look is enough for this signal.'],
    },
  ];
}

export const breach: Benchmark = { name: 'breach', run };
