import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hodgesLehmann } from '../../../../src/core/judge/stats/hodges-lehmann.ts';
import { kthDifference, medianDifference } from '../../../../src/core/judge/stats/pairwise.ts';
import { median } from '../../../../src/core/judge/stats/percentile.ts';
import { sorted } from '../../../../src/core/judge/stats/sorted.ts';
import { normal, seeded } from '../simulated.ts';

function differences(baseline: number[], canary: number[]): Float64Array {
  return sorted(canary.flatMap((after) => baseline.map((before) => after - before)));
}

const sample = fc.array(fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ min: -1e6, max: 1e6, noNaN: true })), {
  minLength: 1,
  maxLength: 40,
});

describe('the shift between two samples', () => {
  it('H1 any difference by its rank is the one that sorting all of them finds', () => {
    fc.assert(
      fc.property(sample, sample, fc.double({ min: 0, max: 1, noNaN: true }), (baseline, canary, share) => {
        const all = differences(baseline, canary);
        const k = 1 + Math.floor(share * (all.length - 1));
        expect(kthDifference(sorted(baseline), sorted(canary), k)).toBe(all[k - 1]);
        const found = medianDifference(sorted(baseline), sorted(canary));
        expect(Math.abs(found - median(all))).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(found)));
      }),
      { numRuns: 300 },
    );
  });

  it('H1 the estimate is the median of all differences, the bounds the 7th from both ends of 42', () => {
    // By hand: P(U ≤ 6) = 30/1716 = 0.0175 is under 2.5 %, P(U ≤ 7) = 44/1716 = 0.0256 is not; so 6 are cut off each side.
    const baseline = [12.1, 11.4, 13, 12.7, 11.9, 12.3];
    const canary = [12.9, 13.4, 12.8, 14.1, 13.6, 12.2, 13.3];
    const { shift, interval } = hodgesLehmann(sorted(baseline), sorted(canary), 0.95);
    expect(shift).toBeCloseTo(0.95, 12);
    expect(interval.low).toBeCloseTo(0.1, 12);
    expect(interval.high).toBeCloseTo(1.8, 12);
  });

  it('H1 with so few samples that no bound is sure enough, the bounds are the ends', () => {
    expect(hodgesLehmann(sorted([1, 2]), sorted([10, 20]), 0.99)).toEqual({
      shift: 13.5,
      interval: { low: 8, high: 19 },
    });
  });

  it('H1 the interval holds the true shift as often as it says', () => {
    const random = seeded(11);
    const trials = 400;
    let held = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const draw = (level: number) => sorted(Array.from({ length: 40 }, () => level + normal(random)));
      const { interval } = hodgesLehmann(draw(10), draw(12), 0.95);
      if (interval.low <= 2 && interval.high >= 2) held += 1;
    }
    // Three standard deviations of 400 trials are 3.3 %.
    expect(held / trials).toBeGreaterThan(0.917);
    expect(held / trials).toBeLessThan(0.983);
  });
});
