import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mannWhitney } from '../../../../src/core/judge/stats/mann-whitney.ts';
import { sorted } from '../../../../src/core/judge/stats/sorted.ts';

function test(baseline: number[], canary: number[]) {
  return mannWhitney(sorted(baseline), sorted(canary));
}

// Small whole numbers: ties happen, and adding or multiplying is exact.
const sample = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 30 });

describe('Mann-Whitney U', () => {
  it('H1 small samples without ties are counted exactly: SciPy mannwhitneyu(method="exact")', () => {
    const { u, cles, p } = test([12.1, 11.4, 13, 12.7, 11.9, 12.3], [12.9, 13.4, 12.8, 14.1, 13.6, 12.2, 13.3]);
    expect(u).toBe(37);
    expect(cles).toBeCloseTo(37 / 42, 14);
    expect(p.increase).toBeCloseTo(0.011072261072261072, 14);
    expect(p.decrease).toBeCloseTo(0.9930069930069929, 14);
    expect(p.either).toBeCloseTo(0.022144522144522144, 14);
  });

  it('H1 more samples, with ties, are corrected for ties and continuity: SciPy mannwhitneyu(method="asymptotic")', () => {
    const { u, p } = test([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], [9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4]);
    expect(u).toBe(86.5);
    expect(p.increase).toBeCloseTo(0.20783031571388644, 9);
    expect(p.decrease).toBeCloseTo(0.808426777354265, 9);
    expect(p.either).toBeCloseTo(0.4156606314277729, 9);
  });

  it('H1 small samples with ties are counted exactly too: five zeros beside five tens are 1 in C(10, 5) = 252', () => {
    const { p } = test([0, 0, 0, 0, 0], [10, 10, 10, 10, 10]);
    expect(p.increase).toBeCloseTo(1 / 252, 14);
    expect(p.either).toBeCloseTo(2 / 252, 14);
    expect(p.decrease).toBeCloseTo(1, 14);
  });

  it('H1 where all values are the same nothing can be told', () => {
    for (const size of [5, 60]) {
      const same = Array.from({ length: size }, () => 7);
      expect(test(same, same)).toEqual({ u: size ** 2 / 2, cles: 0.5, p: { increase: 1, decrease: 1, either: 1 } });
    }
  });

  it('H1 U is the number of pairs in which the canary is larger, ties half, and p is a probability', () => {
    fc.assert(
      fc.property(sample, sample, (baseline, canary) => {
        const { u, cles, p } = test(baseline, canary);
        const pairs = canary.flatMap((after) => baseline.map((before) => (Math.sign(after - before) + 1) / 2));
        expect(u).toBe(pairs.reduce((sum, one) => sum + one, 0));
        for (const share of [cles, p.increase, p.decrease, p.either]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('H1 p does not change when both sides are moved by the same amount, nor with the order of the samples', () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -1000, max: 1000 }), (baseline, canary, by) => {
        const moved = (values: number[]) => values.map((value) => value + by).reverse();
        expect(test(moved(baseline), moved(canary))).toEqual(test(baseline, canary));
      }),
    );
  });

  it('H1 swapping the sides, or the sign, swaps the directions', () => {
    fc.assert(
      fc.property(sample, sample, (baseline, canary) => {
        const { p } = test(baseline, canary);
        const mirror = { increase: p.decrease, decrease: p.increase, either: p.either };
        const near = Object.fromEntries(Object.entries(mirror).map(([key, value]) => [key, expect.closeTo(value, 12)]));
        const negative = (values: number[]) => values.map((value) => -value);
        expect(test(canary, baseline).p).toEqual(near);
        expect(test(negative(baseline), negative(canary)).p).toEqual(near);
      }),
    );
  });
});
