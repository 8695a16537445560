import { describe, expect, it } from 'vitest';
import { stepAt } from '../../src/core/plan.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { createClockWatch } from '../../src/engine/leap.ts';
import { punctualLedger } from '../../src/engine/punctual-ledger.ts';
import type { World } from '../support/given.ts';
import { actor, aService } from '../support/service.ts';
import { memoryLedger } from '../support/store.ts';
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

describe('T11 a clock that leaps is noticed', () => {
  it('by as much as it was set back, once', () => {
    const clock = manualClock();
    const watch = createClockWatch(clock);
    clock.advance(90_000);
    expect(watch.leapMs()).toBe(0);
    clock.set(-HOUR_MS);
    clock.advance(700);
    expect(watch.leapMs()).toBe(-HOUR_MS);
    watch.allowFor(-HOUR_MS);
    expect(watch.leapMs()).toBe(0);
  });
  it('not when it is corrected a little, until the corrections have come together', () => {
    const clock = manualClock();
    const watch = createClockWatch(clock);
    for (let day = 0; day < 4; day += 1) {
      clock.set(-250);
      expect(watch.leapMs()).toBe(0);
    }
    clock.set(-1);
    expect(watch.leapMs()).toBe(-1001);
  });
  it('by as much as it was set forward or the machine slept, and from there on from what it shows then', () => {
    const clock = manualClock();
    const watch = createClockWatch(clock);
    clock.set(8 * HOUR_MS);
    expect(watch.leapMs()).toBe(8 * HOUR_MS);
    watch.allowFor(8 * HOUR_MS);
    clock.set(-2 * HOUR_MS);
    expect(watch.leapMs()).toBe(-2 * HOUR_MS);
  });
  it('at a start, where something was written down later than it is now', () => {
    const clock = manualClock();
    const leapAfter = (newestAtMs: number | null) => {
      const watch = createClockWatch(clock);
      watch.begin(newestAtMs);
      watch.begin(newestAtMs);
      return watch.leapMs();
    };
    expect(leapAfter(clock.now() + HOUR_MS)).toBe(-HOUR_MS);
    expect(leapAfter(clock.now() - HOUR_MS)).toBe(0);
    expect(leapAfter(null)).toBe(0);
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
    expect(house.audited().at(-1)).toBe('clock-leapt');
    expect(house.said).toContain('the clock was set back: what is owed was moved by as much');
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
    const start = () => {
      const { clock } = house;
      const ledger = punctualLedger(memoryLedger(house.database), clock, SILENT);
      return createEngine({ ledger, perform: performIn({}, clock.now), clock, log: SILENT });
    };
    house.clock.set(-HOUR_MS);
    await start().tick();
    expect(await dueInMs(house)).toBe(soonMs);
    await start().tick();
    expect(await dueInMs(house)).toBe(soonMs);
  });
});

describe('T11 nothing is chosen or ended sooner because the clock leapt', () => {
  /** A wave in production that got worse: it rolls back unless somebody decides within ten minutes. */
  async function deciding() {
    const world: Partial<World> = {};
    const house = aHouse({ world });
    await house.merge(1);
    await house.until('gated');
    for (let { phase, plan } = await house.until('baking'); ; { phase, plan } = await house.rollout()) {
      if (phase.is === 'baking' && stepAt(plan, phase.at).kind === 'wave') break;
      await house.step();
    }
    world.health = 'bad';
    await house.until('deciding');
    while ((await house.engine.tick()) > 0);
    return house;
  }
  const countdownOf = ({ phase }: Rollout) => (phase.is === 'deciding' ? phase.countdown?.atMs : null);
  const phaseIn = async (house: ReturnType<typeof aHouse>, ms: number) => {
    house.clock.advance(ms);
    while ((await house.engine.tick()) > 0);
    return (await house.rollout()).phase.is;
  };

  it.each([
    ['set forward', 2 * HOUR_MS],
    ['set back', -HOUR_MS],
  ])('people have as long to decide as they were told, and are told when that is: %s', async (_, byMs) => {
    const house = await deciding();
    const toldMs = countdownOf(await house.rollout()) ?? Number.NaN;
    house.clock.set(byMs);
    expect(await phaseIn(house, 590_000)).toBe('deciding');
    expect(countdownOf(await house.rollout())).toBe(toldMs + byMs);
    expect(await phaseIn(house, 11_000)).toBe('rolled-back');
  });

  it('what is owed between the leap and the next look at the clock does not move with the rest', async () => {
    const house = aHouse();
    await house.merge(1);
    await house.until('gated');
    while ((await house.engine.tick()) > 0);
    house.clock.set(-HOUR_MS);
    await house.approve('rollout-001');
    const { generation } = await house.rollout();
    await house.engine.tick(0);
    const row = house.database.raw.prepare("SELECT min(due_at_ms) FROM owed WHERE generation = ? AND kind = 'clear'");
    expect(row.pluck().get(generation)).toBe(house.clock.now());
  });

  it('a step that is watched is measured from when it began, by the clock as it is now', async () => {
    const house = aHouse();
    await house.merge(1);
    const before = (await house.until('baking')).phase;
    house.clock.set(-HOUR_MS);
    await house.engine.tick();
    const { phase, watchedFromMs } = await house.rollout();
    const sinceMs = 'sinceMs' in before ? before.sinceMs - HOUR_MS : null;
    expect([phase.is, 'sinceMs' in phase && phase.sinceMs, watchedFromMs]).toEqual(['baking', sinceMs, sinceMs]);
  });
});
