import type { Comparison } from '../signal.ts';
import { FEWEST_SAMPLES, isUnlikely } from './difference.ts';
import { type Direction, type MannWhitney, mannWhitney } from './mann-whitney.ts';
import { rateTest } from './rate-test.ts';

/** By what is compared: p of two sides that are wholly apart. So few values (none of them equal) can give no smaller one. */
const APART = {
  samples: (baseline: number, canary: number) =>
    mannWhitney(
      Float64Array.from({ length: baseline }, (_, index) => index),
      Float64Array.from({ length: canary }, (_, index) => baseline + index),
    ).p,
  requests: (baseline: number, canary: number) =>
    rateTest({ failed: 0, total: baseline }, { failed: canary, total: canary }),
} satisfies Record<string, (baseline: number, canary: number) => MannWhitney['p']>;

/**
 * How many samples, or requests, each side needs before a difference could be as unlikely by chance as the policy asks: no
 * more than there are when they are enough, more when they are not. With fewer, that no difference was found says nothing.
 * Five values beside five, wholly apart, have a p of 1/252: at a confidence of 99.8 % nothing would ever be found.
 */
export function neededSamples(
  of: keyof typeof APART,
  { baseline, canary }: Record<'baseline' | 'canary', { samples: number }>,
  policy: Comparison,
): number {
  const lesser = Math.min(baseline.samples, canary.samples);
  const couldTell = (before: number, after: number) =>
    isUnlikely(leastP(APART[of](before, after), policy.direction), policy);
  if (lesser >= FEWEST_SAMPLES && couldTell(baseline.samples, canary.samples)) return FEWEST_SAMPLES;
  let needed = Math.max(FEWEST_SAMPLES, lesser + 1);
  while (!couldTell(needed, needed)) needed += 1;
  return needed;
}

/** The canary is above the baseline there; the other way round it is the same. */
function leastP({ increase, either }: MannWhitney['p'], direction: Direction): number {
  return direction === 'either' ? either : increase;
}
