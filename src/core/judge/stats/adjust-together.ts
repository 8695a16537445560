import type { Comparison } from '../signal.ts';
import { benjaminiHochberg } from './benjamini-hochberg.ts';
import { type Difference, isUnlikely, withAdjustedP } from './difference.ts';

export type Compared = { difference: Difference; policy: Comparison };

/**
 * Differences that are looked at together, each with its p value adjusted for that, in the same order. A spread that may
 * decide is one look more; spreads that are only observed are adjusted among themselves.
 */
export function adjustTogether(compared: readonly Compared[]): Difference[] {
  const decides = compared.map(({ difference, policy }) => difference.spread !== null && policy.spread === 'decides');
  const deciding = benjaminiHochberg([
    ...compared.map(({ difference }) => difference.p),
    ...compared.filter((_, index) => decides[index]).map(({ difference }) => difference.spread?.p ?? 1),
  ]);
  const observed = benjaminiHochberg(
    compared.filter((_, index) => !decides[index]).map(({ difference }) => difference.spread?.p ?? 1),
  );
  const spreads = { deciding: deciding.slice(compared.length), observed };
  return compared.map(({ difference, policy }, index) => {
    const spreadP = (decides[index] ? spreads.deciding : spreads.observed).shift() ?? 1;
    return withSpreadP(withAdjustedP(difference, deciding[index] ?? 1, policy), spreadP, policy);
  });
}

function withSpreadP(difference: Difference, p: number, policy: Comparison): Difference {
  const { spread } = difference;
  if (spread === null) return difference;
  return { ...difference, spread: { ...spread, p, is: isUnlikely(p, policy) ? spread.is : 'same' } };
}
