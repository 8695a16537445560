import type { ChartPoint } from '../core/chart.ts';
import { place, type Scale } from './scale.ts';

/** Points that were measured without interruption, oldest first. */
export type Run = { atMs: number; value: number }[];

/** How many of the usual distances between two looks may pass before the line is interrupted: nobody looked. */
const UNWATCHED = 3;

/** The points in runs that were measured without interruption, each kept to about two points a column of the picture. */
export function runsOf(points: ChartPoint[], x: Scale): Run[] {
  const usualMs = median(points.slice(1).map((one, index) => one.atMs - (points[index]?.atMs ?? 0)));
  const runs: Run[] = [];
  let run: Run = [];
  let lastMs: number | null = null;
  for (const { atMs, value } of points) {
    const isInterrupted = lastMs !== null && usualMs > 0 && atMs - lastMs > UNWATCHED * usualMs;
    if ((value === null || isInterrupted) && run.length > 0) {
      runs.push(run);
      run = [];
    }
    if (value !== null) run.push({ atMs, value });
    lastMs = atMs;
  }
  if (run.length > 0) runs.push(run);
  return runs.map((one) => thinned(one, x));
}

/** The lowest and the highest of each column, in their order: no peak is lost, however many points there are. */
function thinned(run: Run, x: Scale): Run {
  if (run.length <= Math.abs(x.to - x.from)) return run;
  const columns = new Map<number, Run>();
  for (const point of run) {
    const column = Math.floor(place(x, point.atMs));
    const [low, high] = columns.get(column) ?? [point, point];
    columns.set(column, [
      low && low.value <= point.value ? low : point,
      high && high.value >= point.value ? high : point,
    ]);
  }
  return [...columns.values()].flatMap((ends) => ends.toSorted((a, b) => a.atMs - b.atMs));
}

function median(values: number[]): number {
  const sorted = values.filter((one) => one > 0).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
