import { describe, expect, it } from 'vitest';
import type { PhaseName } from '../../src/core/rollout.ts';
import type { Perform, Performed } from '../../src/engine/perform.ts';
import { pauseAfter } from '../../src/engine/settle.ts';
import { START_MS } from '../support/given.ts';
import { actor } from '../support/service.ts';
import { aHouse, performIn, settled } from './world.ts';

/** Performs as a good world does, but what this effect kind gets is the test's to say. */
function performBut(kind: string, special: Perform): Perform {
  const good = performIn({}, () => START_MS);
  return (owed, rollout, signal) =>
    owed.due.kind === kind ? special(owed, rollout, signal) : good(owed, rollout, signal);
}

const failed: Performed = { is: 'failed', detail: '503', retryAfterMs: null };

describe('the engine, tick by tick', () => {
  it('brings a merge to production, with nothing owed at its end', async () => {
    const house = aHouse();
    await house.merge(1);
    const path: PhaseName[] = [];
    for (let turn = 0; turn < 200; turn += 1) {
      const { phase } = await house.rollout();
      if (path.at(-1) !== phase.is) path.push(phase.is);
      if (phase.is === 'succeeded') break;
      if (phase.is === 'gated') await house.approve('rollout-001');
      else await house.step();
    }
    const step = ['clearing', 'deploying', 'verifying', 'baking'];
    expect(path).toEqual([
      'building',
      'surveying',
      ...step,
      'surveying',
      'gated',
      ...step,
      ...step,
      ...step,
      'succeeded',
    ]);
    while ((await house.step()) > 0);
    expect(house.owed()).toEqual([]);
    expect(house.audited()[0]).toBe('created');
    expect((await house.ledger.placements('shop')).map((one) => one.target).sort()).toEqual(['eu', 'staging', 'us']);
    expect(await house.ledger.desired('shop/code')).toMatchObject({ sha: (await house.rollout()).release.sha });
  });

  it('a tick with nothing due does nothing', async () => {
    expect(await aHouse().engine.tick()).toBe(0);
  });

  it('takes no more than it was told', async () => {
    const house = aHouse();
    await house.merge(1);
    expect(await house.engine.tick(1)).toBe(1);
  });

  it('an event for a rollout that does not exist is nobody’s', async () => {
    const house = aHouse();
    const event = { type: 'aborted', atMs: 0, actor: actor('dan'), because: 'x' } as const;
    expect(await house.engine.submit('nobody', event)).toBeNull();
    expect(house.audited()).toEqual([]);
  });

  it('says what was accepted and what was refused, and audits both', async () => {
    const house = aHouse();
    await house.merge(1);
    await house.until('gated');
    expect(await house.approve('rollout-001', 'ana')).toMatchObject({
      is: 'refused',
      refusal: { code: 'participant' },
    });
    expect(await house.approve('rollout-001', 'ben')).toMatchObject({ is: 'accepted' });
    expect(house.audited().slice(-2)).toEqual(['approved refused', 'approved']);
  });

  it('T3 of two who click at once one is first and the other is told so', async () => {
    const house = aHouse();
    await house.merge(1);
    const { generation } = await house.until('gated');
    const clicks = (['ben', 'bo'] as const).map((name) =>
      house.engine.submit('rollout-001', { type: 'approved', atMs: house.clock.now(), generation, actor: actor(name) }),
    );
    const outcomes = await Promise.all(clicks);
    expect(outcomes.map((one) => one?.is)).toEqual(['accepted', 'refused']);
    expect(outcomes[1]).toMatchObject({ refusal: { code: 'too-late', by: 'ben' } });
  });
});

