import { describe, expect, it } from 'vitest';
import { emptyMemory, judge } from '../../../src/core/judge/judge.ts';
import { scoreOf } from '../../../src/core/judge/score.ts';
import { compareSamples } from '../../../src/core/judge/stats/compare-samples.ts';
import { hodgesLehmann } from '../../../src/core/judge/stats/hodges-lehmann.ts';
import { sorted } from '../../../src/core/judge/stats/sorted.ts';
import { NOW, number, signal } from './builders.ts';
import { policy } from './policy.ts';

// Where this judge differs on purpose from the one that Netflix published (Kayenta), each on numbers of our own.

const REPEATED = Array.from({ length: 40 }, (_, index) => 10 + (index % 3));

describe('differences on purpose', () => {
  it('H1 the bounds of a shift are exact, in any unit: a root search with an absolute tolerance answers its tolerance', () => {
    // By hand: the same three values on both sides, so that the differences are −2 to 2 and the middle ones are 0.
    const tiny = REPEATED.map((value) => value * 2 ** -20);
    expect(hodgesLehmann(sorted(REPEATED), sorted(REPEATED), 0.98)).toEqual({
      shift: 0,
      interval: { low: 0, high: 0 },
    });
    const down = hodgesLehmann(sorted(tiny), sorted(tiny.map((value) => value - 2 ** -20)), 0.98);
    expect(down).toEqual({ shift: -(2 ** -20), interval: { low: -(2 ** -20), high: -(2 ** -20) } });
  });

  it('H3 too few samples never pass, not even when all of them are the same', () => {
    expect(compareSamples([1, 1], [1, 1, 1], policy({ direction: 'decrease' })).is).toBe('too-few');
    expect(compareSamples([], [], policy()).is).toBe('too-few');
    expect(compareSamples([1, 1, 1, 1, 1], [1, 1, 1, 1, 1], policy()).is).toBe('same');
  });

  it('H1 the tolerance and the confidence of the signal are used, not constants', () => {
    const higher = REPEATED.map((value) => value + 1);
    const p = 2e-5;
    expect(compareSamples(REPEATED, higher, policy({ tolerance: 0.05, confidence: 0.98 })).is).toBe('increased');
    expect(compareSamples(REPEATED, higher, policy({ tolerance: 0.25, confidence: 0.98 })).is).toBe('same');
    expect(compareSamples(REPEATED, higher, policy({ tolerance: 0.05, confidence: 1 - p / 1e4 })).is).toBe('same');
  });

  it('H1 a failed critical signal decides the verdict and leaves the score to the others', () => {
    const scored = signal({ name: 'latency', role: 'scored' });
    const { judgement } = judge([signal(), scored], emptyMemory(), [number(9), number(0, { signal: 'latency' })], NOW);
    expect(judgement).toMatchObject({ verdict: 'degraded', score: 100 });
  });

  it('H1 signals without a group are scored, also when the weights of the groups are 100 together', () => {
    const good = { group: 'errors', weight: 1, isGood: true };
    const bad = { group: null, weight: 1, isGood: false };
    expect(scoreOf([good, bad], { errors: 60 })).toBeCloseTo(60, 9);
    expect(scoreOf([good, bad], { errors: 100 })).toBeCloseTo(50, 9);
  });

  it('H1 the weight of a group of which nothing was judged is shared out', () => {
    const good = { group: 'errors', weight: 1, isGood: true };
    const bad = { group: 'latency', weight: 1, isGood: false };
    expect(scoreOf([good, bad], { errors: 30, latency: 10, business: 60 })).toBeCloseTo(75, 9);
  });
});
