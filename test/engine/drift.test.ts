import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/core/target.ts';
import { actor, aRelease } from '../support/service.ts';
import { aWatchedHouse, EVERY_MS } from './drift-world.ts';
import { settled } from './world.ts';

const OTHER = 'sha256:other';
const digestOf = (n: number) => `sha256:${aRelease(n).sha}`;

/** Version 1 was shipped everywhere; then something else came to run on one instance of eu. */
async function aDriftedHouse(over: Parameters<typeof aWatchedHouse>[0] = {}) {
  const house = aWatchedHouse(over);
  await house.ship(1);
  await house.settle();
  house.place('eu', OTHER, ['eu-eu-3']);
  await house.watch.look('shop', 'eu');
  await house.settle();
  return house;
}

async function placedOn(house: ReturnType<typeof aWatchedHouse>, target: string) {
  return (await house.ledger.placements('shop')).find((one) => one.target === target);
}

/** A platform whose instances of eu all had configuration c1 when version 1 was placed, and have another one now. */
async function aConfiguredHouse(now: string) {
  let config = 'c1';
  const house = aWatchedHouse({
    observe: async (service, target, signal) => {
      const options = service.targets[target] ?? {};
      const seen = await house.provider.observe({ service: 'shop', target, options }, signal);
      return { ...seen, instances: seen.instances.map((one) => ({ ...one, config: target === 'eu' ? config : null })) };
    },
  });
  await house.ship(1);
  const placed = await placedOn(house, 'eu');
  if (placed) await house.ledger.write((tx) => tx.place('shop', { ...placed, config }));
  expect(await house.watch.look('shop', 'eu')).toBe('agrees');
  config = now;
  await house.watch.look('shop', 'eu');
  await house.settle();
  return house;
}

