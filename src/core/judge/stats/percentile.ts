import { at, type Sorted } from './sorted.ts';

/**
 * The value below which `share` (0 to 1) of the sample lies, interpolated: type 7 of Hyndman and Fan, "Sample quantiles in
 * statistical packages" (1996), which R, NumPy and spreadsheets use by default. NaN for no values.
 */
export function percentile(values: Sorted, share: number): number {
  if (values.length === 0) return Number.NaN;
  const position = (values.length - 1) * Math.min(1, Math.max(0, share));
  const below = Math.floor(position);
  const above = Math.min(below + 1, values.length - 1);
  const low = at(values, below);
  return low + (position - below) * (at(values, above) - low);
}

export function median(values: Sorted): number {
  return percentile(values, 0.5);
}
