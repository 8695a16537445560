import type { Bound, Measured, Measurement, Signal } from './signal.ts';
import type { VerdictReason } from './verdict.ts';

/** One measurement on its own, before its history and what ran before are looked at. */
export type Reading = { is: 'good' | 'bad' | 'unclear' | 'missing'; reason: VerdictReason; detail?: string };

/** Clocks differ a little between machines; a measurement from further ahead than this is not believed. */
export const CLOCK_TOLERANCE_MS = 5_000;

/** Why one measurement, or the lack of it, says nothing; null: it is finite, fresh, and alone for its signal. */
export function whyMissing(signal: Signal, measurements: readonly Measurement[], nowMs: number): Reading | null {
  const [measurement] = measurements;
  if (measurement === undefined) return { is: 'missing', reason: 'no-data' };
  if (measurements.length > 1) return { is: 'missing', reason: 'many-series' };
  if (measurement.value === null) return { is: 'missing', reason: measurement.missing, detail: measurement.detail };
  if (!Number.isFinite(measurement.value)) return { is: 'missing', reason: 'not-a-number' };
  return isFresh(signal, measurement.takenAtMs, nowMs) ? null : { is: 'missing', reason: 'stale' };
}

/** Positively: whatever is not a time within the window (NaN too) is stale. */
export function isFresh({ maxAgeMs }: Pick<Signal, 'maxAgeMs'>, takenAtMs: number, nowMs: number): boolean {
  return takenAtMs >= nowMs - maxAgeMs && takenAtMs <= nowMs + CLOCK_TOLERANCE_MS;
}

/** What a finite, fresh number means, of a kind that is not compared. `before`: what was measured before the step. */
export function readAlone(
  signal: Signal & { kind: Exclude<Signal['kind'], 'compare' | 'rate'> },
  measured: Measured,
  before: Measurement | undefined,
): Reading {
  return READ[signal.kind](signal, measured, before);
}

/** One function a kind of signal. */
const READ: Record<
  Exclude<Signal['kind'], 'compare' | 'rate'>,
  (signal: Signal, measured: Measured, before: Measurement | undefined) => Reading
> = {
  threshold: readThreshold,
  check: readCheck,
  requests: readRequests,
  alert: readAlert,
};

/**
 * Was it degraded before the step, by the same bounds? Its age does not matter; what was not measured was not bad. A
 * comparison has its own "before", and an alert knows which ones fired.
 */
export function wasBadBefore(signal: Signal, before: Measurement | undefined): boolean {
  if (before === undefined || before.value === null || !Number.isFinite(before.value)) return false;
  if (signal.kind !== 'threshold' && signal.kind !== 'check') return false;
  return READ[signal.kind](signal, before, undefined).is === 'bad';
}

/**
 * A bad reading of a signal that was bad before the step: it does not count, unless the number is now more than twice as far
 * beyond its limit, or beyond the other one. What was a little bad must not hide what became terrible.
 */
export function besideBadBefore(signal: Signal, reading: Reading, now: number, before: number): Reading {
  if (reading.is !== 'bad') return reading;
  const [was, is] = [beyond(before, signal.healthyWhen), beyond(now, signal.healthyWhen)];
  const isSameSide = Math.sign(was) === Math.sign(is);
  // Written so that what cannot be told apart does not count as worse, and what is not finite never gets here.
  const isWorse = signal.kind === 'threshold' && (isSameSide ? Math.abs(is) > 2 * Math.abs(was) : is !== 0);
  return isWorse
    ? { ...reading, reason: 'worse-than-before' }
    : { ...reading, is: 'unclear', reason: 'already-bad-before' };
}

/** How far a number lies above its upper limit, or (negative) below its lower one; 0: within. */
function beyond(value: number, { min, max }: Bound): number {
  if (max !== undefined && value > max) return value - max;
  return min !== undefined && value < min ? value - min : 0;
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

/** An alert that fired before the step and never stopped is not this step's; one that stopped and began anew is. */
function readAlert(_signal: Signal, { alerts }: Measured, before: Measurement | undefined): Reading {
  if (alerts === undefined) return { is: 'missing', reason: 'bad-answer', detail: 'which alerts fire was not said' };
  const known = before !== undefined && before.value !== null ? before : null;
  const old = new Set(known?.alerts?.map(({ id }) => id));
  const seenMs = (known?.takenAtMs ?? 0) + CLOCK_TOLERANCE_MS;
  // Written so that one without a time is new.
  const fresh = alerts.filter(({ id, sinceMs }) => !(old.has(id) && sinceMs <= seenMs));
  const names = (fresh.length > 0 ? fresh : alerts).map(({ name }) => name).join(', ');
  if (fresh.length > 0) return { is: 'bad', reason: 'firing', detail: names };
  return { is: 'good', reason: 'quiet', detail: names };
}

function isBounded({ min, max }: Bound): boolean {
  return min !== undefined || max !== undefined;
}

/** Written positively, so that NaN on either side is never within. No bound at all holds nothing. */
function isWithin(value: number, bound: Bound): boolean {
  const { min, max } = bound;
  return isBounded(bound) && (min === undefined || value >= min) && (max === undefined || value <= max);
}
