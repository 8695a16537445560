import { describe, expect, it } from 'vitest';
import { leapt } from '../../src/core/leap.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { rollout } from '../support/given.ts';
import { aService } from '../support/service.ts';

const HOUR_MS = 3_600_000;

function baking(): Rollout {
  const { rollout: now } = rollout().until('baking', 'canary');
  if (now.phase.is !== 'baking') throw new Error(now.phase.is);
  const line = { values: [1, 2], takenAtMs: now.phase.sinceMs };
  const memory = { ...now.phase.memory, series: { latency: { now: line, baseline: { values: [], takenAtMs: null } } } };
  return { ...now, phase: { ...now.phase, memory } };
}

describe('T11 what a rollout counts by the clock, when the clock is set', () => {
  it('a step goes on being measured: it began before now, and new numbers are newer than the last', () => {
    const before = baking();
    const after = leapt(before, -HOUR_MS).phase;
    if (before.phase.is !== 'baking' || after.is !== 'baking') throw new Error(after.is);
    const sinceMs = before.phase.sinceMs - HOUR_MS;
    expect(after.sinceMs).toBe(sinceMs);
    expect(after.memory.series.latency).toEqual({
      now: { values: [1, 2], takenAtMs: sinceMs },
      baseline: { values: [], takenAtMs: null },
    });
    // Time that nobody watched stays unwatched.
    expect([after.observedMs, after.lastLookMs]).toEqual([before.phase.observedMs, before.phase.lastLookMs]);
  });

  it('T17 a wait for capacity ends after its time, and not later by as much', () => {
    const service = aService({ traffic: { source: 'scrape', query: {}, perInstance: 100 } });
    let scene = rollout({ service }).until('clearing', 'canary', { load: 1 });
    for (let look = 0; look < 6; look += 1) scene = scene.answerOne({ load: 950, servingDuring: 9 }) ?? scene;
    const { shortSinceMs } = scene.in('clearing');
    expect(shortSinceMs).not.toBeNull();
    for (const byMs of [-HOUR_MS, HOUR_MS]) {
      expect(leapt(scene.rollout, byMs).phase).toMatchObject({ shortSinceMs: (shortSinceMs ?? 0) + byMs });
    }
  });

  it('approvals are void when it was set back by more than 5 s, and not when it was set forward', () => {
    const { rollout: approved } = rollout().until('deploying', 'canary');
    expect(approved.approvals).toHaveLength(1);
    expect(leapt(approved, -5001).approvals).toEqual([]);
    expect(leapt(approved, -5000)).toBe(approved);
    expect(leapt(approved, HOUR_MS)).toBe(approved);
  });

  it('nothing else changes', () => {
    const { rollout: queued } = rollout().until('surveying');
    expect(leapt(queued, -HOUR_MS)).toBe(queued);
  });
});
