import { describe, expect, it } from 'vitest';
import { fTail, incompleteBeta } from '../../../../src/core/judge/stats/beta.ts';
import { logGamma } from '../../../../src/core/judge/stats/gamma.ts';
import { hypergeometricTails } from '../../../../src/core/judge/stats/hypergeometric.ts';
import { normalQuantile, normalTail } from '../../../../src/core/judge/stats/normal.ts';
import { rankSumDistribution } from '../../../../src/core/judge/stats/rank-sum.ts';

// Expected values: SciPy 1.17 (`norm.sf`, `norm.isf`, `f.sf`, `hypergeom`), mpmath at 60 digits where SciPy runs out of
// them, or by hand where it is said.

function isNear(found: number, expected: number, relative = 1e-8): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(relative * Math.abs(expected));
}

describe('the normal distribution', () => {
  it.each([
    [0, 0.5],
    [1, 0.15865525393145707],
    [1.959963984540054, 0.025],
    [3.29, 0.0005009369137857222],
    [6, 9.865876450376946e-10],
    [8, 6.22096057427174e-16],
    [-2, 0.9772498680518208],
  ])('H1 beyond %d lies the share that the tables say, in the far tail too', (z, share) => {
    isNear(normalTail(z), share);
  });

  it.each([
    [0.025, 1.9599639845400545],
    [0.005, 2.575829303548901],
    [0.0001, 3.7190164854556804],
    [1e-9, 5.9978070150076865],
    [0.9, -1.2815515655446004],
  ])('H1 a share of %d lies beyond the z that the tables say', (share, z) => {
    isNear(normalQuantile(share), z);
  });

  it('H1 very far out the tail is 0, never negative and never NaN', () => {
    expect([normalTail(50), normalTail(-50), normalTail(Number.POSITIVE_INFINITY)]).toEqual([0, 1, 0]);
  });
});

describe('gamma and beta', () => {
  it('H1 log Γ is what it is by hand: Γ(1) = Γ(2) = 1, Γ(½) = √π, Γ(6) = 120', () => {
    expect(logGamma(1)).toBeCloseTo(0, 13);
    expect(logGamma(2)).toBeCloseTo(0, 13);
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
    expect(logGamma(6)).toBeCloseTo(Math.log(120), 13);
  });

  it('H1 the incomplete beta function is what it is by hand: I(x; 1, 1) = x, I(x; 1, b) = 1 − (1 − x)^b', () => {
    for (const x of [0.001, 0.2, 0.5, 0.8, 0.999]) {
      isNear(incompleteBeta(x, 1, 1), x, 1e-12);
      isNear(incompleteBeta(x, 1, 7), 1 - (1 - x) ** 7, 1e-12);
      isNear(incompleteBeta(x, 2.5, 4) + incompleteBeta(1 - x, 4, 2.5), 1, 1e-12);
    }
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3)]).toEqual([0, 1]);
  });

  it.each([
    [4, 58, 0.05019046804144834],
    [6.85, 118, 0.010024550148799228],
    [0.3, 8, 0.598827136697289],
    [40, 118, 4.715739783571921e-9],
  ])('H1 F(1, n): beyond %d with %d degrees lies the share that the tables say', (f, degrees, share) => {
    isNear(fTail(f, 1, degrees), share);
  });

  it('H1 an F of nothing is no evidence, an infinite one is all of it', () => {
    expect([fTail(0, 1, 10), fTail(Number.NaN, 1, 10), fTail(Number.POSITIVE_INFINITY, 1, 10)]).toEqual([1, 1, 0]);
  });
});

describe('the hypergeometric distribution', () => {
  it('H1 three of eight from an urn of twenty with ten drawn', () => {
    const { atLeast, atMost } = hypergeometricTails(3, { marked: 8, unmarked: 12, drawn: 10 });
    isNear(atLeast, 0.9150988330554894, 1e-12);
    isNear(atMost, 0.3249583234103358, 1e-12);
  });

  it('H1 keeps its digits at two thousand million counts', () => {
    const urn = { marked: 2000, unmarked: 2e9 - 2000, drawn: 1e9 };
    isNear(hypergeometricTails(1200, urn).atLeast, 1.7524324988466346e-19, 1e-12);
    isNear(hypergeometricTails(1080, urn).atLeast, 0.000187501269364448, 1e-12);
  });

  it('H1 at the ends of what can be, the tails are 1 and the one probability: 1 in C(10, 5) = 252', () => {
    const urn = { marked: 5, unmarked: 5, drawn: 5 };
    expect(hypergeometricTails(0, urn).atLeast).toBe(1);
    isNear(hypergeometricTails(0, urn).atMost, 1 / 252, 1e-12);
    isNear(hypergeometricTails(5, urn).atLeast, 1 / 252, 1e-12);
    expect(hypergeometricTails(0, { marked: 0, unmarked: 9, drawn: 4 })).toEqual({ atLeast: 1, atMost: 1 });
  });
});

describe('the rank sum', () => {
  it('H1 two of three: 1+2, 1+3, 2+3, each once, by hand', () => {
    const shares = rankSumDistribution([1, 2, 3], 2);
    expect([...shares].map((share) => share * 3)).toEqual(
      [0, 0, 0, 1, 1, 1, 0].map((count) => expect.closeTo(count, 12)),
    );
  });

  it('H1 with ties: of 2, 2, 5 (doubled: 3, 3, 6) two give 6 once and 9 twice, by hand', () => {
    const shares = rankSumDistribution([3, 3, 6], 2);
    expect([shares[6], shares[9]]).toEqual([expect.closeTo(1 / 3, 12), expect.closeTo(2 / 3, 12)]);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  });
});
