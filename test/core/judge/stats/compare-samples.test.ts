import { describe, expect, it } from 'vitest';
import { compareSamples } from '../../../../src/core/judge/stats/compare-samples.ts';
import { withAdjustedP } from '../../../../src/core/judge/stats/difference.ts';
import { policy } from '../policy.ts';

const LOW = [10, 11, 12, 13, 14, 15, 16, 17];
const HIGH = LOW.map((value) => value + 10);

function verdict(baseline: number[], canary: number[], changes: Parameters<typeof policy>[0] = {}) {
  return compareSamples(baseline, canary, policy(changes)).is;
}

describe('canary against baseline', () => {
  it('H1 says how far, how sure, on how many samples, and that they are few', () => {
    // By hand: all 64 pairs are larger, so U = 64 and p = 2 / C(16, 8) = 2/12870; P(U ≤ 13) is the last under 2.5 %.
    expect(compareSamples(LOW, HIGH, policy())).toEqual({
      is: 'increased',
      effect: 'increased',
      p: expect.closeTo(2 / 12870, 12),
      shift: 10,
      interval: { low: 7, high: 13 },
      relativeShift: expect.closeTo(10 / 13.5, 12),
      cles: 1,
      meanRatio: expect.closeTo(23.5 / 13.5, 12),
      baseline: { samples: 8, level: 13.5 },
      canary: { samples: 8, level: 23.5 },
      isWeak: true,
      spread: { is: 'same', p: 1, ratio: 1 },
    });
  });

  it('H1 more than fifty samples on both sides are not weak', () => {
    const many = Array.from({ length: 51 }, (_, index) => index);
    expect(compareSamples(many, many, policy())).toMatchObject({ is: 'same', isWeak: false });
    expect(compareSamples(many, many.slice(1), policy())).toMatchObject({ is: 'same', isWeak: true });
  });

  it.each([
    ['increase', 'increased', 'same'],
    ['decrease', 'same', 'decreased'],
    ['either', 'increased', 'decreased'],
  ] as const)('H1 a direction of %s finds only that', (direction, up, down) => {
    expect(verdict(LOW, HIGH, { direction })).toBe(up);
    expect(verdict(HIGH, LOW, { direction })).toBe(down);
  });

  it('H1 the tolerance is used: a shift of 74 % counts at 70 %, not at 80 %', () => {
    expect(verdict(LOW, HIGH, { tolerance: 0.7 })).toBe('increased');
    expect(verdict(LOW, HIGH, { tolerance: 0.8 })).toBe('same');
  });

  it('H1 the confidence is used: p = 0.00016 counts at 99.9 %, not at 99.99 %', () => {
    expect(verdict(LOW, HIGH, { confidence: 0.999 })).toBe('increased');
    expect(verdict(LOW, HIGH, { confidence: 0.9999 })).toBe('same');
  });

  it('H1 the floor of the effect size is used: 86 % of pairs count at 0.85, not at 0.9', () => {
    const some = LOW.map((value) => value + 4);
    // By hand: with a step of 4 in a run of 8, pairs that are not larger: 6 (and 4 ties), so (64 − 10 + 2)/64 = 0.875.
    expect(compareSamples(LOW, some, policy())).toMatchObject({ is: 'increased', cles: 0.875 });
    expect(verdict(LOW, some, { minEffect: 0.87 })).toBe('increased');
    expect(verdict(LOW, some, { minEffect: 0.88 })).toBe('same');
    expect(verdict(some, LOW, { minEffect: 0.87 })).toBe('decreased');
    expect(verdict(some, LOW, { minEffect: 0.88 })).toBe('same');
  });

  it('H3 fewer than five on a side say nothing, whatever they are', () => {
    for (const [baseline, canary] of [
      [[], []],
      [LOW, [99, 99, 99, 99]],
      [[1, 2, 3, 4], HIGH],
    ] as const) {
      expect(compareSamples(baseline, canary, policy())).toEqual({
        is: 'too-few',
        baseline: { samples: baseline.length },
        canary: { samples: canary.length },
      });
    }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'H3 a sample of %d is an error',
    (value) => {
      expect(compareSamples([...LOW, value], LOW, policy())).toMatchObject({ is: 'error', reason: 'not-a-number' });
      expect(compareSamples(LOW, [...LOW, value], policy())).toMatchObject({ is: 'error', reason: 'not-a-number' });
      expect(compareSamples([value], [], policy())).toMatchObject({ is: 'error', reason: 'not-a-number' });
    },
  );

  it('H3 samples that are too far apart for a number are an error, not infinitely much', () => {
    const far = LOW.map((value) => value * 1e307);
    expect(
      compareSamples(
        far.map((value) => -value),
        far,
        policy(),
      ),
    ).toMatchObject({ is: 'error' });
  });

  it.each([
    { confidence: Number.NaN },
    { confidence: 1 },
    { confidence: 0 },
    { tolerance: -0.1 },
    { tolerance: Number.NaN },
    { minEffect: 0.4 },
    { minEffect: Number.NaN },
  ])('H3 a policy of %o lets nothing pass', (changes) => {
    expect(compareSamples(LOW, LOW, policy(changes))).toMatchObject({ is: 'error', reason: 'bad-policy' });
  });

  it('H1 constant series are compared like any other', () => {
    const still = Array.from({ length: 30 }, () => 5);
    expect(compareSamples(still, still, policy())).toMatchObject({ is: 'same', p: 1, shift: 0, relativeShift: 0 });
    expect(
      verdict(
        still,
        still.map((value) => value * 2),
      ),
    ).toBe('increased');
    expect(
      verdict(
        still,
        still.map((value) => value * 1.001),
        { tolerance: 0.01 },
      ),
    ).toBe('same');
  });

  it('H1 beside a baseline of zero there is nothing to relate a shift to, and every likely one counts', () => {
    const zero = Array.from({ length: 30 }, () => 0);
    const few = zero.map((_, index) => (index % 2 === 0 ? 0.001 : 0.002));
    expect(compareSamples(zero, few, policy({ tolerance: 0.5 }))).toMatchObject({
      is: 'increased',
      relativeShift: null,
      meanRatio: null,
    });
  });

  it('H1 a change that leaves the middle where it was is seen by the mean: every third sample is bad', () => {
    const baseline = Array.from({ length: 60 }, () => 1);
    const canary = baseline.map((value, index) => (index % 3 === 0 ? 5 : value));
    expect(compareSamples(baseline, canary, policy({ tolerance: 0.1, confidence: 0.99 }))).toMatchObject({
      is: 'increased',
      shift: 0,
      meanRatio: expect.closeTo(7 / 3, 12),
    });
  });

  it('H1 a changed spread with equal medians is reported beside the verdict', () => {
    const calm = Array.from({ length: 60 }, (_, index) => 100 + (index % 5) - 2);
    const wild = Array.from({ length: 60 }, (_, index) => 100 + 10 * ((index % 5) - 2));
    const wider = { is: 'wider', ratio: expect.closeTo(10, 9) };
    expect(compareSamples(calm, wild, policy())).toMatchObject({ is: 'same', spread: wider });
    expect(compareSamples(wild, calm, policy())).toMatchObject({ is: 'same', spread: { is: 'narrower' } });
    expect(compareSamples(calm, calm, policy())).toMatchObject({ is: 'same', spread: { is: 'same' } });
    expect(compareSamples(calm, wild, policy({ tolerance: 20 }))).toMatchObject({ spread: { is: 'same' } });
  });

  it('H1 an adjusted p decides anew, and never makes a negligible effect count', () => {
    const found = compareSamples(LOW, HIGH, policy());
    const small = compareSamples(LOW, HIGH, policy({ tolerance: 2 }));
    if (!('p' in found) || !('p' in small)) throw new Error('Both were compared');
    expect(withAdjustedP(found, 0.2, policy())).toMatchObject({ is: 'same', p: 0.2, effect: 'increased' });
    expect(withAdjustedP(found, 0.01, policy())).toMatchObject({ is: 'increased', p: 0.01 });
    expect(withAdjustedP(small, 0, policy())).toMatchObject({ is: 'same' });
  });
});
