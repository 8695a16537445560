import type { Json } from '../json.ts';

/** A measured value is fine within its bounds; both ends are optional, one must be given. Values in the signal's own unit. */
export type Bound = { min?: number; max?: number };

/**
 * One named measure and what it means. `threshold`: bounds on one number. `check`: 1 passed, 0 failed.
 * `requests`: a floor of traffic (healthyWhen.min); below it the step waits, it neither passes nor fails.
 */
export type Signal = {
  name: string;
  kind: 'threshold' | 'check' | 'requests';
  /** The name of a configured source, and what to ask it: opaque here, checked by the source's own schema. */
  source: string;
  query: Json;
  healthyWhen: Bound;
  /** Outside `healthyWhen` and not within `degradedWhen`: inconclusive. Absent: whatever is not healthy is degraded. */
  degradedWhen: Bound | null;
  /** `critical` alone decides; `scored` adds its weight; `observe` is shown and never decides. */
  role: 'critical' | 'scored' | 'observe';
  weight: number;
  /** Degraded counts when `failures` of the last `of` measurements were. */
  failures: number;
  of: number;
  /** Fewer samples than this behind the number: inconclusive. */
  minSamples: number;
  /** Older than this when it is judged: an error, never a pass. */
  maxAgeMs: number;
  /** `%`, `ms`, `req` …: for display only. */
  unit: string;
};

/** Why there is no number. */
export type Missing =
  | 'no-data'
  | 'not-a-number'
  | 'many-series'
  | 'partial'
  | 'stale'
  | 'unreachable'
  | 'bad-query'
  | 'bad-answer';

/** What a source answered for one signal: a finite number with its samples and time, or why there is none. */
export type Measurement = { signal: string; link: string | null } & (
  | { value: number; samples: number | null; takenAtMs: number }
  | { value: null; missing: Missing; detail: string }
);
