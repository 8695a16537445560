/** One measured value, or that nothing was measured at that time. */
export type Point = { atMs: number; value: number | null };

/** A picture of one signal, as plain JSON. Every word in it comes from whoever asks; all of them may be hostile. */
export type Chart = {
  title: string;
  unit: string;
  now: Point[];
  baseline: Point[];
  limit: { min?: number; max?: number };
  /** When the step changed something. */
  stepAtMs: number;
  verdict: { word: string; tone: 'good' | 'bad' | 'unclear' };
  words: {
    now: string;
    baseline: string;
    /** The limit in words; empty: there is none. */
    limit: string;
    step: string;
    /** Follows the time that lies between the step and the first look, where the axis does not go back so far. */
    earlier: string;
    missing: string;
    /** Said where the axis leaves 0 out. */
    cut: string;
  };
};

/** In pixels of the layout; the picture has `ZOOM` times as many, for screens that are read at arm's length. */
export const WIDTH = 600;
export const HEIGHT = 260;
export const ZOOM = 1.5;

/** More looks than a picture can tell apart are not drawn one by one; far more are not even read. */
export const MAX_POINTS = 20_000;

/** Beyond it the distance of two numbers may be no number any more; nobody measures that. */
const LARGEST = 1e150;

/** A finite number that can be drawn. */
export function isDrawable(value: number | null | undefined): value is number {
  return typeof value === 'number' && Math.abs(value) <= LARGEST;
}

/** Oldest first, at times that are times, values that are numbers; the newest `MAX_POINTS`. */
export function cleaned(points: Point[]): Point[] {
  return points
    .slice(-MAX_POINTS)
    .filter((one) => Number.isFinite(one.atMs))
    .map(({ atMs, value }) => ({ atMs, value: isDrawable(value) ? value : null }))
    .sort((a, b) => a.atMs - b.atMs);
}
