import { type InstanceRole, instancesFor } from '../target.ts';
import {
  acrossRegions,
  type Chain,
  type Ground,
  type NewId,
  type Placed,
  type Plan,
  usualCount,
  usualOnes,
  type Wish,
} from './ground.ts';

/** How many instances run the artifact afterwards. */
export function wantedCount(ground: Ground, wish: Wish): number {
  const count = usualCount(ground);
  if (wish.share === 1) return count;
  return Math.min(count, Math.max(instancesFor(wish.share, count), wish.instances?.length ?? 0));
}

/** The usual ones that are to run the artifact: those that were named, then those that run it already, then any. */
export function chosenOf(ground: Ground, wish: Wish): Placed[] {
  const named = new Set(wish.instances);
  const rank = (one: Placed) => (named.has(one.id) ? 0 : one.digest === wish.digest ? 1 : 2);
  const ranked = acrossRegions(usualOnes(ground)).sort((a, b) => rank(a) - rank(b));
  return ranked.slice(0, wantedCount(ground, wish));
}

/** The regions of `count` instances that are not there and should be. */
export function missingRegions(ground: Ground, present: Placed[], count: number): string[] {
  const left = Object.entries(ground.usual).flatMap(([region, usual]) => {
    const there = present.filter((one) => one.region === region).length;
    return Array.from({ length: Math.max(0, usual - there) }, () => ({ region }));
  });
  return acrossRegions(left)
    .slice(0, Math.max(0, count))
    .map((one) => one.region);
}

export function roleOf(wish: Wish): InstanceRole {
  return wish.isCanary ? 'canary' : 'stable';
}

/** It runs the artifact with the configuration of now. */
export function runsWished(ground: Ground, wish: Wish, one: Placed): boolean {
  return one.isHealthy && one.digest === wish.digest && one.config === ground.config;
}

export function removal(one: Placed, drainMs: number): Chain {
  return one.isServing
    ? [
        { do: 'drain', id: one.id, drainMs },
        { do: 'stop', id: one.id },
      ]
    : [{ do: 'stop', id: one.id }];
}

/** On the same instance: its id stays. */
export function inPlace(ground: Ground, wish: Wish, one: Placed): Chain {
  const { id } = one;
  if (runsWished(ground, wish, one)) return [{ do: 'admit', id }];
  const { digest, strategy } = wish;
  return [
    ...(strategy.is === 'symlink' ? [{ do: 'link', id, digest } as const] : []),
    ...(one.isServing ? [{ do: 'drain', id, drainMs: strategy.drainMs } as const] : []),
    { do: 'restart', id, digest, role: roleOf(wish) },
    { do: 'admit', id },
  ];
}

/** A new instance first, then the old one goes. */
export function swap(wish: Wish, one: Placed, newId: NewId): Chain {
  return [...fresh(wish, one.region, newId, false), ...removal(one, wish.strategy.drainMs)];
}

/** A new instance that serves. */
export function fresh(wish: Wish, region: string, newId: NewId, isBeside: boolean): Chain {
  const id = newId(region);
  return [
    { do: 'start', id, region, digest: wish.digest, role: roleOf(wish), isBeside },
    { do: 'admit', id },
  ];
}

/** Baselines of an earlier step end; those of this one are started anew: as many as the canary, in the same regions. */
export function freshBaselines(wish: Wish, canary: { region: string }[], newId: NewId): Chain[] {
  const digest = wish.baseline;
  if (digest === null) return [];
  return canary.map(({ region }) => {
    const id = newId(region);
    return [
      { do: 'start', id, region, digest, role: 'baseline', isBeside: true },
      { do: 'admit', id },
    ];
  });
}

/** What an earlier change left beside the usual ones, but for what `stays`. */
export function clearing(ground: Ground, wish: Wish, stays: (one: Placed) => boolean): Chain[] {
  const usual = new Set(usualOnes(ground));
  const extra = ground.instances.filter((one) => !usual.has(one) && !stays(one));
  return extra.map((one) => removal(one, wish.strategy.drainMs));
}

/** The label of what stays as it is: a canary that has become one of all, or the other way round. */
export function relabelling(ground: Ground, wish: Wish, among: Placed[], chosen: Placed[]): Chain[] {
  // What does not run the artifact yet is no canary before it does.
  const canary = new Set(wish.isCanary ? chosen.filter((one) => runsWished(ground, wish, one)) : []);
  return among.flatMap((one) => {
    const role = canary.has(one) ? 'canary' : 'stable';
    return one.role === role ? [] : [[{ do: 'label', id: one.id, role }]];
  });
}

/** Without the batches in which nothing happens. */
export function planOf(batches: Plan): Plan {
  return batches.map((batch) => batch.filter((chain) => chain.length > 0)).filter((batch) => batch.length > 0);
}