describe('R6 between deploys what runs is compared with what is recorded', () => {
  it('a target that runs what is recorded is quiet, look after look', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    await house.settle();
    const audited = house.audited().length;
    expect(await house.watch.tick()).toBe(3);
    expect(await house.watch.look('shop', 'eu')).toBe('agrees');
    expect(house.audited()).toHaveLength(audited);
    expect(house.shown).toEqual([]);
    expect(house.owed()).toEqual([]);
  });

  it('drift is shown once, audited once, and shown again when it changes and when it goes', async () => {
    const house = await aDriftedHouse();
    for (let turn = 0; turn < 3; turn += 1) expect(await house.watch.look('shop', 'eu')).toBe('drifted');
    await house.settle();
    expect(house.shown.map((one) => one.is)).toEqual(['open']);
    house.place('eu', OTHER, ['eu-eu-4']);
    await house.watch.look('shop', 'eu');
    await house.settle();
    house.place('eu', digestOf(1));
    expect(await house.watch.look('shop', 'eu')).toBe('agrees');
    await house.settle();
    expect(house.shown.map((one) => one.is)).toEqual(['open', 'open', 'over']);
    expect(house.audited().filter((what) => what.startsWith('drift '))).toEqual([
      'drift opened',
      'drift changed',
      'drift gone',
    ]);
  });

  it('looks at each target in its turn, and once for all the turns that a suspend has missed', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    expect(await house.watch.tick()).toBe(3);
    expect(await house.watch.tick()).toBe(0);
    house.clock.advance(EVERY_MS - 1);
    expect(await house.watch.tick()).toBe(0);
    house.clock.advance(1);
    expect(await house.watch.tick()).toBe(3);
    house.clock.advance(50 * EVERY_MS);
    expect(await house.watch.tick()).toBe(3);
    expect(await house.watch.tick()).toBe(0);
  });

  it('asks the database nothing while nothing can be due, also after a clock was set back', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    await house.watch.tick();
    await house.watch.tick();
    let asked = 0;
    const { placements } = house.ledger;
    house.ledger.placements = (name) => {
      asked += 1;
      return placements(name);
    };
    house.clock.advance(EVERY_MS - 1);
    await house.watch.tick();
    expect(asked).toBe(0);
    house.clock.advance(-10 * EVERY_MS);
    expect(await house.watch.tick()).toBe(3);
  });

  it('does not look where the service does not want it, where nothing was placed, or where nothing is configured', async () => {
    const never = aWatchedHouse({ service: { driftEveryMs: null } });
    await never.ship(1);
    expect(await never.watch.tick()).toBe(0);
    const house = aWatchedHouse();
    expect(await house.watch.tick()).toBe(0);
    expect(await house.watch.look('shop', 'mars')).toBe('skipped');
    expect(await house.watch.look('nobody', 'eu')).toBe('skipped');
  });

  it('leaves alone a target on which a rollout works, and looks at those on which none does', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    await house.merge(2);
    await house.until('gated', 'rollout-002');
    // Nothing of production was touched: approvals may take hours.
    expect(await house.watch.look('shop', 'eu')).toBe('agrees');
    await house.approve('rollout-002');
    await house.until('baking', 'rollout-002');
    house.place('eu', OTHER);
    expect(await house.watch.look('shop', 'eu')).toBe('skipped');
    expect(await house.watch.look('shop', 'staging')).toBe('agrees');
    expect(await house.ledger.drift('shop', 'eu')).toMatchObject({ phase: { is: 'none' } });
  });

  it('drops an answer that a rollout has made old while the platform thought about it', async () => {
    const answer = Promise.withResolvers<Observation>();
    const house = aWatchedHouse();
    await house.ship(1);
    house.place('eu', OTHER);
    const old = await house.provider.observe(
      { service: 'shop', target: 'eu', options: { regions: { eu: 4 } } },
      new AbortController().signal,
    );
    const slow = house.aWatch({ observe: () => answer.promise, timeoutMs: 1e9 });
    const look = slow.look('shop', 'eu');
    await settled();
    house.place('eu', digestOf(1));
    await house.ship(2);
    answer.resolve(old);
    expect(await look).toBe('skipped');
    expect(await house.ledger.drift('shop', 'eu')).toBeNull();
  });

  it('one look at a time at a target', async () => {
    const answer = Promise.withResolvers<Observation>();
    const house = aWatchedHouse();
    await house.ship(1);
    let asked = 0;
    const slow = house.aWatch({
      observe: () => {
        asked += 1;
        return answer.promise;
      },
    });
    const first = slow.look('shop', 'eu');
    await settled();
    expect(await slow.look('shop', 'eu')).toBe('skipped');
    answer.reject(new Error('x'));
    expect(await first).toBe('unreachable');
    expect(asked).toBe(1);
  });

  it('T17 no more looks at once than it was told, and each ends in its time', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    let now = 0;
    let most = 0;
    const watch = house.aWatch({
      concurrency: 2,
      timeoutMs: 5000,
      observe: () => {
        now += 1;
        most = Math.max(most, now);
        return new Promise(() => {});
      },
    });
    const tick = watch.tick();
    for (let turn = 0; turn < 3; turn += 1) {
      await settled(40);
      now = 0;
      house.clock.advance(5000);
    }
    expect(await tick).toBe(3);
    expect(most).toBe(2);
    expect((await house.known('eu')).missed).toMatchObject({ looks: 1, detail: 'no answer within 5000 ms' });
  });
});

describe('T9 a platform that cannot be asked', () => {
  it('is said in the log and kept for the status, never as drift', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    house.provider.inject('eu', { is: 'unreachable' });
    for (let turn = 0; turn < 3; turn += 1) expect(await house.watch.look('shop', 'eu')).toBe('unreachable');
    const known = await house.known('eu');
    expect(known).toMatchObject({ phase: { is: 'none' }, missed: { looks: 3 } });
    expect(house.said.filter((one) => one.includes('could not be looked at'))).toHaveLength(3);
    house.provider.heal();
    await house.watch.look('shop', 'eu');
    expect((await house.known('eu')).missed).toBeNull();
    expect(house.shown).toEqual([]);
  });

  it('a database that cannot be written is said, and thrown at nobody', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    const { write } = house.ledger;
    house.ledger.write = () => Promise.reject(new Error('disk full'));
    expect(await house.watch.tick()).toBe(0);
    expect(house.said).toContain('a look for drift could not be recorded');
    house.ledger.write = write;
    house.ledger.placements = () => Promise.reject(new Error('disk full'));
    expect(await house.watch.tick()).toBe(0);
    expect(house.said).toContain('what drifted could not be looked for');
  });
});

