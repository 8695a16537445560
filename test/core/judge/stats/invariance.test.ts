import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Comparison } from '../../../../src/core/judge/signal.ts';
import { compareRates } from '../../../../src/core/judge/stats/compare-rates.ts';
import { compareSamples } from '../../../../src/core/judge/stats/compare-samples.ts';
import { policy } from '../policy.ts';

// Goal: the unit, the sign and the order of samples are nobody's business. Method: whole numbers, of which ties and
// differences are exact in every unit that is a power of two; and decimal units on values that are no neighbours.

const sample = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 5, maxLength: 40 });
const anyPolicy: fc.Arbitrary<Comparison> = fc
  .record({
    direction: fc.constantFrom('increase' as const, 'decrease' as const, 'either' as const),
    tolerance: fc.constantFrom(0, 0.05, 0.3),
    confidence: fc.constantFrom(0.9, 0.95, 0.99),
    minEffect: fc.constantFrom(0.5, 0.6, 0.8),
  })
  .map(policy);

const MIRRORED = { increase: 'decrease', decrease: 'increase', either: 'either' } as const;
const MIRROR_OF = {
  increased: 'decreased',
  decreased: 'increased',
  same: 'same',
} as const;

describe('unit, sign and order do not matter', () => {
  it('H1 an error ratio of 2e-5 → 3e-5 gets the verdict of the same numbers times a million', () => {
    for (const unit of [1e-6, 1, 1e6, 1e12]) {
      const baseline = Array.from({ length: 60 }, (_, index) => (20 + (index % 7)) * unit);
      const canary = Array.from({ length: 60 }, (_, index) => (30 + (index % 7)) * unit);
      const found = compareSamples(baseline, canary, policy({ tolerance: 0.1, confidence: 0.99, minEffect: 0.6 }));
      expect(found).toMatchObject({ is: 'increased', relativeShift: expect.closeTo(10 / 23, 9) });
      if (!('interval' in found)) throw new Error('It was compared');
      expect(found.shift / unit).toBeCloseTo(10, 9);
      expect(found.interval.low / unit).toBeGreaterThan(8);
      expect(found.interval.high / unit).toBeLessThan(12);
    }
  });

  it.each([2 ** 20, 2 ** -20])(
    'H1 times %d: the same verdict, p and effect; shift and bounds in the new unit',
    (unit) => {
      fc.assert(
        fc.property(sample, sample, anyPolicy, (baseline, canary, rules) => {
          const scaled = (values: number[]) => values.map((value) => value * unit);
          const one = compareSamples(baseline, canary, rules);
          const other = compareSamples(scaled(baseline), scaled(canary), rules);
          if (!('p' in one)) throw new Error('It was compared');
          expect(other).toEqual({
            ...one,
            shift: one.shift * unit,
            interval: { low: one.interval.low * unit, high: one.interval.high * unit },
            baseline: { ...one.baseline, level: one.baseline.level * unit },
            canary: { ...one.canary, level: one.canary.level * unit },
          });
        }),
      );
    },
  );

  it.each([1e6, 1e-6])('H1 times %d: the same p and effect size', (unit) => {
    fc.assert(
      fc.property(sample, sample, (baseline, canary) => {
        const scaled = (values: number[]) => values.map((value) => value * unit);
        const one = compareSamples(baseline, canary, policy());
        const other = compareSamples(scaled(baseline), scaled(canary), policy());
        if (!('p' in one && 'p' in other)) throw new Error('Both were compared');
        expect([other.p, other.cles, other.is]).toEqual([one.p, one.cles, one.is]);
      }),
    );
  });

  it('H1 a mirrored signal with a mirrored direction gets the mirrored verdict, of the same p and the mirrored effect', () => {
    fc.assert(
      fc.property(sample, sample, anyPolicy, (baseline, canary, rules) => {
        const negative = (values: number[]) => values.map((value) => -value);
        const mirrored = { ...rules, direction: MIRRORED[rules.direction] };
        const one = compareSamples(baseline, canary, rules);
        const other = compareSamples(negative(baseline), negative(canary), mirrored);
        if (!('p' in one && 'p' in other)) throw new Error('Both were compared');
        expect(other.is).toBe(MIRROR_OF[one.is]);
        // The same tail, summed from its other end.
        expect(other.p).toBeCloseTo(one.p, 12);
        expect(other.cles).toBeCloseTo(1 - (one.cles ?? Number.NaN), 12);
        expect(other.shift).toBe(-one.shift + 0);
        expect(other.interval).toEqual({ low: -one.interval.high + 0, high: -one.interval.low + 0 });
      }),
    );
  });

  it('H1 moving both sides by the same amount changes neither p nor the shift', () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -5000, max: 5000 }), (baseline, canary, by) => {
        const moved = (values: number[]) => values.map((value) => value + by);
        const one = compareSamples(baseline, canary, policy());
        const other = compareSamples(moved(baseline), moved(canary), policy());
        if (!('p' in one && 'p' in other)) throw new Error('Both were compared');
        expect([other.p, other.shift, other.interval, other.cles]).toEqual([one.p, one.shift, one.interval, one.cles]);
      }),
    );
  });

  it('H1 the order of the samples does not matter, and they are left as they were', () => {
    fc.assert(
      fc.property(sample, sample, anyPolicy, (baseline, canary, rules) => {
        const [before, after] = [[...baseline], [...canary]];
        const one = compareSamples(baseline, canary, rules);
        expect([baseline, canary]).toEqual([before, after]);
        expect(compareSamples([...baseline].reverse(), [...canary].reverse(), rules)).toEqual(one);
      }),
    );
  });

  it('H3 whatever the numbers are, the answer is plain JSON, and only finite ones are compared', () => {
    const anything = fc.array(fc.double(), { maxLength: 12 });
    fc.assert(
      fc.property(anything, anything, anyPolicy, (baseline, canary, rules) => {
        const found = compareSamples(baseline, canary, rules);
        expect(JSON.parse(JSON.stringify(found))).toEqual(found);
        if (!baseline.every(Number.isFinite) || !canary.every(Number.isFinite)) expect(found.is).toBe('error');
      }),
      // Half of the smallest number below zero is a negative zero.
      {
        examples: [
          [
            [2, 0, 2, 2, 0],
            [0, 0, 2, 0, -5e-324],
            policy({ direction: 'increase', tolerance: 0, confidence: 0.9, minEffect: 0.5 }),
          ],
        ],
      },
    );
    const count = fc.oneof(fc.integer({ min: -1, max: 20 }), fc.double());
    const rate = fc.record({ failed: count, total: count });
    fc.assert(
      fc.property(rate, rate, anyPolicy, (baseline, canary, rules) => {
        const found = compareRates(baseline, canary, rules);
        expect(JSON.parse(JSON.stringify(found))).toEqual(found);
        if (!Number.isFinite(canary.total)) expect(found.is).toBe('error');
      }),
    );
  });
});
