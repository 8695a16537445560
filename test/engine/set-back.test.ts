import { describe, expect, it } from 'vitest';
import { createEngine } from '../../src/engine/engine.ts';
import { createSetBack } from '../../src/engine/set-back.ts';
import { actor, aService } from '../support/service.ts';
import { aHouse, manualClock, performIn } from './world.ts';

const HOUR_MS = 3_600_000;
const SILENT = { warn() {}, error() {} };

function needsTwo() {
  const service = aService();
  const stages = service.stages.map((stage) =>
    stage.approvals ? { ...stage, approvals: { ...stage.approvals, required: 2 } } : stage,
  );
  return { ...service, stages };
}

describe('T11 a clock that was set back is noticed', () => {
  it('by as much as it was set back, once', () => {
    const clock = manualClock();
    const setBack = createSetBack(clock, null);
    clock.advance(90_000);
    expect(setBack.byMs()).toBe(0);
    clock.set(-HOUR_MS);
    clock.advance(700);
    expect(setBack.byMs()).toBe(HOUR_MS);
    setBack.allowFor(HOUR_MS);
    expect(setBack.byMs()).toBe(0);
  });
  it('not when it is corrected a little, until the corrections have come together', () => {
    const clock = manualClock();
    const setBack = createSetBack(clock, null);
    for (let day = 0; day < 4; day += 1) {
      clock.set(-250);
      expect(setBack.byMs()).toBe(0);
    }
    clock.set(-1);
    expect(setBack.byMs()).toBe(1001);
  });
  it('from what it showed last, when it was set forward or the machine slept before', () => {
    const clock = manualClock();
    const setBack = createSetBack(clock, null);
    clock.set(8 * HOUR_MS);
    expect(setBack.byMs()).toBe(0);
    clock.set(-2 * HOUR_MS);
    expect(setBack.byMs()).toBe(2 * HOUR_MS);
  });
  it('at a start, where something was written down later than it is now', () => {
    const clock = manualClock();
    expect(createSetBack(clock, clock.now() + HOUR_MS).byMs()).toBe(HOUR_MS);
    expect(createSetBack(clock, clock.now() - HOUR_MS).byMs()).toBe(0);
  });
});

describe('T10 T11 T17 when the clock is set back', () => {
  const dueInMs = async (house: ReturnType<typeof aHouse>) =>
    ((await house.ledger.nextDueAtMs()) ?? Number.NaN) - house.clock.now();

  it('a step is looked at as soon as it would have been', async () => {
    const house = aHouse();
    await house.merge(1);
    await house.until('baking');
    while ((await house.engine.tick()) > 0);
    const soonMs = await dueInMs(house);
    house.clock.set(-HOUR_MS);
    expect(await dueInMs(house)).toBe(soonMs + HOUR_MS);
    await house.engine.tick();
    expect(await dueInMs(house)).toBe(soonMs);
    expect(house.audited().at(-1)).toBe('clock-set-back');
    expect(house.said).toContain('the clock was set back: what is owed was brought forward by as much');
  });
  it('a rollback that failed is tried again as soon as it would have been', async () => {
    const good = performIn({}, () => house.clock.now());
    const house: ReturnType<typeof aHouse> = aHouse({
      perform: async (owed, rollout, signal) =>
        owed.due.kind === 'roll-back'
          ? { is: 'failed', detail: '503', retryAfterMs: null }
          : good(owed, rollout, signal),
    });
    await house.merge(1);
    await house.until('baking');
    const { id } = await house.rollout();
    await house.act(id, () => ({ type: 'rollback-requested', actor: actor('dan'), because: 'worse', to: null }));
    await house.engine.tick();
    house.clock.set(-HOUR_MS);
    await house.engine.tick();
    expect(await dueInMs(house)).toBeLessThanOrEqual(5000);
  });
  it('approvals that wait for others are void, though nothing else happens to their rollout for as long', async () => {
    const house = aHouse({ service: needsTwo() });
    await house.merge(1);
    await house.until('gated');
    await house.approve('rollout-001', 'ben');
    house.clock.advance(3 * HOUR_MS);
    house.clock.set(-2 * HOUR_MS);
    await house.engine.tick();
    expect((await house.rollout()).approvals).toEqual([]);
  });
  it('while Belay is down, its next start notices; and the one after it does not notice it again', async () => {
    const house = aHouse();
    await house.merge(1);
    await house.until('baking');
    while ((await house.engine.tick()) > 0);
    const soonMs = await dueInMs(house);
    const start = () =>
      createEngine({ ledger: house.ledger, perform: performIn({}, house.clock.now), clock: house.clock, log: SILENT });
    house.clock.set(-HOUR_MS);
    await start().tick();
    expect(await dueInMs(house)).toBe(soonMs);
    await start().tick();
    expect(await dueInMs(house)).toBe(soonMs);
  });
});
