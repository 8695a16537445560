import { normalTail } from './normal.ts';
import { rankSumDistribution } from './rank-sum.ts';
import { at, type Sorted } from './sorted.ts';

/** Which way a change is looked for. */
export type Direction = 'increase' | 'decrease' | 'either';

export type MannWhitney = {
  /** Pairs in which the canary's value is the larger one; a tie counts half. */
  u: number;
  /** How often chance alone gives a U like this or further out, by the direction that is asked. */
  p: Record<Direction, number>;
  /** The common-language effect size: the probability that a value of the canary is above one of the baseline. */
  cles: number;
};

/**
 * Up to so many values on both sides together the distribution is counted exactly. Beyond, the normal approximation is
 * good, and where it is not exact (far out) it errs on the careful side: the rank sum has lighter tails.
 */
export const MOST_EXACT = 20;

/**
 * The Mann-Whitney U test (Wilcoxon's rank-sum test): does the canary tend to larger or smaller values than the baseline?
 * Exact for small samples, otherwise the normal approximation with corrections for ties and for continuity, as in R's
 * `wilcox.test(canary, baseline)`. Hollander and Wolfe, "Nonparametric Statistical Methods", 4.1. When all values are the
 * same, nothing can be told: p is 1. Neither side may be empty.
 */
export function mannWhitney(baseline: Sorted, canary: Sorted): MannWhitney {
  const pairs = baseline.length * canary.length;
  const { u, ties, doubledRanks } = rank(baseline, canary);
  const size = baseline.length + canary.length;
  const p = size <= MOST_EXACT ? exact(doubledRanks, canary.length, u) : approximate(u, pairs, size, ties);
  return { u, cles: u / pairs, p };
}

/**
 * The standard deviation of U when nothing differs: `pairs` of `size` values, `ties` being the sum of t³ − t over groups of
 * t equal values.
 */
export function deviationOfU(pairs: number, size: number, ties: number): number {
  return Math.sqrt(Math.max(0, (pairs / 12) * (size + 1 - ties / (size * (size - 1)))));
}

function approximate(u: number, pairs: number, size: number, ties: number): Record<Direction, number> {
  const deviation = deviationOfU(pairs, size, ties);
  if (deviation === 0) return { increase: 1, decrease: 1, either: 1 };
  const distance = u - pairs / 2;
  const increase = normalTail((distance - 0.5) / deviation);
  const decrease = normalTail((-distance - 0.5) / deviation);
  return { increase, decrease, either: twice(increase, decrease) };
}

function exact(doubledRanks: readonly number[], chosen: number, u: number): Record<Direction, number> {
  const scale = doubledRanks.every((rank) => rank % 2 === 0) ? 2 : 1;
  const ranks = doubledRanks.map((rank) => rank / scale);
  const seen = (2 * u + chosen * (chosen + 1)) / scale;
  let [increase, decrease] = [0, 0];
  rankSumDistribution(ranks, chosen).forEach((share, sum) => {
    if (sum >= seen) increase += share;
    if (sum <= seen) decrease += share;
  });
  return { increase: Math.min(1, increase), decrease: Math.min(1, decrease), either: twice(increase, decrease) };
}

function twice(one: number, other: number): number {
  return Math.min(1, 2 * Math.min(one, other));
}

/** One pass over both sides in order: U, the ties, and every value's rank, doubled (only small samples need them). */
function rank(baseline: Sorted, canary: Sorted): { u: number; ties: number; doubledRanks: number[] } {
  const size = baseline.length + canary.length;
  const doubledRanks: number[] = [];
  let [before, after, u, ties] = [0, 0, 0, 0];
  while (before + after < size) {
    const isCanary = before === baseline.length || (after < canary.length && at(canary, after) < at(baseline, before));
    const value = isCanary ? at(canary, after) : at(baseline, before);
    const [fromBefore, fromAfter] = [before, after];
    while (before < baseline.length && at(baseline, before) === value) before += 1;
    while (after < canary.length && at(canary, after) === value) after += 1;
    const equal = before - fromBefore + after - fromAfter;
    u += (after - fromAfter) * (fromBefore + (before - fromBefore) / 2);
    ties += equal ** 3 - equal;
    if (size <= MOST_EXACT) {
      for (let one = 0; one < equal; one += 1) doubledRanks.push(2 * (fromBefore + fromAfter) + equal + 1);
    }
  }
  return { u, ties, doubledRanks };
}