describe('T5 all that is known is in the database', () => {
  it('a new process goes on where the last one was: nothing is said twice, nothing is forgotten', async () => {
    const house = await aDriftedHouse();
    const next = house.aWatch();
    expect(await next.look('shop', 'eu')).toBe('drifted');
    await house.settle();
    expect(house.shown).toHaveLength(1);
    expect(house.audited().filter((what) => what === 'drift opened')).toHaveLength(1);
  });

  it('T12 while Slack is down the message is owed, and the newest state is shown afterwards, once', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    await house.settle();
    house.slack.isDown = true;
    house.place('eu', OTHER, ['eu-eu-3']);
    await house.watch.look('shop', 'eu');
    await house.engine.tick();
    house.place('eu', OTHER);
    await house.aWatch().look('shop', 'eu');
    expect(house.owed()).toContain('drift:shop/eu/project');
    house.slack.isDown = false;
    house.clock.advance(60_000);
    await house.settle();
    expect(house.shown).toHaveLength(1);
    expect(house.shown[0]).toMatchObject({ is: 'open', drift: { strays: { length: 4 } } });
    expect(house.owed()).toEqual([]);
  });

  it('a drift that came and went while Slack was down is told in one message', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    await house.settle();
    house.slack.isDown = true;
    for (const digest of [OTHER, digestOf(1), OTHER]) {
      house.place('eu', digest);
      house.clock.advance(10 * 3_600_000);
      await house.watch.look('shop', 'eu');
    }
    expect((await house.known()).number).toBe(1);
  });
});

