import type { Bound, Measurement, Signal } from './signal.ts';
import type { VerdictReason } from './verdict.ts';

/** One measurement on its own, before its history and what ran before are looked at. */
export type Reading = { is: 'good' | 'bad' | 'unclear' | 'missing'; reason: VerdictReason };

/** Clocks differ a little between machines; a measurement from further ahead than this is not believed. */
export const CLOCK_TOLERANCE_MS = 5_000;

type Measured = Extract<Measurement, { value: number }>;

/** One function a kind of signal: what a finite, fresh number means. A judge that compares two versions goes here. */
const READ: Record<Signal['kind'], (signal: Signal, measured: Measured) => Reading> = {
  threshold: readThreshold,
  check: readCheck,
  requests: readRequests,
  compare: notYet,
  rate: notYet,
  alert: notYet,
};

/** Could not be measured: never a pass. */
function notYet(): Reading {
  return { is: 'missing', reason: 'bad-query' };
}

/** What one measurement says now. Only a finite, fresh number, alone for its signal, can be anything but missing. */
export function readNow(signal: Signal, measurements: readonly Measurement[], nowMs: number): Reading {
  const [measurement] = measurements;
  if (measurement === undefined) return { is: 'missing', reason: 'no-data' };
  if (measurements.length > 1) return { is: 'missing', reason: 'many-series' };
  if (measurement.value === null) return { is: 'missing', reason: measurement.missing };
  if (!Number.isFinite(measurement.value)) return { is: 'missing', reason: 'not-a-number' };
  const { takenAtMs } = measurement;
  // Positively: whatever is not a time within the window (NaN too) is stale.
  const isFresh = takenAtMs >= nowMs - signal.maxAgeMs && takenAtMs <= nowMs + CLOCK_TOLERANCE_MS;
  if (!isFresh) return { is: 'missing', reason: 'stale' };
  return READ[signal.kind](signal, measurement);
}

/** Was it degraded before the step, by the same bounds? Its age does not matter; what was not measured was not bad. */
export function wasBadBefore(signal: Signal, before: Measurement | undefined): boolean {
  if (before === undefined || before.value === null || !Number.isFinite(before.value)) return false;
  return READ[signal.kind](signal, before).is === 'bad';
}

function readThreshold(signal: Signal, { value, samples }: Measured): Reading {
  const hasEnough = signal.minSamples <= 0 || (samples !== null && samples >= signal.minSamples);
  if (!hasEnough) return { is: 'unclear', reason: 'too-few-samples' };
  const { healthyWhen, degradedWhen } = signal;
  // Harm first, should the two bounds ever overlap.
  if (degradedWhen !== null && isWithin(value, degradedWhen)) return { is: 'bad', reason: 'out-of-bounds' };
  if (isWithin(value, healthyWhen)) return { is: 'good', reason: 'within-bounds' };
  if (degradedWhen === null && isBounded(healthyWhen)) return { is: 'bad', reason: 'out-of-bounds' };
  return { is: 'unclear', reason: 'between-bounds' };
}

function readCheck(_signal: Signal, { value }: Measured): Reading {
  if (value === 1) return { is: 'good', reason: 'within-bounds' };
  if (value === 0) return { is: 'bad', reason: 'out-of-bounds' };
  return { is: 'missing', reason: 'bad-answer' };
}

/** A floor of traffic is never bad: below it the step waits. */
function readRequests(signal: Signal, { value }: Measured): Reading {
  return isWithin(value, signal.healthyWhen)
    ? { is: 'good', reason: 'within-bounds' }
    : { is: 'unclear', reason: 'too-little-traffic' };
}

function isBounded({ min, max }: Bound): boolean {
  return min !== undefined || max !== undefined;
}

/** Written positively, so that NaN on either side is never within. No bound at all holds nothing. */
function isWithin(value: number, bound: Bound): boolean {
  const { min, max } = bound;
  return isBounded(bound) && (min === undefined || value >= min) && (max === undefined || value <= max);
}
