import { describe, expect, it } from 'vitest';
import { leftOf } from '../../src/core/duration.ts';

describe('T11 a wait that somebody asked for', () => {
  it('ends after its time, and at once when the clock was set back behind its beginning', () => {
    const wait = { sinceMs: 1000, forMs: 500 };
    expect([1000, 1400, 1500, 9000].map((nowMs) => leftOf(wait, nowMs))).toEqual([500, 100, 0, 0]);
    expect(leftOf(wait, 999)).toBe(0);
    expect(leftOf(undefined, 1000)).toBe(0);
  });
});
