import { describe, expect, it } from 'vitest';
import { isOver, type PhaseName, SCHEMA } from '../../src/core/rollout.ts';
import { touchedIn } from '../../src/core/step.ts';
import { upcastRollout } from '../../src/core/upcast.ts';
import { actor } from '../support/service.ts';
import { OLD_WORLDS, type OldWorld, oldWorld, storedRollouts, upgradedHouse } from './old-house.ts';

const BACK: PhaseName[] = ['rolling-back', 'rolled-back'];

const open = (world: OldWorld) =>
  storedRollouts(world)
    .filter((one) => !isOver(one))
    .sort((a, b) => (a.id < b.id ? -1 : 1));

describe('an upgrade with rollouts in flight', () => {
  it.each(OLD_WORLDS)('T13 goes on to its good end with what was $name', async (world) => {
    const house = await upgradedHouse(world);
    for (const { id, phase } of open(world)) {
      const end = await house.toItsEnd(id);
      expect(end.phase.is).toBe(BACK.includes(phase.is) ? 'rolled-back' : 'succeeded');
      expect(end.schema).toBe(SCHEMA);
    }
    // Nothing stumbled, and nothing is owed that nobody can do.
    expect(house.said).toEqual([]);
    for (let turn = 0; turn < 20; turn += 1) await house.step();
    expect(await house.ledger.nextDueAtMs()).toBeNull();
  });

  it.each(OLD_WORLDS)('T13 shows what was $name as it was', async (world) => {
    const house = await upgradedHouse(world);
    const history = await house.ledger.history('shop', 10);
    expect(history).toHaveLength(storedRollouts(world).length);
    for (const stored of storedRollouts(world)) {
      const shown = history.find((one) => one.id === stored.id);
      expect(shown?.phase).toMatchObject({ is: stored.phase.is });
      expect(shown?.plan.hash).toBe(stored.plan.hash);
      expect(shown).toEqual(await house.rollout(stored.id));
    }
  });

  it.each(OLD_WORLDS.filter((world) => open(world).length > 0))('T10 takes back what was $name', async (world) => {
    const house = await upgradedHouse(world);
    const [first] = open(world);
    if (!first) throw new Error('nothing is open');
    const touched = 'at' in first.phase ? touchedIn(upcastRollout(first), first.phase.at) : [];
    const outcome = await house.rollBack(first.id);
    // One that is on its way back already says so.
    if (first.phase.is !== 'rolling-back') expect(outcome?.is).toBe('accepted');
    const end = await house.toItsEnd(first.id);
    expect(end.phase.is).toBe(touched.length > 0 ? 'rolled-back' : 'aborted');
    for (const target of touched) {
      const back = first.before[target]?.digest;
      expect(back).toBeDefined();
      expect(new Set(await house.runs(target))).toEqual(new Set([back]));
    }
    expect(house.said).toEqual([]);
  });

  it('T10 takes back with one command what had succeeded before', async () => {
    const house = await upgradedHouse(oldWorld('succeeded'));
    const wish = { service: house.service, stage: null, to: null, actor: actor('cho'), because: 'it hurts' };
    const outcome = await house.commands.rollback(wish);
    if (outcome.is !== 'accepted') throw new Error(JSON.stringify(outcome));
    expect((await house.toItsEnd(outcome.rollout.id)).phase.is).toBe('rolled-back');
    expect(new Set(await house.runs('eu'))).toEqual(new Set(['sha256:first']));
    expect(house.said).toEqual([]);
  });

  it('G1 counts the approval that was given before, and asks for the other one only', async () => {
    const house = await upgradedHouse(oldWorld('gated, half approved'));
    await house.approve('rollout-001', 'bo');
    expect((await house.rollout()).phase.is).toBe('clearing');
    expect((await house.toItsEnd('rollout-001')).phase.is).toBe('succeeded');
    expect(house.seen).not.toContain('gated');
  });

  it.each(['clearing', 'deploying', 'baking'])('G1 asks nobody again for what was approved and is %s', async (name) => {
    const house = await upgradedHouse(oldWorld(name));
    await house.toItsEnd('rollout-001');
    expect(house.seen).not.toContain('gated');
  });

  it('R4 keeps the bake time that was watched before, and watches the rest', async () => {
    const house = await upgradedHouse(oldWorld('baking'));
    const { phase } = await house.rollout();
    if (phase.is !== 'baking') throw new Error(phase.is);
    expect(phase).toMatchObject({ observedMs: 4000, forMs: 10_000, round: 2 });
    const startedMs = house.clock.now();
    let now = await house.rollout();
    for (let turn = 0; turn < 50 && now.generation === 13; turn += 1) {
      await house.step();
      now = await house.rollout();
    }
    expect(now.generation).toBeGreaterThan(13);
    expect(house.clock.now() - startedMs).toBe(6000);
  });
});
