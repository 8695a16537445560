import { hypergeometricTails } from './hypergeometric.ts';
import type { Direction } from './mann-whitney.ts';
import { normalQuantile, normalTail } from './normal.ts';

/** Two counts: how many of how many. */
export type Rate = { failed: number; total: number };

/**
 * The smallest count that chance would put in one of the four cells, from which the two-proportion test takes over. Below,
 * Fisher's test is exact and costs about a thousand terms at most; from here on it would cost more with every count, while
 * the normal approximation is within a twentieth of its p, down to p = 0.001, even for a canary of 1 %. At a tenth of this
 * it is still off by a seventh, and on the side of false alarms.
 */
export const ENOUGH_EXPECTED = 10_000;

/**
 * Does the canary fail more, or less, often than the baseline? Fisher's exact test (1935) on small counts, the two-proportion
 * z test with pooled variance and Yates' correction (1934) beyond. Two-sided is twice the smaller side. Totals above 0,
 * failures from 0 to the total. A rank test would not see sparse errors: most of its samples are 0 on both sides.
 */
export function rateTest(baseline: Rate, canary: Rate): Record<Direction, number> {
  const failed = baseline.failed + canary.failed;
  const size = baseline.total + canary.total;
  const passed = size - failed;
  if (failed === 0 || passed === 0) return { increase: 1, decrease: 1, either: 1 };
  const expected = (Math.min(failed, passed) * Math.min(baseline.total, canary.total)) / size;
  const { increase, decrease } =
    expected < ENOUGH_EXPECTED ? fisher(baseline, canary) : twoProportion(baseline, canary);
  return { increase, decrease, either: Math.min(1, 2 * Math.min(increase, decrease)) };
}

export function fisher(baseline: Rate, canary: Rate): { increase: number; decrease: number } {
  const marked = baseline.failed + canary.failed;
  const unmarked = baseline.total + canary.total - marked;
  const { atLeast, atMost } = hypergeometricTails(canary.failed, { marked, unmarked, drawn: canary.total });
  return { increase: atLeast, decrease: atMost };
}

export function twoProportion(baseline: Rate, canary: Rate): { increase: number; decrease: number } {
  const pooled = (baseline.failed + canary.failed) / (baseline.total + canary.total);
  const inverse = 1 / baseline.total + 1 / canary.total;
  const deviation = Math.sqrt(pooled * (1 - pooled) * inverse);
  const difference = canary.failed / canary.total - baseline.failed / baseline.total;
  return {
    increase: normalTail((difference - inverse / 2) / deviation),
    decrease: normalTail((-difference - inverse / 2) / deviation),
  };
}

/**
 * The difference of the rates, canary − baseline, with its confidence interval: Newcombe, "Interval estimation for the
 * difference between independent proportions" (1998), method 10, which combines Wilson's intervals and is good at rates
 * near 0.
 */
export function rateDifference(baseline: Rate, canary: Rate, confidence: number) {
  const z = normalQuantile((1 - confidence) / 2);
  const [before, after] = [wilson(baseline, z), wilson(canary, z)];
  const shift = after.rate - before.rate;
  return {
    shift,
    interval: {
      low: shift - Math.hypot(after.rate - after.low, before.high - before.rate),
      high: shift + Math.hypot(after.high - after.rate, before.rate - before.low),
    },
  };
}

function wilson({ failed, total }: Rate, z: number): { rate: number; low: number; high: number } {
  const rate = failed / total;
  const square = (z * z) / total;
  const middle = (rate + square / 2) / (1 + square);
  const reach = (z * Math.sqrt((rate * (1 - rate)) / total + square / (4 * total))) / (1 + square);
  return { rate, low: middle - reach, high: middle + reach };
}