describe('R6 Fix', () => {
  it('puts what is recorded on this target alone, without an approval, and its message follows', async () => {
    const house = await aDriftedHouse();
    house.place('us', OTHER, ['us-us-1']);
    const changes = house.provider.changes.length;
    const outcome = await house.decide('dan', { act: 'fix' });
    if (outcome.is !== 'accepted') throw new Error(JSON.stringify(outcome.refusal));
    expect(outcome.rollout).toMatchObject({ id: 'repair-1', kind: 'rollback', phase: { is: 'rolling-back' } });
    await house.until('rolled-back', 'repair-1');
    expect(house.provider.changes.slice(changes).map((one) => `${one.kind} ${one.target} ${one.digest}`)).toEqual([
      `roll-back eu ${digestOf(1)}`,
    ]);
    expect(await house.runs('eu')).toEqual([digestOf(1)]);
    house.clock.advance(5000);
    // Whoever fixes something wants to know soon, and does not wait for the next turn.
    await house.watch.tick();
    await house.settle();
    expect((await house.known()).phase).toMatchObject({ is: 'over', end: { is: 'fixed', by: 'dan' } });
    expect(house.shown.map((one) => one.is).slice(0, 3)).toEqual(['open', 'fixing', 'over']);
    // The other target was left as it was, and is said by itself.
    expect(await house.runs('us')).toContain(OTHER);
    expect(house.shown[3]).toEqual((await house.known('us')).phase);
  });

  it('T7 leaves alone what the lane wishes to run', async () => {
    const house = await aDriftedHouse();
    // Version 2 came as far as staging.
    await house.merge(2);
    await house.until('gated', 'rollout-002');
    await house.act('rollout-002', () => ({ type: 'aborted', actor: actor('dan'), because: 'not now' }));
    house.place('staging', OTHER);
    await house.watch.look('shop', 'staging');
    await house.decide('dan', { act: 'fix' }, 'staging');
    await house.until('rolled-back', 'repair-1');
    expect(await house.runs('staging')).toEqual([digestOf(2)]);
    expect(await house.ledger.desired('shop/code')).toMatchObject({ sha: aRelease(1).sha });
  });

  it('T3 of two who click at once one is first and the other is told who it was; there is one rollback', async () => {
    const house = await aDriftedHouse();
    const outcomes = await Promise.all([house.decide('dan', { act: 'fix' }), house.decide('cho', { act: 'fix' })]);
    expect(outcomes.map((one) => one.is).sort()).toEqual(['accepted', 'refused']);
    const refused = outcomes.find((one) => one.is === 'refused');
    expect(refused).toMatchObject({ refusal: { code: 'too-late', by: 'dan' } });
    expect((await house.ledger.history('shop', 10)).filter((one) => one.kind === 'rollback')).toHaveLength(1);
    expect(house.audited().filter((what) => what.startsWith('fix-drift'))).toEqual(['fix-drift refused']);
  });

  it('T6 is refused while a rollout has work under way, and takes the lane of one that has touched nothing', async () => {
    const house = await aDriftedHouse();
    await house.merge(2);
    await house.until('baking', 'rollout-002');
    expect(await house.decide('dan', { act: 'fix' })).toMatchObject({
      is: 'refused',
      refusal: { code: 'work-under-way', stage: 'staging' },
    });
    expect((await house.known()).phase.is).toBe('open');
    await house.until('gated', 'rollout-002');
    expect(await house.decide('dan', { act: 'fix' })).toMatchObject({ rollout: { id: 'repair-2' } });
    expect((await house.rollout('rollout-002')).phase).toMatchObject({
      is: 'aborted',
      trouble: { code: 'taken-over' },
    });
    await house.until('rolled-back', 'repair-2');
  });

  it('T5 that was begun before a crash is followed after it', async () => {
    const house = await aDriftedHouse();
    await house.decide('dan', { act: 'fix' });
    await house.until('rolled-back', 'repair-1');
    await house.aWatch().tick();
    await house.settle();
    expect((await house.known()).phase).toMatchObject({ is: 'over', end: { is: 'fixed' } });
  });

  it('that did not last is said again', async () => {
    const house = await aDriftedHouse();
    await house.decide('dan', { act: 'fix' });
    await house.until('rolled-back', 'repair-1');
    house.place('eu', OTHER, ['eu-eu-3']);
    await house.watch.look('shop', 'eu');
    expect((await house.known()).phase).toMatchObject({ is: 'open', again: { why: 'not-fixed' } });
  });

  it('of a configuration that the platform does not put back is said again, and is not taken for what is recorded', async () => {
    const house = await aConfiguredHouse('c2');
    expect((await house.known()).phase).toMatchObject({ is: 'open', drift: { strays: { length: 4 } } });
    await house.decide('dan', { act: 'fix' });
    await house.until('rolled-back', 'repair-1');
    expect(await house.watch.look('shop', 'eu')).toBe('drifted');
    expect((await house.known()).phase).toMatchObject({ is: 'open', again: { why: 'not-fixed' } });
    expect((await placedOn(house, 'eu'))?.config).toBe('c1');
  });

  it('does not wait for an instance that somebody decided to go on without', async () => {
    const house = aWatchedHouse();
    await house.ship(1);
    const placed = await placedOn(house, 'eu');
    if (placed) await house.ledger.write((tx) => tx.place('shop', { ...placed, without: ['eu-eu-4'] }));
    house.provider.inject('eu', { is: 'partial', stays: ['eu-eu-4'] });
    house.place('eu', null, ['eu-eu-4']);
    expect(await house.watch.look('shop', 'eu')).toBe('agrees');
    house.place('eu', OTHER, ['eu-eu-1']);
    await house.watch.look('shop', 'eu');
    await house.decide('dan', { act: 'fix' });
    expect((await house.until('rolled-back', 'repair-1')).phase.is).toBe('rolled-back');
  });

  it('T15 is refused to who may not, and audited', async () => {
    const house = await aDriftedHouse();
    expect(await house.decide('eve', { act: 'fix' })).toMatchObject({ refusal: { code: 'not-a-member' } });
    expect(house.audited().at(-1)).toBe('fix-drift refused');
  });
});

