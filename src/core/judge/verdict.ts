import type { Series } from './series.ts';
import type { Measurement, Missing, Neighbour } from './signal.ts';

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
  /** Bad before the step already, and more than twice as far beyond its limit now. */
  | 'worse-than-before'
  | 'no-before'
  /** `compare`, `rate`: no difference that counts; one that does, to the worse; in the better direction. */
  | 'no-difference'
  | 'worse'
  /** Worse, but not so surely that it could be acted upon before the end of the bake. */
  | 'worse-so-far'
  | 'better'
  /** Equal in the middle, but more or less spread than the baseline. */
  | 'spread-changed'
  | 'no-baseline'
  /** `alert`: nothing fires that did not fire before; something does. */
  | 'quiet'
  | 'firing'
  | Missing;

/** One signal explained: what was measured before and now, against which limit, on how many samples. */
export type SignalVerdict = {
  signal: string;
  verdict: Verdict;
  reason: VerdictReason;
  role: 'critical' | 'scored' | 'observe';
  /** Whose signal it is; null: the service's own. */
  neighbour: Neighbour | null;
  group: string | null;
  now: number | null;
  /** What was measured before the step began. */
  before: number | null;
  /** `compare`, `rate`: what it is held against now, and the samples behind that. */
  baseline: number | null;
  baselineSamples: number | null;
  /** The probability of such a difference by chance, adjusted where many are looked at together; null: not compared. */
  p: number | null;
  /** The relative shift from the baseline, 0.2 is 20 % up; null: not compared, or nothing to relate it to. */
  shift: number | null;
  /** The distance from the baseline in the signal's unit, between which bounds it is believed; null: not compared. */
  interval: { low: number; high: number } | null;
  /** The probability that a sample is above one of the baseline; null: not compared, or a rate. */
  effect: number | null;
  /** So few samples that the comparison says little. */
  isWeak: boolean;
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
  /** By signal name, `compare` on a source without a memory: one number a look on each side, bounded. */
  series: Record<string, Series>;
};
