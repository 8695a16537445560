import type { Rate } from '../../../src/core/judge/stats/rate-test.ts';

/** Numbers from a seed: the same every time (mulberry32). From 0 up to 1. */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal number (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** How many happen when `mean` are to be expected. */
export function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count += 1;
  return count;
}

/** Failures out of `total` requests that each fail with `share`. */
export function failures(random: Random, total: number, share: number): Rate {
  // From one failure to the next: the gaps of rare events are geometric.
  let failed = -1;
  for (let at = 0; at <= total; failed += 1) at += 1 + Math.floor(Math.log(1 - random()) / Math.log1p(-share));
  return { failed, total };
}

/** One way in which a healthy service's numbers are spread; `level` is where they lie. */
export type Shape = (random: Random, level: number) => number;

/** What services measure: steady, skewed with a long tail, small counts with many ties, mostly zero. */
export const SHAPES: Record<string, Shape> = {
  steady: (random, level) => level * (1 + 0.1 * normal(random)),
  noisy: (random, level) => level * (1 + 0.3 * normal(random)),
  skewed: (random, level) => level * Math.exp(0.5 * normal(random)),
  counts: (random, level) => poisson(random, 3 * level),
  sparse: (random, level) => (random() < 0.1 * level ? 1 : 0),
};

export function series(random: Random, shape: Shape, level: number, points: number): number[] {
  return Array.from({ length: points }, () => shape(random, level));
}
