import { describe, expect, it } from 'vitest';
import { compareRates } from '../../../../src/core/judge/stats/compare-rates.ts';
import { policy } from '../policy.ts';

const FEW = { failed: 10, total: 10_000 };
const MANY = { failed: 50, total: 10_000 };

describe('failures of the canary against those of the baseline', () => {
  it('H1 finds sparse errors, and says how many of how many', () => {
    expect(compareRates(FEW, MANY, policy())).toEqual({
      is: 'increased',
      effect: 'increased',
      p: expect.closeTo(2 * 7.768411483354685e-8, 12),
      shift: expect.closeTo(0.004, 12),
      interval: { low: expect.closeTo(0.0026, 3), high: expect.closeTo(0.0057, 3) },
      relativeShift: expect.closeTo(4, 12),
      cles: null,
      meanRatio: null,
      baseline: { samples: 10_000, level: 0.001 },
      canary: { samples: 10_000, level: 0.005 },
      isWeak: false,
      spread: null,
    });
  });

  it('H1 six requests of which four fail are found where a rank test of 0, 1, 2, 1, 0, 0 is blind', () => {
    const found = compareRates({ failed: 0, total: 600 }, { failed: 4, total: 60 }, policy({ direction: 'increase' }));
    expect(found).toMatchObject({ is: 'increased', relativeShift: null });
  });

  it('H1 direction, tolerance and confidence are used', () => {
    expect(compareRates(FEW, MANY, policy({ direction: 'decrease' })).is).toBe('same');
    expect(compareRates(MANY, FEW, policy({ direction: 'decrease' })).is).toBe('decreased');
    expect(compareRates(MANY, FEW, policy({ direction: 'increase' })).is).toBe('same');
    expect(compareRates(FEW, MANY, policy({ tolerance: 3.9 })).is).toBe('increased');
    expect(compareRates(FEW, MANY, policy({ tolerance: 4.1 })).is).toBe('same');
    expect(compareRates(FEW, MANY, policy({ confidence: 0.999_999 })).is).toBe('increased');
    expect(compareRates(FEW, MANY, policy({ confidence: 0.999_999_9 })).is).toBe('same');
  });

  it('H3 no requests, or fewer than five, say nothing: neither good nor bad', () => {
    for (const total of [0, 4]) {
      expect(compareRates(FEW, { failed: 0, total }, policy())).toEqual({
        is: 'too-few',
        baseline: { samples: 10_000 },
        canary: { samples: total },
      });
      expect(compareRates({ failed: total, total }, MANY, policy()).is).toBe('too-few');
    }
  });

  it.each([
    { failed: 11, total: 10 },
    { failed: -1, total: 10 },
    { failed: 0, total: -1 },
    { failed: Number.NaN, total: 10 },
    { failed: 1, total: Number.NaN },
    { failed: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY },
    { failed: 0, total: Number.POSITIVE_INFINITY },
  ])('H3 impossible counts are an error: %o', (counts) => {
    expect(compareRates(counts, MANY, policy())).toMatchObject({ is: 'error', reason: 'bad-counts' });
    expect(compareRates(FEW, counts, policy())).toMatchObject({ is: 'error', reason: 'bad-counts' });
  });

  it('H1 counts that a source extrapolated are rounded', () => {
    expect(compareRates({ failed: 9.7, total: 10_000.4 }, { failed: 50.2, total: 9999.6 }, policy())).toEqual(
      compareRates(FEW, MANY, policy()),
    );
  });

  it('H1 works at a thousand million requests a side', () => {
    const found = compareRates({ failed: 1000, total: 1e9 }, { failed: 1300, total: 1e9 }, policy({ tolerance: 0.1 }));
    expect(found).toMatchObject({ is: 'increased', relativeShift: expect.closeTo(0.3, 9) });
  });
});
