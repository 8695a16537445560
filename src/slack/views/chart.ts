/** One measured value, or that nothing was measured at that time. */
export type ChartPoint = { atMs: number; value: number | null };

/** What a picture of one signal shows, as plain JSON; whoever draws it takes every word as it is. */
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
    /** Empty: there is no limit. */
    limit: string;
    step: string;
    earlier: string;
    missing: string;
    cut: string;
  };
};
