import type { Measurement, Missing } from './signal.ts';

/**
 * `inconclusive`: measured, cannot tell: hold and look again. `error`: could not measure: hold, look again with
 * back-off, counted apart. Only `healthy` promotes.
 */
export type Verdict = 'healthy' | 'degraded' | 'inconclusive' | 'error';

/** Why a signal was judged so; sentences are made where they are shown. */
export type VerdictReason =
  | 'within-bounds'
  | 'out-of-bounds'
  | 'between-bounds'
  | 'too-few-failures'
  | 'too-few-samples'
  | 'too-little-traffic'
  | 'already-bad-before'
  | 'no-before'
  | Missing;

/** One signal explained: what was measured before and now, against which limit, on how many samples. */
export type SignalVerdict = {
  signal: string;
  verdict: Verdict;
  reason: VerdictReason;
  role: 'critical' | 'scored' | 'observe';
  now: number | null;
  before: number | null;
  limit: string;
  unit: string;
  samples: number | null;
  takenAtMs: number | null;
  link: string | null;
  detail: string;
};

/** A whole step's judgement at one time. */
export type Judgement = { verdict: Verdict; score: number | null; atMs: number; signals: SignalVerdict[] };

/** What a step remembers of its signals between judgements; plain JSON, bounded by each signal's `of`. */
export type SignalMemory = {
  /** By signal name: what was measured before the step began. */
  before: Record<string, Measurement>;
  /** By signal name: the newest last, at most `of` of them. `bad`: measured and degraded on its own. */
  recent: Record<string, ('good' | 'bad' | 'unclear' | 'missing')[]>;
};
