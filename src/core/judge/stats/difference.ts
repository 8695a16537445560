import type { Comparison } from '../signal.ts';

/** One side of a comparison: how many samples (or requests) there are, and where they lie: the median, or the rate. */
export type Side = { samples: number; level: number };

/** What two samples, or two rates, say of each other. Plain JSON: every number is finite. */
export type Difference = {
  /** What counts: by the p value, and by the size of the effect. In a direction that is not looked for it is `same`. */
  is: 'same' | 'increased' | 'decreased';
  /** What it is called once its p value is small enough; `negligible`: never, the effect is too small. */
  effect: 'negligible' | 'increased' | 'decreased';
  /** The probability of such a difference by chance, in the direction that is looked for. */
  p: number;
  /** The canary's distance from the baseline, in the signal's unit, and its confidence interval (two-sided). */
  shift: number;
  interval: { low: number; high: number };
  /** The shift over the baseline's level (0.2: 20 % up); null: the baseline's level is 0. */
  relativeShift: number | null;
  /** The probability that a sample of the canary is above one of the baseline; null for rates. */
  cles: number | null;
  /** The canary's mean over the baseline's; null for rates, and where the baseline's is 0. */
  meanRatio: number | null;
  baseline: Side;
  canary: Side;
  /** So few samples that only a large difference could be seen. */
  isWeak: boolean;
  /** Null for rates. */
  spread: Spread | null;
};

/** How the canary's samples spread about their middle, beside the baseline's; `ratio` null: the baseline's do not at all. */
export type Spread = { is: 'same' | 'wider' | 'narrower'; p: number; ratio: number | null };

/** Why there is no answer: too few samples on a side, or something that is no sample, no count or no policy. */
export type NoDifference =
  | { is: 'too-few'; baseline: { samples: number }; canary: { samples: number } }
  | { is: 'error'; reason: 'not-a-number' | 'bad-counts' | 'bad-policy'; detail: string };

/** Fewer on a side say nothing: at two a side the classical test is wrong in more than a fifth of all cases. */
export const FEWEST_SAMPLES = 5;

/** Up to so many on a side the result is called weak. */
export const WEAK_SAMPLES = 50;

/** What is wrong with a policy, for people; null: nothing. Numbers that are no numbers must not make anything pass. */
export function policyFault({ tolerance, confidence, minEffect }: Comparison): string | null {
  if (!(tolerance >= 0 && tolerance < Number.POSITIVE_INFINITY)) return `tolerance is ${tolerance}, expected 0 or more`;
  if (!(confidence > 0 && confidence < 1)) return `confidence is ${confidence}, expected more than 0 and less than 1`;
  if (!(minEffect >= 0.5 && minEffect <= 1)) return `minEffect is ${minEffect}, expected 0.5 to 1`;
  return null;
}

/** The same difference after its p value was adjusted for what it was looked at together with. */
export function withAdjustedP(difference: Difference, p: number, policy: Comparison): Difference {
  return { ...difference, p, is: isUnlikely(p, policy) ? named(difference.effect) : 'same' };
}

export function isUnlikely(p: number, { confidence }: Comparison): boolean {
  return p <= 1 - confidence;
}

export function named(effect: Difference['effect']): Difference['is'] {
  return effect === 'negligible' ? 'same' : effect;
}

/** Does the policy look for a change this way? */
export function isLookedFor(way: 'increased' | 'decreased', { direction }: Comparison): boolean {
  return direction === 'either' || direction === (way === 'increased' ? 'increase' : 'decrease');
}

export function relativeTo(level: number, shift: number): number | null {
  return level === 0 ? null : shift / Math.abs(level) + 0;
}

/** Is a shift `towards` (1 up, −1 down) at least the tolerance? Beside a level of 0 any shift is. */
export function isBeyond(level: number, shift: number, towards: number, { tolerance }: Comparison): boolean {
  const moved = shift * towards;
  return moved > 0 && moved >= tolerance * Math.abs(level);
}
