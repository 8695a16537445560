import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fisher, rateDifference, rateTest, twoProportion } from '../../../../src/core/judge/stats/rate-test.ts';

const rate = fc
  .integer({ min: 1, max: 400 })
  .chain((total) => fc.integer({ min: 0, max: total }).map((failed) => ({ failed, total })));

describe('the test of two rates', () => {
  it('H1 small counts are exact: SciPy fisher_exact', () => {
    const one = rateTest({ failed: 1, total: 100 }, { failed: 8, total: 100 });
    expect(one.increase).toBeCloseTo(0.017449575986057876, 12);
    expect(one.decrease).toBeCloseTo(0.9983816925496801, 12);
    expect(one.either).toBeCloseTo(2 * 0.017449575986057876, 12);
    const sparse = rateTest({ failed: 10, total: 10_000 }, { failed: 50, total: 10_000 });
    expect(sparse.increase / 7.768411483354685e-8).toBeCloseTo(1, 10);
  });

  it('H1 large counts use two proportions: z with pooled variance and half a count off, by the formula in SciPy', () => {
    expect(twoProportion({ failed: 3000, total: 1e6 }, { failed: 3200, total: 1e6 }).increase).toBeCloseTo(
      0.005683181006986723,
      12,
    );
  });

  it('H1 where one test hands over to the other they say the same, for a canary of 1 % too', () => {
    for (const failed of [10_233, 10_310, 10_330]) {
      const [before, after] = [
        { failed: 990_000, total: 99e6 },
        { failed, total: 1e6 },
      ];
      const ratio = twoProportion(before, after).increase / fisher(before, after).increase;
      expect(Math.abs(ratio - 1)).toBeLessThan(0.06);
    }
  });

  it('H1 a thousand million requests a side give a number, in both directions', () => {
    const { increase, decrease } = rateTest({ failed: 5e8, total: 1e9 }, { failed: 5.0005e8, total: 1e9 });
    // By hand: the difference is 5e-5, its deviation √(¼·2/1e9) = 2.236e-5, so z = 2.236 and P(Z > z) = 0.0127.
    expect(increase).toBeCloseTo(0.0127, 3);
    expect(increase + decrease).toBeCloseTo(1, 4);
    const sparse = rateTest({ failed: 0, total: 1e9 }, { failed: 10, total: 1e9 });
    expect(sparse.increase / 2 ** -10).toBeCloseTo(1, 6);
  });

  it('H1 no failure anywhere, or nothing but failures, is no difference', () => {
    expect(rateTest({ failed: 0, total: 9 }, { failed: 0, total: 1e9 })).toEqual({
      increase: 1,
      decrease: 1,
      either: 1,
    });
    expect(rateTest({ failed: 9, total: 9 }, { failed: 7, total: 7 })).toEqual({ increase: 1, decrease: 1, either: 1 });
  });

  it('H1 p is a probability, and swapping the sides swaps the directions', () => {
    fc.assert(
      fc.property(rate, rate, (baseline, canary) => {
        const { increase, decrease, either } = rateTest(baseline, canary);
        for (const p of [increase, decrease, either]) {
          expect(p).toBeGreaterThanOrEqual(0);
          expect(p).toBeLessThanOrEqual(1);
        }
        const swapped = rateTest(canary, baseline);
        expect(swapped.increase).toBeCloseTo(decrease, 9);
        expect(swapped.decrease).toBeCloseTo(increase, 9);
      }),
    );
  });

  it('H1 the interval of the difference is Newcombe’s: his 56 of 70 beside 48 of 80 is 0.0524 to 0.3339', () => {
    const { shift, interval } = rateDifference({ failed: 48, total: 80 }, { failed: 56, total: 70 }, 0.95);
    expect(shift).toBeCloseTo(0.2, 12);
    expect(interval.low).toBeCloseTo(0.0524, 4);
    expect(interval.high).toBeCloseTo(0.3339, 4);
  });
});
