import type { DriftAct } from '../../src/core/drift-act.ts';
import type { DriftCase } from '../../src/core/drift-case.ts';
import type { ServiceSpec } from '../../src/core/pipeline.ts';
import { createDriftWatch, type DriftWatchOptions } from '../../src/engine/drift.ts';
import { createDriftCommands, type DriftWish } from '../../src/engine/drift-commands.ts';
import type { Performed } from '../../src/engine/perform.ts';
import { createPerform } from '../../src/perform.ts';
import { createMemoryProvider } from '../../src/providers/memory.ts';
import { START_MS } from '../support/given.ts';
import { actor, aService, type PersonName } from '../support/service.ts';
import { sha256 } from '../support/store.ts';
import { aHouse } from './world.ts';

export const EVERY_MS = 300_000;

const TARGETS = { staging: { regions: { eu: 1 } }, eu: { regions: { eu: 4 } }, us: { regions: { us: 4 } } };

type Answer = { act: 'fix' } | { act: 'accept'; because: string } | { act: 'ignore'; because: string; untilMs: number };

/** The house with a platform in memory, where something else can be placed behind Belay's back, and a watch over it. */
export function aWatchedHouse(over: Partial<DriftWatchOptions> & { service?: Partial<ServiceSpec> } = {}) {
  const service = aService({ driftEveryMs: EVERY_MS, targets: TARGETS, ...over.service });
  const services = [service];
  const provider = createMemoryProvider();
  const refOf = (target: string) => ({ service: 'shop', target, options: TARGETS[target as 'eu'] ?? {} });
  for (const target of Object.keys(TARGETS)) provider.place(refOf(target), 'sha256:first');
  let now = () => START_MS;
  const well = async (): Promise<Performed> => ({ is: 'done' });
  const perform = createPerform({
    now: () => now(),
    targetsOf: () => null,
    provider: () => ({ provider, options: (target) => refOf(target).options }),
    source: () => ({
      measure: async ({ signal }) => ({ signal, link: null, value: 0.001, samples: 500, takenAtMs: now() }),
    }),
    check: () => null,
    github: {
      watchBuild: async (_repo, sha) => ({ is: 'built', digest: `sha256:${sha}`, url: null }),
      compare: async () => 'ahead',
      isOnBranch: async () => true,
    },
    people: {
      eligibleAmong: async (_rollout, keys) => keys,
      project: well,
      announce: well,
      page: well,
      projectDrift: well,
    },
  });
  /** Every state of a drift that was brought to people, in order. */
  const shown: DriftCase['phase'][] = [];
  const slack = { isDown: false };
  const house = aHouse({
    service,
    perform,
    performDrift: async ({ due }) => {
      if (slack.isDown) return { is: 'failed', detail: 'Slack is down', retryAfterMs: 1000 };
      const known = await house.ledger.drift(due.service, due.target);
      if (known) shown.push(known.phase);
      return { is: 'done' };
    },
  });
  now = house.clock.now;
  const { ledger, engine, clock } = house;
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `repair-${ids}`;
  };
  const log = {
    warn: (_facts: Record<string, unknown>, message: string) => house.said.push(message),
    error: (_facts: Record<string, unknown>, message: string) => house.said.push(message),
  };
  const options: DriftWatchOptions = {
    services,
    ledger,
    engine,
    clock,
    log,
    observe: ({ name }, target, signal) => provider.observe({ ...refOf(target), service: name }, signal),
    ...over,
  };
  const commands = createDriftCommands({ services, ledger, engine, now: clock.now, newId, hash: sha256 });

  async function known(target = 'eu'): Promise<DriftCase> {
    const found = await ledger.drift('shop', target);
    if (!found) throw new Error(`nothing is known of ${target}`);
    return found;
  }

  return {
    ...house,
    provider,
    place: (target: string, digest: string | null, ids?: string[]) => provider.place(refOf(target), digest, ids),
    runs: async (target: string) => {
      const { instances } = await provider.observe(refOf(target), new AbortController().signal);
      return [...new Set(instances.map((one) => one.digest))];
    },
    /** A new watch has looked at nothing yet, as after a restart. */
    aWatch: (more: Partial<DriftWatchOptions> = {}) => createDriftWatch({ ...options, ...more }),
    watch: createDriftWatch(options),
    shown,
    slack,
    known,
    decide: async (name: PersonName, answer: Answer, target = 'eu', seen?: Pick<DriftAct, 'number' | 'generation'>) => {
      const { number, generation } = seen ?? (await known(target));
      const wish: DriftWish = { service: 'shop', target, number, generation, actor: actor(name), ...answer };
      return commands.decide(wish);
    },
    /** Everything that is owed now is done. */
    async settle() {
      while ((await engine.tick()) > 0);
    },
  };
}
