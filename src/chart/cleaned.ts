import type { ChartPoint } from '../core/chart.ts';

/** More looks than a picture can tell apart are not drawn one by one; far more are not even read. */
const MAX_POINTS = 20_000;

/** Beyond it the distance of two numbers may be no number any more; nobody measures that. */
const LARGEST = 1e150;

/** A finite number that can be drawn. */
export function isDrawable(value: number | null | undefined): value is number {
  return typeof value === 'number' && Math.abs(value) <= LARGEST;
}

/** Oldest first, at times that are times, values that are numbers; the newest `MAX_POINTS`. */
export function cleaned(points: ChartPoint[]): ChartPoint[] {
  return points
    .slice(-MAX_POINTS)
    .filter((one) => Number.isFinite(one.atMs))
    .map(({ atMs, value }) => ({ atMs, value: isDrawable(value) ? value : null }))
    .sort((a, b) => a.atMs - b.atMs);
}
