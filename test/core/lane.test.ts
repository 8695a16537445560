import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { givesWay, nextInLane, occupies } from '../../src/core/lane.ts';
import { isOver, type PhaseName, type Rollout } from '../../src/core/rollout.ts';
import { OVER, PHASES, rolloutAt, supersededBy } from '../support/given.ts';
import { aRelease } from '../support/service.ts';

const templates = new Map(PHASES.map((name) => [name, rolloutAt(name).rollout]));

/** The n-th release in this phase; a larger n is newer. */
function inPhase(name: PhaseName, n: number, over: Partial<Rollout> = {}): Rollout {
  const template = templates.get(name);
  if (!template) throw new Error(name);
  return { ...template, id: `r${n}`, release: aRelease(n), ...over };
}

describe('G8 one release at a time on a lane', () => {
  it('nothing waits: nothing happens', () => {
    expect(nextInLane([])).toEqual({ start: null, supersede: [] });
    expect(nextInLane([inPhase('building', 1), inPhase('baking', 2)])).toEqual({ start: null, supersede: [] });
  });

  it('the newest green one starts, those in between are superseded and told by which', () => {
    const lane = [inPhase('queued', 1), inPhase('queued', 2), inPhase('queued', 3)];
    const { sha: bySha } = aRelease(3);
    expect(nextInLane(lane)).toEqual({
      start: 'r3',
      supersede: [
        { id: 'r1', byRollout: 'r3', bySha },
        { id: 'r2', byRollout: 'r3', bySha },
      ],
    });
  });

  it('an older one that still builds is superseded, a newer one that builds holds nobody up', () => {
    const move = nextInLane([inPhase('building', 1), inPhase('queued', 2), inPhase('building', 3)]);
    expect(move.start).toBe('r2');
    expect(move.supersede.map((one) => one.id)).toEqual(['r1']);
  });

  it.each([
    'surveying',
    'clearing',
    'deploying',
    'verifying',
    'baking',
    'deciding',
    'rolling-back',
  ] satisfies PhaseName[])('one that is %s keeps the lane: the newest waits for it', (name) => {
    const move = nextInLane([inPhase(name, 1), inPhase('queued', 2), inPhase('queued', 3)]);
    expect(move.start).toBeNull();
    expect(move.supersede.map((one) => one.id)).toEqual(['r2']);
  });

  it.each(['gated', 'holding'] satisfies PhaseName[])('G1 D6 one that is %s gives way to a newer green one', (name) => {
    const move = nextInLane([inPhase(name, 1), inPhase('queued', 2)]);
    expect(move).toMatchObject({ start: 'r2', supersede: [{ id: 'r1' }] });
  });

  it('one that waits at a gate between two steps keeps the lane: its stage is half done', () => {
    const half = rolloutAt('clearing', { step: 'wave 1' }).until('gated', null, { eligible: [] }).rollout;
    const move = nextInLane([{ ...half, id: 'r1', release: aRelease(1) }, inPhase('queued', 2)]);
    expect(move).toEqual({ start: null, supersede: [] });
  });

  it.each(['gated', 'holding'] satisfies PhaseName[])('T7 one that is %s never gives way to an older one', (name) => {
    expect(nextInLane([inPhase(name, 2), inPhase('queued', 1)])).toEqual({ start: null, supersede: [] });
  });

  it('a rollback keeps the lane and is never superseded', () => {
    const back = inPhase('rolling-back', 1, { kind: 'rollback' });
    expect(nextInLane([back, inPhase('queued', 2)])).toEqual({ start: null, supersede: [] });
  });

  it('two merges of the same second go by the order in which they were recorded', () => {
    const { mergedAtMs } = aRelease(1);
    const lane = [2, 1].map((n) => inPhase('queued', n, { release: aRelease(n, { mergedAtMs }) }));
    expect(nextInLane(lane)).toMatchObject({ start: 'r2', supersede: [{ id: 'r1' }] });
  });

  it('who is superseded ends with the reason, and who is on its way ignores it', () => {
    const scene = rolloutAt('gated').when(supersededBy('rollout-2'));
    expect(scene.in('superseded')).toMatchObject({ byRollout: 'rollout-2' });
    expect(rolloutAt('baking').when(supersededBy('rollout-2')).answer.is).toBe('ignored');
  });
});

describe('G8 for every lane there could be', () => {
  const anyLane = fc
    .array(fc.tuple(fc.constantFrom(...PHASES), fc.nat(8), fc.boolean()), { maxLength: 8 })
    .map((all) =>
      all.map(([name, merged, isRollback], n) => {
        const release = aRelease(n, { mergedAtMs: merged * 1000 });
        return inPhase(name, n, { release, kind: isRollback && name === 'rolling-back' ? 'rollback' : 'release' });
      }),
    )
    // What a lane can be: at most one has started.
    .map((lane) => lane.filter((one, n) => !occupies(one) || lane.findIndex(occupies) === n));

  it('at most one occupies it after the move, whoever is superseded gives way to something newer', () => {
    fc.assert(
      fc.property(anyLane, (lane) => {
        const move = nextInLane(lane);
        const ended = new Set(move.supersede.map((one) => one.id));
        const after = lane.filter((one) => occupies(one) && !ended.has(one.id)).map((one) => one.id);
        if (move.start) after.push(move.start);
        expect(new Set(after).size).toBeLessThanOrEqual(1);
        for (const { id, byRollout } of move.supersede) {
          const one = lane.find((other) => other.id === id);
          const by = lane.find((other) => other.id === byRollout);
          if (!one || !by) throw new Error('superseded by nobody');
          expect(givesWay(one)).toBe(true);
          expect(isOver(one)).toBe(false);
          expect(one.release.mergedAtMs).toBeLessThanOrEqual(by.release.mergedAtMs);
        }
        if (move.start) expect(ended.has(move.start)).toBe(false);
      }),
    );
  });

  it('what starts is the newest green one, and a lane with a green one and nobody on its way never stands still', () => {
    fc.assert(
      fc.property(anyLane, (lane) => {
        const { start } = nextInLane(lane);
        const queued = lane.filter((one) => one.phase.is === 'queued');
        const newest = Math.max(...queued.map((one) => one.release.mergedAtMs));
        if (start) expect(lane.find((one) => one.id === start)?.release.mergedAtMs).toBe(newest);
        if (queued.length > 0 && !lane.some(occupies)) expect(start).not.toBeNull();
      }),
    );
  });

  it.each(OVER)('one that is %s plays no part any more', (name) => {
    expect(occupies(inPhase(name, 1))).toBe(false);
    expect(nextInLane([inPhase(name, 1), inPhase('queued', 2)])).toEqual({ start: 'r2', supersede: [] });
  });
});
