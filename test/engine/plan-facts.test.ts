import { describe, expect, it } from 'vitest';
import { strategyKey } from '../../src/core/outlook.ts';
import type { Source } from '../../src/health/source.ts';
import { createReadFacts } from '../../src/plan-facts.ts';
import { memory } from '../../src/providers/memory.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { aService } from '../support/service.ts';

const NOW_MS = 1_700_000_000_000;
const context = { fetch: globalThis.fetch, now: () => NOW_MS };
const TRAFFIC = { source: 'metrics', query: { promql: 'load' }, perInstance: 100 };

const TARGETS = {
  staging: { regions: { staging: 1 }, digest: 'sha256:old', config: null },
  eu: { regions: { west: 3, mid: 1 }, digest: 'sha256:old', config: null },
  us: { regions: { east: 4 }, digest: 'sha256:old', config: null },
};

function platform(changes: Partial<Provider> = {}) {
  const real = memory.create({ runningCalls: 0 }, context);
  const provider: Provider = {
    deploy: (...given) => real.deploy(...given),
    rollBack: (...given) => real.rollBack(...given),
    create: (...given) => real.create(...given),
    remove: (...given) => real.remove(...given),
    observe: (...given) => real.observe(...given),
    capacity: (...given) => real.capacity(...given),
    ...changes,
  };
  return { provider, options: (target: string) => TARGETS[target as keyof typeof TARGETS] };
}

const measuring = (value: number): Source => ({
  measure: async ({ signal }) => ({ signal, link: null, value, samples: null, takenAtMs: NOW_MS }),
});

const never = () => new Promise<never>(() => {});

function read(given: {
  provider?: Partial<Provider>;
  source?: Source | null;
  deadlineMs?: number;
  now?: () => number;
}) {
  const { source = measuring(250) } = given;
  const here = platform(given.provider);
  const readFacts = createReadFacts(
    { now: given.now ?? (() => NOW_MS), provider: () => here, source: () => source },
    given.deadlineMs,
  );
  return () => readFacts(aService({ traffic: TRAFFIC }));
}

describe('X6 R1 R2 R3 what a plan is made by', () => {
  it('the instances by region, what is asked of them, and how many serve during each step', async () => {
    const facts = await read({})();
    const strategy = strategyKey({ is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 30_000 });
    expect(facts.eu).toEqual({
      instances: { value: { west: 3, mid: 1 } },
      load: { value: 250 },
      capacity: [
        // The canary touches both regions: two of four.
        { strategy, share: 0.5, servingDuring: { value: 3 } },
        { strategy, share: 1, servingDuring: { value: 3 } },
      ],
    });
    expect(Object.keys(facts)).toEqual(['staging', 'eu', 'us']);
  });

  it('a platform that cannot be read says why, and the other targets are read all the same', async () => {
    const real = platform().provider;
    const observe: Provider['observe'] = (ref, signal) =>
      ref.target === 'us' ? Promise.reject(new Error('HTTP 503')) : real.observe(ref, signal);
    const facts = await read({ provider: { observe } })();
    expect(facts.us).toEqual({ instances: { value: null, why: 'HTTP 503' }, load: { value: 250 }, capacity: [] });
    expect(facts.eu?.instances).toEqual({ value: { west: 3, mid: 1 } });
  });

  it.each([
    ['no number', measuring(Number.NaN), 'no number of requests a second'],
    ['a negative one', measuring(-1), 'no number of requests a second'],
    ['a source that throws', { measure: () => Promise.reject(new Error('refused')) }, 'refused'],
    ['no source of that name', null, 'There is no source called metrics in belay.yml'],
    [
      'no data',
      {
        measure: async () => ({
          signal: 'load',
          link: null,
          value: null,
          missing: 'no-data' as const,
          detail: 'empty',
        }),
      },
      'empty',
    ],
  ])('a load that is %s is not known', async (_, source, why) => {
    expect((await read({ source })()).eu?.load).toEqual({ value: null, why });
  });

  it('what does not answer is not waited for, even when it does not heed that time is up', async () => {
    const facts = await read({
      provider: { observe: never, capacity: never },
      source: { measure: never },
      deadlineMs: 5,
    })();
    expect(facts.eu).toEqual({
      instances: { value: null, why: 'no answer in time' },
      load: { value: null, why: 'no answer in time' },
      capacity: [],
    });
  });

  it('a plan that is shown and confirmed at once is made by the same facts, and by new ones later', async () => {
    let [looks, nowMs] = [0, NOW_MS];
    const real = platform().provider;
    const observe: Provider['observe'] = (ref, signal) => {
      looks += 1;
      return real.observe(ref, signal);
    };
    const facts = read({ provider: { observe }, now: () => nowMs });
    await facts();
    nowMs += 5000;
    await facts();
    expect(looks).toBe(3);
    nowMs += 5001;
    await facts();
    expect(looks).toBe(6);
  });
});
