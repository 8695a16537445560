import { formatDuration } from '../core/duration.ts';

/** A range of values and where it lies in the picture. `from` and `to` are in pixels; `to` may be the smaller one. */
export type Scale = { min: number; max: number; from: number; to: number };

export function place(scale: Scale, value: number): number {
  const share = (value - scale.min) / (scale.max - scale.min);
  return scale.from + share * (scale.to - scale.from);
}

/** A limit that would press the lines into less than this share of the height is said in words and not drawn. */
const ROOM_FOR_LINES = 0.25;
/** Values that differ by less than this share of themselves may leave 0 out, which is then said: 99.95 % of 100 %. */
const CLOSE = 0.2;
const MARGIN = 0.08;

/**
 * The range of the value axis: from 0, unless all values lie so close together far from it that nothing would be seen.
 * A limit within reach is part of it.
 */
export function valueRange(values: number[], limits: number[]): { min: number; max: number; isCut: boolean } {
  const reachable = values.length === 0 ? limits : limits.filter((limit) => isWithinReach(values, limit));
  const all = [...values, ...reachable];
  if (all.length === 0) return { min: 0, max: 1, isCut: false };
  const low = all.reduce((a, b) => Math.min(a, b));
  const high = all.reduce((a, b) => Math.max(a, b));
  const farthest = Math.max(Math.abs(low), Math.abs(high));
  const isCut = (low > 0 || high < 0) && high - low < CLOSE * farthest && high - low > 0;
  const min = isCut ? low : Math.min(0, low);
  const max = isCut ? high : Math.max(0, high);
  if (min === max) return { min, max: min + 1, isCut: false };
  const margin = (max - min) * MARGIN;
  return {
    min: isCut || min < 0 ? min - margin : min,
    max: isCut || max > 0 ? max + margin : max,
    isCut,
  };
}

/** False: drawn to the same scale, the limit would leave the lines no room. */
export function isWithinReach(values: number[], limit: number): boolean {
  if (values.length === 0) return true;
  const extent = (of: number[]) => of.reduce((a, b) => Math.max(a, b), 0) - of.reduce((a, b) => Math.min(a, b), 0);
  const spread = extent(values);
  return spread === 0 || spread >= ROOM_FOR_LINES * extent([...values, limit]);
}

/** Three to six round values within the range: 1, 2 or 5 times a power of ten apart. */
export function valueTicks(min: number, max: number): number[] {
  const rough = (max - min) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(min / step); index * step <= max && ticks.length < 8; index += 1) ticks.push(index * step);
  return ticks;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ROUND_MS = [1, 2, 5, 10, 15, 30]
  .map((one) => one * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((one) => one * MINUTE))
  .concat([1, 2, 3, 6, 12].map((one) => one * HOUR))
  .concat([1, 2, 7, 14, 30, 90, 365, 3650].map((one) => one * DAY));

/** Round times before and after the step, at most `most` of them, each with its label: `−5 min`, `0`, `10 min`. */
export function timeTicks(minMs: number, maxMs: number, stepAtMs: number, most: number) {
  const stepMs = ROUND_MS.find((one) => (maxMs - minMs) / one <= most) ?? Math.ceil((maxMs - minMs) / DAY) * DAY;
  const ticks: { atMs: number; label: string }[] = [];
  const first = Math.ceil((minMs - stepAtMs) / stepMs);
  for (let index = first; stepAtMs + index * stepMs <= maxMs && ticks.length < 12; index += 1) {
    const apart = formatDuration(Math.abs(index * stepMs));
    ticks.push({ atMs: stepAtMs + index * stepMs, label: index === 0 ? '0' : `${index < 0 ? '−' : ''}${apart}` });
  }
  return ticks;
}

/**
 * Three digits that mean something, more where the axis tells more apart (`digits` after the point), and never a row of
 * zeros: `0.0312`, `99.95`, `1,240`, `1.2M`, `3e-7`.
 */
export function formatValue(value: number, digits = 0): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.0005 || size >= 1e15)) return value.toExponential(1).replace('e+', 'e');
  if (size >= 100_000) return value.toLocaleString('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
  const meant = size === 0 ? 0 : 2 - Math.floor(Math.log10(size));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(8, Math.max(digits, meant, 0)) });
}

/** As few digits as tell the ticks of one axis apart. */
export function formatTicks(ticks: number[]): string[] {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0));
  const largest = ticks.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  if (largest >= 100_000 || (largest < 0.0005 && largest > 0)) return ticks.map(formatValue);
  const digits = Math.min(10, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
  return ticks.map((one) =>
    one.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
}
