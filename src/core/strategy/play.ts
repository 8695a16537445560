import { assertNever } from '../assert.ts';
import type { Capacity, InstanceRole } from '../target.ts';
import { type Chain, type Ground, type Move, type Placed, type Planned, usualCount } from './ground.ts';
import { movesFor } from './moves-for.ts';

/** The ground after one move, as it goes when nothing fails. */
export function play(ground: Ground, move: Move): Ground {
  const change = (id: string, part: Partial<Placed>): Ground => ({
    ...ground,
    instances: ground.instances.map((one) => (one.id === id ? { ...one, ...part } : one)),
  });
  const { config } = ground;
  switch (move.do) {
    case 'start': {
      const { id, region, digest, role, isBeside } = move;
      const started = { id, region, digest, config, role, isBeside, isHealthy: true, isServing: false };
      return { ...ground, instances: [...ground.instances, started] };
    }
    case 'link':
      return ground;
    case 'restart':
      return change(move.id, { digest: move.digest, config, role: move.role, isHealthy: true, isServing: false });
    case 'admit':
      return change(move.id, { isServing: true });
    case 'drain':
      return change(move.id, { isServing: false });
    case 'stop':
      return { ...ground, instances: ground.instances.filter((one) => one.id !== move.id) };
    case 'label':
      return change(move.id, { role: move.role });
    case 'split':
      return { ...ground, split: move.split };
    case 'switch':
      return { ...ground, split: null, instances: ground.instances.map((one) => switched(one, move.to)) };
    default:
      return assertNever(move, 'This move');
  }
}

function switched(one: Placed, to: string[]): Placed {
  const serves = to.includes(one.id);
  const role: InstanceRole = serves ? 'stable' : 'idle';
  return { ...one, role, isServing: serves, isBeside: false };
}

/** How much serves now, and how much will at least while this change is carried out. */
export function capacityOf(
  target: string,
  ground: Ground,
  change: Pick<Parameters<typeof movesFor>[1], 'share' | 'strategy'>,
): Capacity {
  const there = ground.instances.filter((one) => one.role !== 'idle');
  const serving = servingOf(ground);
  // Of a version that runs nowhere yet: nothing can be left as it is.
  const wish = { ...change, digest: '', instances: null, isCanary: false, baseline: null, isWayBack: false };
  let made = 0;
  const planned = movesFor(ground, wish, () => `planned ${++made}`);
  return {
    target,
    instances: Math.max(there.length, usualCount(ground)),
    serving,
    servingDuring: leastServing(ground, planned),
  };
}

/** The fewest that serve at any time, whatever order the chains of a batch take. */
export function leastServing(ground: Ground, planned: Planned): number {
  let least = servingOf(ground);
  if ('impossible' in planned) return least;
  let now = ground;
  for (const batch of planned.plan) {
    const before = servingOf(now);
    const losses = batch.map((chain) => before - lowestOf(now, chain));
    least = Math.min(least, before - losses.reduce((sum, loss) => sum + loss, 0));
    for (const move of batch.flat()) now = play(now, move);
  }
  return Math.max(0, least);
}

function lowestOf(ground: Ground, chain: Chain): number {
  let lowest = servingOf(ground);
  let now = ground;
  for (const move of chain) {
    now = play(now, move);
    lowest = Math.min(lowest, servingOf(now));
  }
  return lowest;
}

function servingOf(ground: Ground): number {
  return ground.instances.filter((one) => one.isServing).length;
}

/**
 * How much of the traffic each serving instance gets: all of them together 1. Under a split the digest's instances share
 * its share, the baselines get as much as the canary where there is enough, and the others the rest.
 */
export function weightsOf(
  ground: Pick<Ground, 'split'> & { instances: Pick<Placed, 'id' | 'digest' | 'role' | 'isServing'>[] },
): Map<string, number> {
  const serving = ground.instances.filter((one) => one.isServing);
  const { split } = ground;
  if (!split) return new Map(serving.map((one) => [one.id, 1 / serving.length]));
  const isNew = (one: Pick<Placed, 'digest' | 'role'>) => one.digest === split.digest && one.role !== 'baseline';
  const groups = [
    { members: serving.filter(isNew), share: split.share },
    { members: serving.filter((one) => one.role === 'baseline'), share: Math.min(split.share, (1 - split.share) / 2) },
    { members: serving.filter((one) => !isNew(one) && one.role !== 'baseline'), share: 0 },
  ];
  const [news, baselines, others] = groups;
  if (news && baselines && others) {
    others.share = 1 - news.share - (baselines.members.length > 0 ? baselines.share : 0);
  }
  const present = groups.filter((group) => group.members.length > 0);
  const total = present.reduce((sum, group) => sum + group.share, 0);
  return new Map(
    present.flatMap(({ members, share }) =>
      members.map((one): [string, number] => [one.id, total > 0 ? share / total / members.length : 1 / serving.length]),
    ),
  );
}

/** The same by digest, for those that can be read. */
export function weightsByDigest(ground: Parameters<typeof weightsOf>[0]): Record<string, number> {
  const byDigest: Record<string, number> = {};
  const weights = weightsOf(ground);
  for (const { id, digest } of ground.instances) {
    const weight = weights.get(id) ?? 0;
    if (digest !== null && weight > 0) byDigest[digest] = (byDigest[digest] ?? 0) + weight;
  }
  return byDigest;
}