describe('an effect that fails', () => {
  it('is tried again after pauses that double, and is shown since when', async () => {
    const house = aHouse({ perform: performBut('watch-build', async () => failed) });
    await house.merge(1);
    while ((await house.engine.tick()) > 0);
    const sinceMs = house.clock.now();
    const pauses: number[] = [];
    for (let tries = 0; tries < 9; tries += 1) {
      const dueMs = (await house.ledger.nextDueAtMs()) ?? 0;
      pauses.push(dueMs - house.clock.now());
      house.clock.advance(dueMs - house.clock.now());
      while ((await house.engine.tick()) > 0);
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect((await house.rollout()).stumble).toMatchObject({ effect: 'watch-build', detail: '503', sinceMs });
  });

  it('pauses longer and longer, and a rollback never more than 5 s', () => {
    expect([1, 2, 3, 7, 8, 1000].map((attempts) => pauseAfter(attempts, 'deploy'))).toEqual([
      500, 1000, 2000, 30_000, 30_000, 30_000,
    ]);
    expect([1, 4, 5, 1000].map((attempts) => pauseAfter(attempts, 'roll-back'))).toEqual([500, 4000, 5000, 5000]);
  });

  it('waits as long as the other side asked for', async () => {
    const house = aHouse({ perform: performBut('watch-build', async () => ({ ...failed, retryAfterMs: 12_345 })) });
    await house.merge(1);
    await house.engine.tick();
    const due = house.database.raw.prepare("SELECT due_at_ms FROM owed WHERE kind = 'watch-build'").pluck().get();
    expect(due).toBe(house.clock.now() + 12_345);
  });

  it('of a long row of failures the 1st, 2nd, 4th … are said, not each', async () => {
    const house = aHouse({ perform: performBut('watch-build', async () => failed) });
    await house.merge(1);
    for (let turn = 0; turn < 60; turn += 1) await house.step();
    const said = house.audited().filter((what) => what.startsWith('stumbled')).length;
    const tries = house.said.filter((line) => line === 'watch-build failed').length;
    expect(tries).toBeGreaterThan(16);
    expect(said).toBe(Math.floor(Math.log2(tries)) + 1);
  });

  it('by an exception says what it said', async () => {
    const perform = performBut('watch-build', async () => {
      throw new Error('socket hang up');
    });
    const house = aHouse({ perform });
    await house.merge(1);
    await house.engine.tick();
    expect((await house.rollout()).stumble?.detail).toBe('socket hang up');
  });

  it('T17 by never answering is aborted after its time', async () => {
    let signal: AbortSignal | null = null;
    const perform = performBut('watch-build', (_owed, _rollout, given) => {
      signal = given;
      return new Promise(() => {});
    });
    const house = aHouse({ perform, effectTimeoutMs: 5000 });
    await house.merge(1);
    const tick = house.engine.tick();
    await settled();
    house.clock.advance(4999);
    await settled();
    expect(signal).toMatchObject({ aborted: false });
    house.clock.advance(1);
    await settled();
    expect(signal).toMatchObject({ aborted: true });
    house.clock.advance(2000);
    await tick;
    expect((await house.rollout()).stumble?.detail).toBe('no answer within 5000 ms');
  });

  it('an effect that answers in time leaves no timer behind', async () => {
    const house = aHouse();
    await house.merge(1);
    await house.engine.tick();
    await settled();
    expect(house.clock.waiting()).toBe(0);
  });

  it('T12 what tells people never changes the rollout by failing', async () => {
    const house = aHouse({ perform: performBut('project', async () => failed) });
    await house.merge(1);
    for (let turn = 0; turn < 4; turn += 1) await house.engine.tick();
    expect((await house.rollout()).stumble).toBeNull();
    expect((await house.rollout()).phase.is).not.toBe('building');
  });

  it('what is given up is recorded and dropped', async () => {
    const house = aHouse({ perform: performBut('project', async () => ({ is: 'given-up', detail: 'no channel' })) });
    await house.merge(1);
    await house.engine.tick();
    expect(house.audited()).toContain('gave-up');
  });

  it('that was accepted and is under way is no failure: its tries are not counted', async () => {
    const attempts: number[] = [];
    const perform = performBut('watch-build', async (owed) => {
      attempts.push(owed.attempts);
      return { is: 'later', afterMs: 15_000 };
    });
    const house = aHouse({ perform });
    await house.merge(1);
    for (let turn = 0; turn < 4; turn += 1) {
      while ((await house.engine.tick()) > 0);
      house.clock.advance(15_000);
    }
    expect(attempts).toEqual([1, 1, 1, 1]);
    expect((await house.rollout()).stumble).toBeNull();
    expect(house.said).toEqual([]);
  });
});

describe('T6 what is cancelled under way', () => {
  /** A deploy to production that answers when the test says so. */
  async function deploying() {
    const answers: { answer: (performed: Performed) => void; signal: AbortSignal }[] = [];
    const log: string[] = [];
    const good = performIn({}, () => START_MS);
    const perform: Perform = async (owed, rollout, signal) => {
      const { due } = owed;
      if (due.kind === 'roll-back') log.push(`roll back ${due.target}`);
      if (due.kind !== 'deploy' || due.target === 'staging') return good(owed, rollout, signal);
      log.push(`deploy ${due.target}`);
      const performed = await new Promise<Performed>((answer) => answers.push({ answer, signal }));
      log.push(`deploy of ${due.target} let go`);
      return performed;
    };
    const house = aHouse({ perform });
    await house.merge(1);
    await house.until('gated');
    await house.until('deploying');
    const tick = house.engine.tick();
    await settled();
    expect(answers).toHaveLength(2);
    return { house, answers, log, tick };
  }

  const rollBack = { type: 'rollback-requested', actor: actor('dan'), because: 'it hurts', to: null } as const;

  it('is told to stop, and what it still answers is dropped', async () => {
    const { house, answers, tick } = await deploying();
    const { generation } = await house.rollout();
    await house.act('rollout-001', () => rollBack);
    expect(answers.map((one) => one.signal.aborted)).toEqual([true, true]);
    for (const { answer } of answers) answer({ is: 'event', event: { type: 'deployed', generation, target: 'eu' } });
    await tick;
    const now = await house.rollout();
    expect(now.phase).toMatchObject({ is: 'rolling-back', waitingFor: ['us', 'eu'] });
    expect(house.audited().at(-1)).toBe('rollback-requested');
    expect(house.owed().filter((key) => key.includes('/deploy/'))).toEqual([]);
  });

  it('has let go of its target before the next change there begins', async () => {
    const { house, answers, log, tick } = await deploying();
    await house.act('rollout-001', () => rollBack);
    const next = house.engine.tick();
    await settled();
    expect(log).toEqual(['deploy eu', 'deploy us']);
    for (const { answer } of answers) answer(failed);
    await Promise.all([tick, next]);
    expect(log.slice(2)).toEqual(['deploy of eu let go', 'deploy of us let go', 'roll back us', 'roll back eu'].sort());
    expect(log.indexOf('roll back eu')).toBeGreaterThan(log.indexOf('deploy of eu let go'));
    expect(log.indexOf('roll back us')).toBeGreaterThan(log.indexOf('deploy of us let go'));
  });

  it('T10 that never lets go does not block the rollback for long', async () => {
    const { house, log, tick } = await deploying();
    await house.act('rollout-001', () => rollBack);
    const next = house.engine.tick();
    await settled();
    house.clock.advance(1999);
    await settled();
    expect(log).not.toContain('roll back eu');
    house.clock.advance(1);
    await Promise.all([tick, next]);
    expect(log).toContain('roll back eu');
  });

  it('T11 is left alone when the clock leaps: a lease that seems to be over is of a try that is not', async () => {
    const { house, answers, log, tick } = await deploying();
    house.clock.set(2 * 3_600_000);
    const next = house.engine.tick();
    await settled();
    expect(log).toEqual(['deploy eu', 'deploy us']);
    expect(answers.map((one) => one.signal.aborted)).toEqual([false, false]);
    for (const { answer } of answers) answer(failed);
    await Promise.all([tick, next]);
  });

  it('its failure is no stumble of what came after it', async () => {
    const { house, answers, tick } = await deploying();
    await house.act('rollout-001', () => rollBack);
    for (const { answer } of answers) answer(failed);
    await tick;
    expect((await house.rollout()).stumble).toBeNull();
  });
});

describe('the loop', () => {
  function running(house: ReturnType<typeof aHouse>) {
    const stop = new AbortController();
    const ended = house.engine.run(stop.signal);
    return { stop: () => stop.abort(), ended };
  }

  it('works off what is due, is woken by what is asked of it, and stops when told', async () => {
    const house = aHouse();
    const loop = running(house);
    await settled();
    await house.merge(1);
    await settled(200);
    expect((await house.rollout()).phase.is).toBe('baking');
    loop.stop();
    await loop.ended;
    await house.merge(2);
    await settled();
    expect((await house.rollout('rollout-002')).phase.is).toBe('building');
  });

  it('does not spin while nothing is due', async () => {
    const house = aHouse();
    let claims = 0;
    const { write } = house.ledger;
    house.ledger.write = (unit) => {
      claims += 1;
      return write(unit);
    };
    const loop = running(house);
    await settled(300);
    expect(claims).toBeLessThan(3);
    house.clock.advance(1000);
    await settled(50);
    expect(claims).toBeLessThan(5);
    loop.stop();
    await loop.ended;
  });

  it('sleeps until the next thing is due, and not longer than its poll', async () => {
    const house = aHouse({ perform: performBut('watch-build', async () => ({ is: 'later', afterMs: 700 })) });
    await house.merge(1);
    let looks = 0;
    const { nextDueAtMs } = house.ledger;
    house.ledger.nextDueAtMs = () => {
      looks += 1;
      return nextDueAtMs();
    };
    const loop = running(house);
    await settled(100);
    const before = looks;
    house.clock.advance(699);
    await settled(50);
    expect(looks).toBe(before);
    house.clock.advance(1);
    await settled(50);
    expect(looks).toBeGreaterThan(before);
    loop.stop();
    await loop.ended;
  });

  it('goes on when the database could not be asked', async () => {
    const house = aHouse();
    const { write } = house.ledger;
    let isBroken = true;
    house.ledger.write = (unit) => (isBroken ? Promise.reject(new Error('disk full')) : write(unit));
    const loop = running(house);
    await settled();
    expect(house.said).toEqual(['the database could not be asked what is due']);
    isBroken = false;
    await house.merge(1);
    house.clock.advance(1000);
    await settled(200);
    expect((await house.rollout()).phase.is).not.toBe('building');
    loop.stop();
    await loop.ended;
  });

  it('T5 an answer that could not be committed is asked for again when its lease ends', async () => {
    let tries = 0;
    let house: ReturnType<typeof aHouse> | null = null;
    const perform = performBut('watch-build', async (owed, rollout, signal) => {
      tries += 1;
      if (!house) throw new Error('not yet');
      const { ledger } = house;
      const { write } = ledger;
      if (tries === 1) {
        ledger.write = () => {
          ledger.write = write;
          return Promise.reject(new Error('disk full'));
        };
      }
      return performIn({}, () => START_MS)(owed, rollout, signal);
    });
    house = aHouse({
      perform: (owed, rollout, signal) =>
        owed.due.kind === 'project' ? Promise.resolve({ is: 'later', afterMs: 1e9 }) : perform(owed, rollout, signal),
      effectTimeoutMs: 1000,
      concurrency: 1,
    });
    await house.merge(1);
    const loop = running(house);
    await settled(100);
    expect(house.said).toContain('an answer could not be committed');
    expect((await house.rollout()).phase.is).toBe('building');
    house.clock.advance(2000);
    await settled(200);
    expect(tries).toBe(2);
    expect((await house.rollout()).phase.is).not.toBe('building');
    loop.stop();
    await loop.ended;
  });

  it('stops what is under way, and waits until it has let go', async () => {
    let isDone = false;
    const perform = performBut('watch-build', async (_owed, _rollout, signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await settled();
      isDone = true;
      return failed;
    });
    const house = aHouse({ perform });
    await house.merge(1);
    const loop = running(house);
    await settled();
    loop.stop();
    await loop.ended;
    expect(isDone).toBe(true);
    // That Belay ended is no failure of what it did: the next start does it first, knowing that it was tried.
    expect((await house.rollout()).stumble).toBeNull();
    const row = house.database.raw.prepare("SELECT due_at_ms, attempts FROM owed WHERE kind = 'watch-build'").get();
    expect(row).toEqual({ due_at_ms: house.clock.now(), attempts: 1 });
  });
});
