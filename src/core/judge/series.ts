import type { Measured } from './signal.ts';

/** The numbers of one side, one a look, the newest last, and when the last of them was taken. */
export type Line = { values: number[]; takenAtMs: number | null };

/** What is remembered of a compared signal whose source has no memory. */
export type Series = { now: Line; baseline: Line };

/** A bake of four hours at a look a minute; what is older says little of what is now. */
const LONGEST = 240;

/** The series with this look in it. A number that was seen before is not a second sample; nor is one that is kept elsewhere. */
export function watched(series: Series | null, measured: Measured, control: Measured): Series {
  return { now: extended(series?.now, measured), baseline: extended(series?.baseline, control) };
}

function extended(line: Line = { values: [], takenAtMs: null }, { value, takenAtMs, points }: Measured): Line {
  const isNew = line.takenAtMs === null || takenAtMs > line.takenAtMs;
  if (points !== undefined || !isNew || !Number.isFinite(value)) return line;
  return { values: [...line.values, value].slice(-LONGEST), takenAtMs };
}
