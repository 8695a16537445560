import type { Measured } from './signal.ts';

/** The numbers of one side, one a look, the newest last, and when the last of them was taken. */
export type Line = { values: number[]; takenAtMs: number | null };

/** What is remembered of a compared signal whose source has no memory. */
export type Series = { now: Line; baseline: Line };

/** A bake of four hours at a look a minute; what is older says little of what is now. */
const LONGEST = 240;

/** Two numbers whose times overlap by less than a tenth are as good as apart: instances are not read at the same moment. */
const APART = 0.9;

/**
 * The series with this look in it. A number that was seen before is not a second sample, nor is one about the same time as
 * the last (a rate over thirty seconds, ten seconds later); nor is one that is kept elsewhere.
 */
export function watched(series: Series | null, measured: Measured, control: Measured): Series {
  return { now: extended(series?.now, measured), baseline: extended(series?.baseline, control) };
}

function extended(
  line: Line = { values: [], takenAtMs: null },
  { value, takenAtMs, overMs = 0, points }: Measured,
): Line {
  const sinceLastMs = takenAtMs - (line.takenAtMs ?? Number.NEGATIVE_INFINITY);
  const isNew = sinceLastMs > 0 && sinceLastMs >= APART * overMs;
  if (points !== undefined || !isNew || !Number.isFinite(value)) return line;
  return { values: [...line.values, value].slice(-LONGEST), takenAtMs };
}
