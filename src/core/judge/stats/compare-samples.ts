import type { Comparison } from '../signal.ts';
import { brownForsythe } from './brown-forsythe.ts';
import {
  type Difference,
  FEWEST_SAMPLES,
  isBeyond,
  isLookedFor,
  isUnlikely,
  type NoDifference,
  named,
  policyFault,
  relativeTo,
  type Spread,
  WEAK_SAMPLES,
} from './difference.ts';
import { hodgesLehmann } from './hodges-lehmann.ts';
import { mannWhitney } from './mann-whitney.ts';
import { median } from './percentile.ts';
import { mean, type Sorted, sorted } from './sorted.ts';

/**
 * Is the canary different from the baseline? Three things must hold: chance is an unlikely explanation (Mann-Whitney), the
 * shift is at least the tolerance, and the effect size at least the floor. The order of the samples does not matter, nor
 * the unit; whatever is no finite number is an error, and fewer than five on a side answer nothing.
 *
 * The shift is that of the middle (Hodges-Lehmann) or of the mean: where most samples are equal, the middle does not move
 * while every third request fails.
 */
export function compareSamples(
  baseline: readonly number[],
  canary: readonly number[],
  policy: Comparison,
): Difference | NoDifference {
  const fault = policyFault(policy);
  if (fault !== null) return { is: 'error', reason: 'bad-policy', detail: fault };
  if (!baseline.every(Number.isFinite)) return notFinite('baseline');
  if (!canary.every(Number.isFinite)) return notFinite('canary');
  if (Math.min(baseline.length, canary.length) < FEWEST_SAMPLES) {
    const [before, after] = [{ samples: baseline.length }, { samples: canary.length }];
    return { is: 'too-few', baseline: before, canary: after };
  }
  const difference = compareSorted(sorted(baseline), sorted(canary), policy);
  // Finite samples may still be too far apart for their differences to be.
  return isFiniteThroughout(difference) ? difference : notFinite('difference');
}

function compareSorted(baseline: Sorted, canary: Sorted, policy: Comparison): Difference {
  const { p: ps, cles } = mannWhitney(baseline, canary);
  const { shift, interval: bounds } = hodgesLehmann(baseline, canary, policy.confidence);
  // Adding 0 makes a negative zero, which JSON does not know, zero. Half of the smallest number is one, too.
  const levels = { before: median(baseline) + 0, after: median(canary) + 0 };
  const interval = { low: bounds.low + 0, high: bounds.high + 0 };
  const means = { before: mean(baseline), after: mean(canary) };
  const p = ps[policy.direction];
  const way = cles > 0.5 ? 'increased' : 'decreased';
  const towards = cles > 0.5 ? 1 : -1;
  const isLarge =
    Math.max(cles, 1 - cles) >= policy.minEffect &&
    (isBeyond(levels.before, shift, towards, policy) ||
      isBeyond(means.before, means.after - means.before, towards, policy));
  const effect = isLarge && isLookedFor(way, policy) ? way : 'negligible';
  return {
    is: isUnlikely(p, policy) ? named(effect) : 'same',
    effect,
    p,
    shift: shift + 0,
    interval,
    relativeShift: relativeTo(levels.before, shift + 0),
    cles,
    meanRatio: means.before === 0 ? null : means.after / means.before + 0,
    baseline: { samples: baseline.length, level: levels.before },
    canary: { samples: canary.length, level: levels.after },
    isWeak: Math.min(baseline.length, canary.length) <= WEAK_SAMPLES,
    spread: compareSpread(baseline, canary, policy),
  };
}

function compareSpread(baseline: Sorted, canary: Sorted, policy: Comparison): Spread {
  const { p, ratio } = brownForsythe(baseline, canary);
  if (!isUnlikely(p, policy)) return { is: 'same', p, ratio };
  if (ratio === null || ratio >= 1 + policy.tolerance) return { is: 'wider', p, ratio };
  return { is: ratio <= 1 / (1 + policy.tolerance) ? 'narrower' : 'same', p, ratio };
}

function isFiniteThroughout({ shift, interval, relativeShift, meanRatio, spread, canary, baseline, p }: Difference) {
  const numbers = [p, shift, interval.low, interval.high, relativeShift, meanRatio, baseline.level, canary.level];
  return [...numbers, spread?.p ?? 0, spread?.ratio ?? 0].every((one) => one === null || Number.isFinite(one));
}

function notFinite(what: 'baseline' | 'canary' | 'difference'): NoDifference {
  const detail =
    what === 'difference'
      ? 'the two sides are too far apart for a number'
      : `a sample of the ${what} is not a finite number`;
  return { is: 'error', reason: 'not-a-number', detail };
}
