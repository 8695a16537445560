import { isFresh, type Reading } from './reading.ts';
import { type Series, watched } from './series.ts';
import type { Comparison, Measured, Measurement, Signal } from './signal.ts';
import { compareRates } from './stats/compare-rates.ts';
import { compareSamples } from './stats/compare-samples.ts';
import type { Difference, NoDifference } from './stats/difference.ts';
import { neededSamples } from './stats/needed-samples.ts';

/**
 * What a signal is held against could be compared with, or why it could not. `shortage`: it was compared on so little that
 * it cannot pass, while harm may be seen all the same. `series`: what is remembered of it.
 */
export type ComparedNow = {
  difference: Difference | null;
  reading: Reading | null;
  shortage: Reading | null;
  series: Series | null;
};

/** One failed request, or two, are an accident as long as there are few: whoever tries again fails twice. */
const FEWEST_FAILED = 3;

/**
 * While a step is watched, harm by comparison must be so many times less likely by chance than at the end: each look is one
 * more chance to be wrong, the end comes once. After Haybittle (1971) and Peto (1976), who stop trials early that way.
 * Measured in `npm run bench -- --only judge`: with it a whole bake is wrong about as often as `confidence` says.
 */
const SURER_WHILE_WATCHED = 10;

/**
 * A `compare` or `rate` signal, measured now, beside the same on its baseline. Nothing is adjusted yet. Whatever stands in
 * the way is a reading that holds the step, with its reason.
 */
export function compareNow(
  signal: Signal,
  measured: Measured,
  controls: readonly Measurement[],
  remembered: Series | null,
  nowMs: number,
): ComparedNow {
  const policy = signal.comparison;
  if (policy === null) return held('bad-query', 'nothing is said of when a difference counts');
  const [control, ...more] = controls;
  if (control === undefined) return held('no-baseline', '');
  if (more.length > 0) return held('no-baseline', 'more than one answer for the baseline');
  if (control.value === null) return held('no-baseline', control.detail);
  if (!Number.isFinite(control.value)) return held('no-baseline', 'the baseline is not a number');
  // Other days and other rollouts are old by nature; what runs beside the canary must be as fresh as the canary.
  const isBeside = signal.baseline?.is === 'fresh' || signal.baseline?.is === 'current';
  if (isBeside && !isFresh(signal, control.takenAtMs, nowMs)) return held('no-baseline', 'the baseline is too old');
  if (signal.kind === 'rate') {
    if (measured.counts === undefined) return held('bad-answer', 'the source gave no counts');
    if (control.counts === undefined) return held('no-baseline', 'the source gave no counts for the baseline');
    return answered(signal, policy, compareRates(control.counts, measured.counts, policy), null);
  }
  const series = watched(remembered, measured, control);
  const canary = measured.points ?? series.now.values;
  const baseline = control.points ?? series.baseline.values;
  return answered(signal, policy, compareSamples(baseline, canary, policy), series);
}

/**
 * What a difference means for the signal, once its p value is adjusted. `isUnderWay`: the step will be looked at again
 * before it may pass.
 */
export function readDifference(signal: Signal, difference: Difference, isUnderWay: boolean): Reading {
  const { spread } = difference;
  const isSure = (p: number) => !isUnderWay || p <= (1 - (signal.comparison?.confidence ?? 0)) / SURER_WHILE_WATCHED;
  if (difference.is !== 'same') {
    return isSure(difference.p) ? { is: 'bad', reason: 'worse' } : { is: 'unclear', reason: 'worse-so-far' };
  }
  if (isBetter(signal, difference)) return { is: 'good', reason: 'better' };
  if (spread !== null && spread.is !== 'same') {
    const policy = signal.comparison;
    // Calmer than before is no harm, unless every change is.
    const isHarm = policy?.spread === 'decides' && (spread.is === 'wider' || policy.direction === 'either');
    if (!isHarm) return { is: 'good', reason: 'spread-changed', detail: spread.is };
    return { is: isSure(spread.p) ? 'bad' : 'unclear', reason: 'spread-changed', detail: spread.is };
  }
  return { is: 'good', reason: 'no-difference' };
}

/** The opposite of what is looked for is as unlikely by chance as harm has to be. */
function isBetter(signal: Signal, { p, shift, relativeShift }: Difference): boolean {
  const policy = signal.comparison;
  if (policy === null || policy.direction === 'either' || p < policy.confidence) return false;
  return shift !== 0 && (relativeShift === null || Math.abs(relativeShift) >= policy.tolerance);
}

function answered(
  signal: Signal,
  policy: Comparison,
  found: Difference | NoDifference,
  series: Series | null,
): ComparedNow {
  if (found.is === 'error') {
    const reason =
      found.reason === 'bad-policy' ? 'bad-query' : found.reason === 'bad-counts' ? 'bad-answer' : found.reason;
    return { ...held(reason, found.detail), series };
  }
  const samples = Math.min(found.baseline.samples, found.canary.samples);
  const of = signal.kind === 'rate' ? 'requests' : 'samples';
  const needed = Math.max(signal.minSamples, neededSamples(of, found, policy));
  const detail = `${found.canary.samples} now and ${found.baseline.samples} in the baseline, each needs ${needed}`;
  const shortage: Reading = { is: 'unclear', reason: 'too-few-samples', detail };
  if (found.is === 'too-few') return { difference: null, reading: shortage, shortage: null, series };
  if (samples >= needed) return { difference: found, reading: null, shortage: null, series };
  // No two samples of such numbers could be different enough, so that no difference is no health; a spread could be.
  if (samples >= signal.minSamples) return { difference: found, reading: null, shortage, series };
  // Counts are compared exactly however few there are: that none failed of so few proves nothing, that many did does. Of
  // points, a floor is the time until a service is warm.
  if (isMoreThanAccident(signal, found)) return { difference: found, reading: null, shortage, series };
  return { difference: found, reading: shortage, shortage: null, series };
}

function isMoreThanAccident({ kind, comparison }: Signal, { canary }: Difference): boolean {
  const failed = canary.level * canary.samples;
  const odd = comparison?.direction === 'decrease' ? canary.samples - failed : failed;
  return kind === 'rate' && Math.round(odd) >= FEWEST_FAILED;
}

function held(reason: Reading['reason'], detail: string): ComparedNow {
  return { difference: null, reading: { is: 'missing', reason, detail }, shortage: null, series: null };
}
