import { deviationOfU, MOST_EXACT } from './mann-whitney.ts';
import { normalQuantile } from './normal.ts';
import { kthDifference, medianDifference } from './pairwise.ts';
import { rankSumDistribution } from './rank-sum.ts';
import { at, type Sorted } from './sorted.ts';

/** How far the canary lies from the baseline, in the signal's own unit, and between which bounds that is believed. */
export type Shift = { shift: number; interval: { low: number; high: number } };

/**
 * The Hodges-Lehmann estimate: the median of all differences canary − baseline, with its confidence interval (two-sided;
 * Hollander and Wolfe, 4.2 and 4.3; R's `wilcox.test(conf.int = TRUE)`). Bounds are differences that occur, found by their
 * rank: there is no root search, hence no tolerance that would mean one thing for 2e-5 and another for 20.
 */
export function hodgesLehmann(baseline: Sorted, canary: Sorted, confidence: number): Shift {
  const pairs = baseline.length * canary.length;
  const rank = Math.max(1, boundRank(baseline, canary, (1 - confidence) / 2));
  return {
    shift: medianDifference(baseline, canary),
    interval: {
      low: kthDifference(baseline, canary, rank),
      high: kthDifference(baseline, canary, pairs + 1 - rank),
    },
  };
}

/** The rank of the difference beyond which a shift would be rejected with probability `share`; below 1 there is none. */
function boundRank(baseline: Sorted, canary: Sorted, share: number): number {
  const [m, n] = [baseline.length, canary.length];
  if (m + n <= MOST_EXACT) {
    const ranks = Array.from({ length: m + n }, (_, index) => index + 1);
    const least = (n * (n + 1)) / 2;
    let [sum, u] = [0, 0];
    for (const chance of rankSumDistribution(ranks, n).subarray(least)) {
      sum += chance;
      if (sum > share) break;
      u += 1;
    }
    return u;
  }
  // Once one side is shifted, only equal values of the same side are still ties.
  const deviation = deviationOfU(m * n, m + n, tiesWithin(baseline) + tiesWithin(canary));
  return Math.floor((m * n) / 2 - 0.5 - normalQuantile(share) * deviation) + 1;
}

function tiesWithin(values: Sorted): number {
  let ties = 0;
  for (let from = 0; from < values.length; ) {
    let to = from + 1;
    while (to < values.length && at(values, to) === at(values, from)) to += 1;
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  return ties;
}
