import type { Json } from '../json.ts';

/** A measured value is fine within its bounds; both ends are optional, one must be given. Values in the signal's own unit. */
export type Bound = { min?: number; max?: number };

/**
 * What a `compare` or `rate` is held against. `fresh`: instances of the old version that were started together with the
 * canary. `current`: those that still run the old version, at the same time. `last-good`: the last good rollout of the
 * same step, after as much time. `earlier`: the same hours of earlier days. The last two need a source that remembers.
 */
export type Baseline = { is: 'fresh' } | { is: 'current' } | { is: 'last-good' } | { is: 'earlier'; daysAgo: number[] };

/** When a difference counts; every number is really used. */
export type Comparison = {
  /** The direction in which a difference is harm. */
  direction: 'increase' | 'decrease' | 'either';
  /** A relative shift up to this is none: 0.1 is 10 %. */
  tolerance: number;
  /** 0.95 is 95 %. */
  confidence: number;
  /** The smallest common-language effect size, 0.5 to 1, that counts. */
  minEffect: number;
  /** A changed spread with equal medians: degraded, or only said. */
  spread: 'decides' | 'observed';
};

/** A service beside this one: it calls us (upstream), or we call it (downstream). */
export type Neighbour = { service: string; is: 'upstream' | 'downstream' };

/**
 * One named measure and what it means. `threshold`: bounds on one number. `compare`: canary against a baseline. `rate`:
 * failures out of requests, against a baseline's. `alert`: any alert that matches and did not fire before the step.
 * `check`: 1 passed, 0 failed. `requests`: a floor of traffic (healthyWhen.min); below it the step waits, it neither
 * passes nor fails.
 */
export type Signal = {
  name: string;
  kind: 'threshold' | 'compare' | 'rate' | 'alert' | 'check' | 'requests';
  /** The neighbour whose signal it is; null: the service's own. */
  neighbour: Neighbour | null;
  /** The name of a configured source, and what to ask it: opaque here, checked by the source's own schema. */
  source: string;
  query: Json;
  healthyWhen: Bound;
  /** Outside `healthyWhen` and not within `degradedWhen`: inconclusive. Absent: whatever is not healthy is degraded. */
  degradedWhen: Bound | null;
  /** `compare` and `rate` only. */
  baseline: Baseline | null;
  comparison: Comparison | null;
  /** `critical` alone decides; `scored` adds its weight; `observe` is shown and never decides. */
  role: 'critical' | 'scored' | 'observe';
  weight: number;
  /** The group whose score it counts in; null: none. */
  group: string | null;
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

/**
 * What a source answered for one signal: a finite number with its samples and time, or why there is none. Beside the
 * number, what a judge of more than numbers needs: for `compare` the `points` over the asked time, oldest first (a source
 * that has no memory leaves them out: the judge collects its numbers, one a look). They must not overlap in time: a rate over
 * five minutes every fifteen seconds is one sample in twenty, and compared as twenty it is a false alarm. `overMs`: the time
 * up to `takenAtMs` that the number is about; left out: it is about that moment. For `rate` the `counts` since the step
 * began; for `alert` what fires.
 */
export type Measurement = { signal: string; link: string | null } & (
  | {
      value: number;
      samples: number | null;
      takenAtMs: number;
      overMs?: number;
      points?: number[];
      counts?: { failed: number; total: number };
      alerts?: FiringAlert[];
    }
  | { value: null; missing: Missing; detail: string }
);

/** A measurement that is a number. */
export type Measured = Extract<Measurement, { value: number }>;

/** `id`: the same alert keeps it, also when it stops and fires again; `sinceMs`: when it began to fire this time. */
export type FiringAlert = { id: string; name: string; sinceMs: number };
