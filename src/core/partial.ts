import type { Rollout, Seen } from './rollout.ts';
import { type Instance, instancesFor, type Observation } from './target.ts';
import type { Stray, Trouble } from './trouble.ts';

/** What a target should be like once a change has reached it. */
export type Wish = {
  digest: string;
  /** The share of the instances that run it, above 0 to 1. */
  share: number;
  /** What all others run; null: not known, so that nothing is said of them but that they can be read. */
  others: string | null;
  /** Traffic is shifted by weight to instances beside the old ones, which stay as many as they were. */
  isBeside: boolean;
  /** The instances that run it are labelled as a canary. */
  isCanary: boolean;
  /** As many fresh instances of this version beside the canary; null: none. */
  baseline: string | null;
  /** Instances that a person decided to go on without, by id. */
  without: readonly string[];
  /** The instances that were to get it, by id; null: any. One of them that is left out is not replaced by another. */
  picked: readonly string[] | null;
};

/** Every instance on this version, nothing beside: what a whole deploy and a rollback end in. */
export function wholly(digest: string, without: readonly string[] = []): Wish {
  return {
    digest,
    share: 1,
    others: null,
    isBeside: false,
    isCanary: false,
    baseline: null,
    without,
    picked: null,
  };
}

/**
 * What is wrong with a target after a change; null: as many instances as wished run the artifact, healthy and alike
 * configured, every other one runs what it ran before, and all of them could be read. Written positively: whatever was
 * not read as wished is a stray.
 */
export function partialOf(observation: Observation, wish: Wish): Extract<Trouble, { code: 'partial' }> | null {
  const { target } = observation;
  const serving = observation.instances.filter((one) => one.role !== 'idle');
  const counted = serving.filter((one) => !wish.without.includes(one.id));
  const baselines = counted.filter((one) => one.role === 'baseline');
  const canaries = counted.filter((one) => one.role === 'canary');
  const fleet = wish.isBeside ? counted.filter((one) => one.role === 'stable') : without(counted, baselines);
  const carriers = wish.isBeside ? canaries : fleet;
  const excused = serving.filter(
    ({ id }) => wish.without.includes(id) && (wish.picked === null || wish.picked.includes(id)),
  );
  const all = fleet.length + serving.length - counted.length;
  const expected = fleet.length === 0 ? 0 : Math.max(0, instancesFor(wish.share, all) - excused.length);
  const running = carriers.filter((one) => one.digest === wish.digest && one.isHealthy).length;
  const fresh = baselines.filter((one) => one.digest === wish.baseline && one.isHealthy).length;
  const config = commonConfig(observation, wish.digest);
  const strays = counted.flatMap((one): Stray[] => {
    const is = strayOf(one, wish, config);
    return is === null ? [] : [{ id: one.id, target, region: one.region, digest: one.digest, is }];
  });
  const hasFleet = fleet.length > 0;
  const hasBaseline = wish.baseline === null || fresh >= expected;
  if (hasFleet && running >= expected && strays.length === 0 && hasBaseline) return null;
  return { code: 'partial', target, instances: strays, expected, running };
}

function strayOf(one: Instance, wish: Wish, config: string | null): Stray['is'] | null {
  if (one.digest === null) return 'unreadable';
  if (one.role === 'baseline' && wish.baseline === null) return 'left-behind';
  if (one.role === 'canary' && !wish.isCanary && !wish.isBeside) return 'left-behind';
  // Beside the old ones, the old ones are not to run it.
  const isCarrier = wish.isBeside ? one.role === 'canary' : one.role !== 'baseline';
  const isWished = one.digest === wish.digest && isCarrier;
  if (!isWished) {
    if (one.role === 'baseline') return one.digest === wish.baseline ? null : 'other-version';
    const isOther = wish.share === 1 || (wish.others !== null && one.digest !== wish.others);
    return isOther ? 'other-version' : null;
  }
  if (!one.isHealthy) return 'unhealthy';
  return config !== null && one.config !== config ? 'other-configuration' : null;
}

/**
 * The configuration checksum that the instances of a version should have: what the platform says, or else what most of
 * them have; null: none of them tells.
 */
export function commonConfig(observation: Observation, digest: string): string | null {
  if (observation.config !== null) return observation.config;
  const counts = new Map<string, number>();
  for (const { digest: runs, config } of observation.instances) {
    if (runs === digest && config !== null) counts.set(config, (counts.get(config) ?? 0) + 1);
  }
  const [first] = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return first?.[0] ?? null;
}

/** Several partial targets as one question: every stray by name. */
export function together(troubles: Trouble[]): Trouble | null {
  const partial = troubles.filter((one) => one.code === 'partial');
  const [first] = partial;
  if (!first || partial.length < troubles.length) return troubles[0] ?? null;
  return {
    ...first,
    instances: partial.flatMap((one) => one.instances),
    expected: partial.reduce((sum, one) => sum + one.expected, 0),
    running: partial.reduce((sum, one) => sum + one.running, 0),
  };
}

/** The instances of a target in groups of the same kind, for people. */
export function seenOf(observation: Observation, atMs: number): Seen {
  const groups = new Map<string, Seen['groups'][number]>();
  for (const { region, digest, role, isHealthy } of observation.instances) {
    const key = `${region}\n${digest}\n${role}`;
    const group = groups.get(key) ?? { region, digest, role, instances: 0, healthy: 0 };
    group.instances += 1;
    if (isHealthy) group.healthy += 1;
    groups.set(key, group);
  }
  return { atMs, groups: [...groups.values()] };
}

/** The instances of a target that a person decided to go on without. */
export function leftOut(rollout: Rollout, target: string): string[] {
  return rollout.without.filter((one) => one.target === target).map((one) => one.id);
}

function without<T>(all: T[], some: T[]): T[] {
  return all.filter((one) => !some.includes(one));
}
