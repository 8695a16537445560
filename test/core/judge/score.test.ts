import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Part, scoreOf } from '../../../src/core/judge/score.ts';

function part(group: string | null, isGood: boolean, weight = 1): Part {
  return { group, weight, isGood };
}

describe('the score of a step', () => {
  it.each<[string, Part[], Record<string, number>, number | null]>([
    ['nothing judged has no score', [], {}, null],
    ['nothing that weighs anything has no score', [part(null, true, 0)], {}, null],
    ['all good is 100', [part(null, true), part('a', true)], { a: 20 }, 100],
    ['all bad is 0', [part(null, false), part('a', false)], { a: 20 }, 0],
    ['without groups it is the good share of the weight', [part(null, true, 3), part(null, false, 1)], {}, 75],
    // 70 · ½ + 30 · 1
    ['each group counts with its weight', [part('a', true), part('a', false), part('b', true)], { a: 70, b: 30 }, 65],
    // (60 · 0 + 20 · 1) / 80
    [
      'an absent group leaves its weight to the others',
      [part('a', false), part('b', true)],
      { a: 60, b: 20, c: 20 },
      25,
    ],
    // What 40 leave is 60, for two groups without a weight: 40 · 1 + 30 · 0 + 30 · 1
    [
      'groups without a weight share what is left',
      [part('a', true), part('x', false), part(null, true)],
      { a: 40 },
      70,
    ],
    // 50 each on average, so 50, 50 and 50.
    ['or weigh as much as others do', [part('a', true), part('b', true), part(null, false)], { a: 50, b: 50 }, 200 / 3],
    ['a group may be called constructor', [part('constructor', false), part('a', true)], { a: 25 }, 25],
  ])('H1 %s', (_, parts, weights, score) => {
    expect(scoreOf(parts, weights)).toEqual(score === null ? null : expect.closeTo(score, 9));
  });

  it('H1 is between 0 and 100, and one more good signal never lowers it', () => {
    const parts = fc.array(
      fc.record({
        group: fc.constantFrom(null, 'a', 'b', 'c'),
        weight: fc.integer({ min: 1, max: 9 }),
        isGood: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: 7 }), (judged, index) => {
        const weights = { a: 30, b: 20 };
        const score = scoreOf(judged, weights) ?? Number.NaN;
        const better = judged.map((one, at) => (at === index ? { ...one, isGood: true } : one));
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100 + 1e-9);
        expect(scoreOf(better, weights)).toBeGreaterThanOrEqual(score - 1e-9);
      }),
    );
  });
});
