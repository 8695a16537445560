import type { Ground, Placed } from './ground.ts';

/** What the weights follow from. */
type Serving = Pick<Ground, 'split'> & { instances: Pick<Placed, 'id' | 'digest' | 'role' | 'isServing'>[] };

/**
 * How much of the traffic each serving instance gets: all of them together 1. Under a split the digest's instances share
 * its share, the baselines get as much as the canary where there is enough, and the others the rest. What nobody of a
 * group is there to take goes to the other groups.
 */
export function weightsOf({ split, instances }: Serving): Map<string, number> {
  const serving = instances.filter((one) => one.isServing);
  if (!split) return new Map(serving.map((one) => [one.id, 1 / serving.length]));
  const baselines = serving.filter((one) => one.role === 'baseline');
  const news = serving.filter((one) => one.digest === split.digest && one.role !== 'baseline');
  const others = serving.filter((one) => one.digest !== split.digest && one.role !== 'baseline');
  const ofBaselines = baselines.length > 0 ? Math.min(split.share, (1 - split.share) / 2) : 0;
  const groups = [
    { members: news, share: split.share },
    { members: baselines, share: ofBaselines },
    { members: others, share: 1 - split.share - ofBaselines },
  ].filter((group) => group.members.length > 0);
  const total = groups.reduce((sum, group) => sum + group.share, 0);
  return new Map(
    groups.flatMap(({ members, share }) => members.map((one) => [one.id, share / total / members.length] as const)),
  );
}

/** The same by digest, for those that can be read. */
export function weightsByDigest(ground: Serving): Record<string, number> {
  const byDigest: Record<string, number> = {};
  const weights = weightsOf(ground);
  for (const { id, digest } of ground.instances) {
    const weight = weights.get(id) ?? 0;
    if (digest !== null && weight > 0) byDigest[digest] = (byDigest[digest] ?? 0) + weight;
  }
  return byDigest;
}