describe('R6 Accept', () => {
  const accept = { act: 'accept', because: 'a hotfix by hand' } as const;

  it('on a protected stage takes one person more for what nobody reviewed; then it is what is recorded', async () => {
    const house = await aDriftedHouse();
    house.place('eu', OTHER);
    await house.watch.look('shop', 'eu');
    expect(await house.decide('ben', accept)).toMatchObject({ known: { phase: { is: 'open', needs: 2 } } });
    expect(await house.decide('cho', accept)).toMatchObject({ known: { phase: { is: 'over' } } });
    const placed = (await house.ledger.placements('shop')).find((one) => one.target === 'eu');
    expect(placed).toMatchObject({ artifact: { digest: OTHER, sha: '' }, rolloutId: 'drift:shop/eu#1' });
    expect(await house.watch.look('shop', 'eu')).toBe('agrees');
    const decisions = house.database.raw.prepare('SELECT rollout_id, name, choice FROM decisions').all();
    expect(decisions).toEqual([
      { rollout_id: 'drift:shop/eu#1', name: 'ben', choice: 'accept-drift' },
      { rollout_id: 'drift:shop/eu#1', name: 'cho', choice: 'accept-drift' },
    ]);
  });

  it('T1 of a release that is known is not for those who took part in it', async () => {
    const house = await aDriftedHouse();
    await house.ship(2);
    await house.settle();
    house.place('eu', digestOf(1));
    await house.watch.look('shop', 'eu');
    expect(await house.decide('ana', accept)).toMatchObject({ refusal: { code: 'participant' } });
    // Reviewed when it was merged, so it takes as many as a release does.
    expect(await house.decide('ben', accept)).toMatchObject({ known: { phase: { is: 'over' } } });
    const placed = (await house.ledger.placements('shop')).find((one) => one.target === 'eu');
    expect(placed?.artifact).toEqual({ digest: digestOf(1), sha: aRelease(1).sha });
  });

  it('of another configuration alone takes one person more, too, and keeps the version', async () => {
    const house = await aConfiguredHouse('c2');
    expect(await house.decide('ben', accept)).toMatchObject({ known: { phase: { is: 'open', needs: 2 } } });
    expect(await house.decide('cho', accept)).toMatchObject({ known: { phase: { is: 'over' } } });
    expect(await placedOn(house, 'eu')).toMatchObject({ artifact: { digest: digestOf(1) }, config: 'c2' });
    expect(await house.watch.look('shop', 'eu')).toBe('agrees');
  });

  it('on an open stage takes one', async () => {
    const house = await aDriftedHouse();
    house.place('staging', OTHER);
    await house.watch.look('shop', 'staging');
    expect(await house.decide('ben', accept, 'staging')).toMatchObject({ known: { phase: { is: 'over' } } });
  });

  it('is refused while the instances differ, and while a rollout works there', async () => {
    const house = await aDriftedHouse();
    expect(await house.decide('ben', accept)).toMatchObject({ refusal: { code: 'not-acceptable' } });
    house.place('eu', OTHER);
    await house.watch.look('shop', 'eu');
    await house.merge(2);
    await house.until('gated', 'rollout-002');
    await house.approve('rollout-002');
    await house.until('baking', 'rollout-002');
    expect(await house.decide('ben', accept)).toMatchObject({ refusal: { code: 'work-under-way' } });
  });
});

describe('R6 Ignore until', () => {
  it('is quiet until its time, also when the platform cannot be asked then, and speaks again', async () => {
    const house = await aDriftedHouse();
    const untilMs = house.clock.now() + 3_600_000;
    await house.decide('cho', { act: 'ignore', because: 'known', untilMs });
    await house.settle();
    house.clock.advance(3_599_000);
    await house.watch.tick();
    expect((await house.known()).phase.is).toBe('ignored');
    house.provider.inject('eu', { is: 'unreachable' });
    house.clock.advance(6000);
    await house.watch.tick();
    await house.settle();
    expect(house.shown.map((one) => one.is)).toEqual(['open', 'ignored', 'open']);
    expect(house.shown.at(-1)).toMatchObject({ again: { why: 'ignored-long-enough' } });
  });
});
