import { fTail } from './beta.ts';
import { median } from './percentile.ts';
import { mean, type Sorted } from './sorted.ts';

export type BrownForsythe = {
  /** How often chance alone gives spreads that differ so. */
  p: number;
  /** The canary's spread over the baseline's (mean distance from the median); null: the baseline has none. */
  ratio: number | null;
};

/**
 * Do two samples spread alike, wherever their middles lie? The analysis of variance of the distances from each side's median:
 * Brown and Forsythe, "Robust tests for the equality of variances" (1974). R: `car::leveneTest(center = median)`.
 */
export function brownForsythe(baseline: Sorted, canary: Sorted): BrownForsythe {
  const before = distances(baseline);
  const after = distances(canary);
  const [m, n] = [before.length, after.length];
  const [meanBefore, meanAfter] = [mean(before), mean(after)];
  const between = ((m * n) / (m + n)) * (meanBefore - meanAfter) ** 2;
  const within = (squares(before, meanBefore) + squares(after, meanAfter)) / (m + n - 2);
  const ratio = meanBefore === 0 ? (meanAfter === 0 ? 1 : null) : meanAfter / meanBefore;
  if (between === 0) return { p: 1, ratio };
  return { p: fTail(between / within, 1, m + n - 2), ratio };
}

function distances(values: Sorted): Float64Array {
  const middle = median(values);
  return values.map((value) => Math.abs(value - middle));
}

function squares(values: Float64Array, around: number): number {
  let sum = 0;
  for (const value of values) sum += (value - around) ** 2;
  return sum;
}
