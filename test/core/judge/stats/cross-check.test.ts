import { check, criticalValue, test as npmMannWhitney } from '@tainakanchu/mann-whitney-utest';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mannWhitney } from '../../../../src/core/judge/stats/mann-whitney.ts';
import { normalTail } from '../../../../src/core/judge/stats/normal.ts';
import { sorted } from '../../../../src/core/judge/stats/sorted.ts';

// Goal: two people who never met got the same numbers from the same formulas. Method: random samples with many ties and with
// none, against a package that is independent of this project. It has U and an uncorrected z; p follows from them by hand.

const sample = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 11, maxLength: 60 }),
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 11, maxLength: 60 }),
);

describe('beside an independent implementation', () => {
  it('H1 U is the same, ties and all', () => {
    fc.assert(
      fc.property(sample, sample, (baseline, canary) => {
        const us = npmMannWhitney([baseline, canary]);
        expect(check(us, [baseline, canary])).toBe(true);
        expect(mannWhitney(sorted(baseline), sorted(canary)).u).toBe(us[1]);
      }),
    );
  });

  it('H1 p is the one of its z, corrected for ties, half a step nearer to the middle', () => {
    fc.assert(
      fc.property(sample, sample, (baseline, canary) => {
        const us = npmMannWhitney([baseline, canary]);
        const middle = (baseline.length * canary.length) / 2;
        const distance = Math.abs((us[1] ?? Number.NaN) - middle);
        const { p } = mannWhitney(sorted(baseline), sorted(canary));
        if (distance === 0) {
          expect(p.either).toBe(1);
          return;
        }
        const z = criticalValue(us, [baseline, canary]);
        const expected = Math.min(1, 2 * normalTail((z * (distance - 0.5)) / distance));
        expect(p.either).toBeCloseTo(expected, 10);
      }),
    );
  });
});
