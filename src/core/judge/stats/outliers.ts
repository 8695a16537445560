import { percentile } from './percentile.ts';
import { sorted } from './sorted.ts';

/**
 * Which values lie beyond `factor` interquartile ranges from the quartiles (Tukey, "Exploratory Data Analysis", 1977: 1.5
 * is outside, 3 is far out). In the order of the input. Nothing is removed by this: an outlier may be the harm itself.
 */
export function outliers(values: readonly number[], factor: number): boolean[] {
  const ordered = sorted(values);
  const low = percentile(ordered, 0.25);
  const high = percentile(ordered, 0.75);
  const reach = factor * (high - low);
  return values.map((value) => value < low - reach || value > high + reach);
}
