/** One measured value, or that nothing was measured at that time. */
export type ChartPoint = { atMs: number; value: number | null };

/**
 * What a picture of one signal shows, as plain JSON: made by the views, drawn by whoever draws. Every word comes along, and
 * all of them may be hostile.
 */
export type Chart = {
  title: string;
  unit: string;
  now: ChartPoint[];
  baseline: ChartPoint[];
  limit: { min?: number; max?: number };
  /** When the step was in place. */
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
