import type { Comparison } from '../signal.ts';
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
  WEAK_SAMPLES,
} from './difference.ts';
import { type Rate, rateDifference, rateTest } from './rate-test.ts';

/**
 * Does the canary fail more, or less, often than the baseline? Chance must be an unlikely explanation, and the relative
 * shift of the rate at least the tolerance. The floor of the common-language effect size has no part in it: for sparse
 * errors that is 0.5 whatever happens. Fewer than five requests on a side answer nothing.
 */
export function compareRates(before: Rate, after: Rate, policy: Comparison): Difference | NoDifference {
  const fault = policyFault(policy);
  if (fault !== null) return { is: 'error', reason: 'bad-policy', detail: fault };
  const bad = countsFault('baseline', before) ?? countsFault('canary', after);
  if (bad !== null) return { is: 'error', reason: 'bad-counts', detail: bad };
  const [baseline, canary] = [whole(before), whole(after)];
  if (Math.min(baseline.total, canary.total) < FEWEST_SAMPLES) {
    return { is: 'too-few', baseline: { samples: baseline.total }, canary: { samples: canary.total } };
  }
  const p = rateTest(baseline, canary)[policy.direction];
  const { shift, interval } = rateDifference(baseline, canary, policy.confidence);
  // Written so that no slip in the arithmetic could pass for `no difference`.
  if (!Number.isFinite(p)) return { is: 'error', reason: 'not-a-number', detail: 'the probability is not a number' };
  const level = baseline.failed / baseline.total;
  const way = shift > 0 ? 'increased' : 'decreased';
  const isLarge = isBeyond(level, shift, shift > 0 ? 1 : -1, policy);
  const effect = isLarge && isLookedFor(way, policy) ? way : 'negligible';
  return {
    is: isUnlikely(p, policy) ? named(effect) : 'same',
    effect,
    p,
    shift,
    interval,
    relativeShift: relativeTo(level, shift),
    cles: null,
    meanRatio: null,
    baseline: { samples: baseline.total, level },
    canary: { samples: canary.total, level: canary.failed / canary.total },
    isWeak: Math.min(baseline.total, canary.total) <= WEAK_SAMPLES,
    spread: null,
  };
}

/** Counts that a source extrapolated over an interval are not whole; nor does JSON know a negative zero. */
function whole({ failed, total }: Rate): Rate {
  return { failed: Math.round(failed) + 0, total: Math.round(total) + 0 };
}

function countsFault(side: string, { failed, total }: Rate): string | null {
  if (!(failed >= 0 && failed <= total && total <= Number.MAX_SAFE_INTEGER)) {
    return `${side}: ${failed} failed of ${total}, expected 0 ≤ failed ≤ total ≤ ${Number.MAX_SAFE_INTEGER}`;
  }
  return null;
}
