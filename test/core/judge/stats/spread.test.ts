import { describe, expect, it } from 'vitest';
import { benjaminiHochberg } from '../../../../src/core/judge/stats/benjamini-hochberg.ts';
import { brownForsythe } from '../../../../src/core/judge/stats/brown-forsythe.ts';
import { outliers } from '../../../../src/core/judge/stats/outliers.ts';
import { median, percentile } from '../../../../src/core/judge/stats/percentile.ts';
import { sorted } from '../../../../src/core/judge/stats/sorted.ts';

describe('the middle and the spread of samples', () => {
  it('H1 a percentile is interpolated between its neighbours, by hand', () => {
    const values = sorted([40, 10, 30, 20]);
    expect([0, 0.25, 0.5, 0.9, 1].map((share) => percentile(values, share))).toEqual([
      10,
      17.5,
      25,
      expect.closeTo(37, 12),
      40,
    ]);
    expect(median(sorted([3, 1, 2]))).toBe(2);
    expect(median(sorted([]))).toBeNaN();
  });

  it('H1 outliers are far from the quartiles, in the order of the samples, by hand', () => {
    // Quartiles of 1 to 8 and 90 are 3 and 7: outside of −3 to 13.
    expect(outliers([8, 1, 90, 2, 3, 4, 5, 6, 7], 1.5)).toEqual([false, false, true, ...Array(6).fill(false)]);
    expect(outliers([2, 2, 2, 2, 3], 1.5)).toEqual([false, false, false, false, true]);
    expect(outliers([], 1.5)).toEqual([]);
  });

  it('H1 spreads with equal medians are told apart: SciPy levene(center="median")', () => {
    const { p, ratio } = brownForsythe(sorted([1, 2, 3, 4, 5, 6]), sorted([1, 5, 3, 9, -4, 4, 10]));
    expect(p).toBeCloseTo(0.15837632437419885, 12);
    // By hand: distances from 3.5 are 2.5, 1.5, ½ twice: 1.5 on average; from 4 they are 3, 1, 1, 5, 8, 0, 6: 24/7.
    expect(ratio).toBeCloseTo(24 / 7 / 1.5, 12);
  });

  it('H1 two constants spread alike; one beside something that moves does not', () => {
    const still = sorted([4, 4, 4, 4, 4, 4]);
    expect(brownForsythe(still, sorted([9, 9, 9, 9, 9]))).toEqual({ p: 1, ratio: 1 });
    expect(brownForsythe(still, sorted([-9, 9, -9, 9, -9, 9]))).toEqual({ p: 0, ratio: null });
  });
});

describe('many p values together', () => {
  it('H1 are adjusted as R and SciPy do: p.adjust(method = "BH")', () => {
    const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.005, 0.5]);
    expect(adjusted).toEqual([0.025, 0.05, 0.05, 0.025, 0.5].map((p) => expect.closeTo(p, 12)));
  });

  it('H1 one alone stays what it is, none are none, and none gets smaller', () => {
    expect(benjaminiHochberg([0.03])).toEqual([0.03]);
    expect(benjaminiHochberg([])).toEqual([]);
    const ps = [1, 0.2, 0.2, 1e-12, 0.7];
    benjaminiHochberg(ps).forEach((adjusted, index) => {
      expect(adjusted).toBeGreaterThanOrEqual(ps[index] ?? Number.NaN);
      expect(adjusted).toBeLessThanOrEqual(1);
    });
  });
});
