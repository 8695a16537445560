import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORGET_AFTER_MS, follow, growthOf, type Look, type Track } from '../../src/health/window.ts';

const WINDOW = 30_000;

function watch(looks: Look[]): Track | undefined {
  return looks.reduce<Track | undefined>((track, look) => follow(track, look, WINDOW), undefined);
}

function look(atMs: number, of: number, startedAt: number | null = null): Look {
  return { atMs, startedAt, counts: { of } };
}

function growth(looks: Look[]) {
  const track = watch(looks);
  return track && growthOf(track);
}

describe('the window of a counter', () => {
  it('one look has seen nothing grow', () => {
    expect(growth([look(1_000, 500)])).toEqual({ counts: { of: 0 }, spanMs: 0, endMs: 1_000 });
  });
  it('the same look twice is one look', () => {
    expect(growth([look(1_000, 5), look(1_000, 9)])).toMatchObject({ counts: { of: 0 }, spanMs: 0 });
  });
  it('a clock that was set back starts it anew', () => {
    expect(growth([look(90_000, 5), look(95_000, 9), look(10_000, 20)])).toMatchObject({
      counts: { of: 0 },
      spanMs: 0,
    });
  });
  it('a look after a long time starts it anew: last week is not now', () => {
    const later = WINDOW + FORGET_AFTER_MS;
    expect(growth([look(0, 5), look(later, 9)])?.spanMs).toBe(later);
    expect(growth([look(0, 5), look(later + 1, 9)])?.spanMs).toBe(0);
  });
  it('a series that appears later counts from zero', () => {
    const looks = [{ ...look(0, 0), counts: {} }, look(5_000, 7)];
    expect(growth(looks)).toEqual({ counts: { of: 7 }, spanMs: 5_000, endMs: 5_000 });
  });
  it('reaches back at least the window, and no further than it must', () => {
    const looks = [look(0, 0), look(10_000, 1), look(25_000, 3), look(50_000, 7)];
    expect(growth(looks)).toEqual({ counts: { of: 6 }, spanMs: 40_000, endMs: 50_000 });
  });

  it('sees all that grew between its ends, through restarts, however often it looks, and stays small', () => {
    const steps = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 1, max: 400 }),
        grew: fc.integer({ min: 0, max: 9 }),
        restarts: fc.boolean(),
      }),
      { minLength: 2, maxLength: 600, size: 'max' },
    );
    fc.assert(
      fc.property(steps, (all) => {
        let [atMs, count, total, startedAt] = [0, 0, 0, 0];
        const truth = new Map([[0, 0]]);
        const looks = [look(0, 0, 0)];
        for (const step of all) {
          atMs += step.afterMs;
          total += step.grew;
          count = step.restarts ? step.grew : count + step.grew;
          startedAt += step.restarts ? 1 : 0;
          truth.set(atMs, total);
          looks.push(look(atMs, count, startedAt));
        }
        const track = watch(looks);
        if (!track) throw new Error('nothing was watched');
        const { counts, spanMs, endMs } = growthOf(track);
        expect(endMs).toBe(atMs);
        expect(counts.of).toBe(total - (truth.get(atMs - spanMs) ?? Number.NaN));
        expect(spanMs >= WINDOW || spanMs === atMs).toBe(true);
        expect(track.marks.length).toBeLessThanOrEqual(121);
      }),
      { numRuns: 60 },
    );
  });
});
