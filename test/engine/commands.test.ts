import { describe, expect, it } from 'vitest';
import type { PlanFacts, TargetFacts } from '../../src/core/facts.ts';
import { rollbackStage, versionsOf } from '../../src/engine/commands.ts';
import { FIRST, rolloutAt } from '../support/given.ts';
import { actor, aRelease, aService, aSignal, aStage, type PersonName } from '../support/service.ts';
import { aHouse } from './world.ts';

const digestOf = (n: number) => `sha256:${aRelease(n).sha}`;

type House = ReturnType<typeof aHouse>;

const rollback = (house: House, over: { to?: string; stage?: string; by?: PersonName; because?: string } = {}) =>
  house.commands.rollback({
    service: house.service,
    stage: over.stage ?? null,
    to: over.to ?? null,
    actor: actor(over.by ?? 'dan'),
    because: over.because ?? 'it hurts',
  });

const deploy = (house: House, n: number, by: PersonName = 'dan', upTo: string | null = null) =>
  house.commands.deploy({ service: house.service, release: aRelease(n), upTo, actor: actor(by), because: null });

async function running(house: House): Promise<string[]> {
  const placements = (await house.ledger.placements('shop')).filter((one) => one.stage === 'production');
  return [...new Set(placements.map((one) => one.artifact.digest))];
}

/** Runs an accepted rollback to its end, and answers its goal. */
async function finish(house: House, outcome: Awaited<ReturnType<typeof rollback>>): Promise<string | undefined> {
  if (outcome.is !== 'accepted') throw new Error(JSON.stringify(outcome.refusal));
  const { phase } = outcome.rollout;
  await house.until('rolled-back', outcome.rollout.id);
  return phase.is === 'rolling-back' ? phase.to[0]?.artifact.digest : undefined;
}

describe('S1 S2 merges', () => {
  it('become one release and one rollout each, however often they are reported', async () => {
    const house = aHouse();
    const all = await Promise.all([house.merge(1), house.merge(1, 2), house.merge(2)]);
    expect(all.flat().map((one) => one.release.sha)).toEqual([aRelease(1).sha, aRelease(2).sha]);
    expect(await house.merge(1, 2)).toEqual([]);
    expect(await house.ledger.history(null, 10)).toHaveLength(2);
  });

  it('remember the head that was read with them, in the same transaction', async () => {
    const house = aHouse();
    await house.merge(1);
    expect(await house.ledger.head('acme/shop', 'main@shop/code')).toBe('head');
  });

  it('G8 several at once: the newest green one ships, the older is superseded', async () => {
    const house = aHouse();
    await house.merge(1, 2);
    await house.until('succeeded', 'rollout-002');
    expect((await house.rollout()).phase).toMatchObject({ is: 'superseded', byRollout: 'rollout-002' });
  });

  it('T1 the author of a superseded change took part in the newer one that carries it', async () => {
    const house = aHouse();
    await house.ship(1);
    const participants = [{ part: 'author', githubId: actor('ben').githubId, login: 'ben', isBot: false }] as const;
    const bens = aRelease(2, { participants: [...participants] });
    await house.commands.recordMerges(house.service, { headSha: 'x', releases: [bens, aRelease(3)] });
    for (let turn = 0; (await house.rollout('rollout-003')).phase.is !== 'gated' && turn < 60; turn += 1)
      await house.step();
    expect(await house.approve('rollout-003', 'ben')).toMatchObject({ refusal: { code: 'participant' } });
    expect(await house.approve('rollout-003', 'bo')).toMatchObject({ is: 'accepted' });
  });
});

describe('X2 /deploy', () => {
  it('starts a rollout, and of the same commit only one while it is open', async () => {
    const house = aHouse();
    const [first, second] = await Promise.all([deploy(house, 1), deploy(house, 1, 'cho')]);
    expect(first.is).toBe('accepted');
    expect(second.rollout?.id).toBe(first.rollout?.id);
    expect(second.rollout?.request.name).toBe('dan');
    await house.until('succeeded');
    expect((await deploy(house, 1)).rollout?.id).toBe('rollout-002');
  });

  it('joins the rollout that the merge has started', async () => {
    const house = aHouse();
    await house.merge(1);
    expect((await deploy(house, 1)).rollout?.id).toBe('rollout-001');
  });

  it('goes no further than the stage that was named', async () => {
    const house = aHouse();
    const outcome = await deploy(house, 1, 'dan', 'staging');
    expect(outcome.rollout?.plan.stages.map((one) => one.name)).toEqual(['staging']);
    await house.until('succeeded');
    expect(await running(house)).toEqual([]);
  });

  it.each(['ben', 'eve'] satisfies PersonName[])('T15 is refused to %s, and the try is audited', async (by) => {
    const house = aHouse();
    const outcome = await deploy(house, 1, by);
    expect(outcome.is).toBe('refused');
    expect(await house.ledger.history(null, 10)).toEqual([]);
    expect(house.audited()).toEqual(['deploy shop refused']);
  });

  it('whoever asked for it cannot approve it', async () => {
    const house = aHouse();
    await deploy(house, 1, 'cho');
    for (let turn = 0; (await house.rollout()).phase.is !== 'gated' && turn < 60; turn += 1) await house.step();
    expect(await house.approve('rollout-001', 'cho')).toMatchObject({
      refusal: { code: 'participant', part: 'requester' },
    });
  });
});

describe('D5 /rollback when nothing is on its way', () => {
  it('goes to the version before the one that runs', async () => {
    const house = aHouse();
    await house.ship(1);
    await house.ship(2);
    expect(await running(house)).toEqual([digestOf(2)]);
    expect(await finish(house, await rollback(house))).toBe(digestOf(1));
    expect(await running(house)).toEqual([digestOf(1)]);
    expect(await house.ledger.desired('shop/code')).toMatchObject({ digest: digestOf(1) });
  });

  it('goes further back when it is asked again, and then says that there is no more', async () => {
    const house = aHouse();
    for (const n of [1, 2, 3]) await house.ship(n);
    const goals: (string | undefined)[] = [];
    for (let turn = 0; turn < 3; turn += 1) goals.push(await finish(house, await rollback(house)));
    expect(goals).toEqual([digestOf(2), digestOf(1), FIRST.digest]);
    expect(await rollback(house)).toMatchObject({ is: 'refused', refusal: { code: 'nothing-to-roll-back-to' } });
  });

  it('does not go back to a version that was itself taken back', async () => {
    const house = aHouse();
    await house.ship(1);
    await house.ship(2);
    await finish(house, await rollback(house));
    await house.ship(3);
    expect(await finish(house, await rollback(house, { to: digestOf(1) }))).toBe(digestOf(1));
    expect(await running(house)).toEqual([digestOf(1)]);
    expect(await finish(house, await rollback(house))).toBe(FIRST.digest);
  });

  it('goes to a chosen version, by digest or commit', async () => {
    const house = aHouse();
    for (const n of [1, 2, 3]) await house.ship(n);
    expect(await finish(house, await rollback(house, { to: digestOf(1) }))).toBe(digestOf(1));
    expect(await finish(house, await rollback(house, { to: aRelease(3).sha }))).toBe(digestOf(3));
  });

  it('T10 refuses a version that was never healthy there, and changes nothing', async () => {
    const house = aHouse();
    await house.ship(1);
    const before = house.owed();
    expect(await rollback(house, { to: 'sha256:never' })).toMatchObject({
      is: 'refused',
      refusal: { code: 'never-healthy-here', digest: 'sha256:never' },
    });
    // An adopted version has no commit: an empty name is not its name.
    expect(await rollback(house, { to: '' })).toMatchObject({ is: 'refused', refusal: { code: 'never-healthy-here' } });
    expect(house.owed()).toEqual(before);
  });

  it('with nothing ever deployed has nothing to go back to', async () => {
    expect(await rollback(aHouse())).toMatchObject({ refusal: { code: 'nothing-to-roll-back-to' } });
  });

  it('needs a reason and a right; every refusal is audited with who tried', async () => {
    const house = aHouse();
    await house.ship(1);
    const asked = house.audited().length;
    expect(await rollback(house, { because: ' ' })).toMatchObject({ refusal: { code: 'reason-missing' } });
    expect(await rollback(house, { by: 'eve' })).toMatchObject({ refusal: { code: 'not-a-member' } });
    expect(await rollback(house, { to: 'sha256:never' })).toMatchObject({ refusal: { code: 'never-healthy-here' } });
    expect(await rollback(house, { stage: 'mars' })).toMatchObject({ refusal: { code: 'nothing-to-roll-back-to' } });
    expect(house.audited().slice(asked)).toEqual(Array(4).fill('rollback shop refused'));
  });
});

describe('D5 /rollback while a release is on its way', () => {
  it('that has touched the stage takes it back itself', async () => {
    const house = aHouse();
    await house.ship(1);
    await house.merge(2);
    await house.until('gated', 'rollout-002');
    await house.until('deploying', 'rollout-002');
    const outcome = await rollback(house);
    expect(outcome).toMatchObject({ is: 'accepted', rollout: { id: 'rollout-002', phase: { is: 'rolling-back' } } });
    expect(await finish(house, outcome)).toBe(digestOf(1));
    expect(await house.ledger.history(null, 10)).toHaveLength(2);
  });

  it('that has not touched the stage is taken over, at once', async () => {
    const house = aHouse();
    await house.ship(1);
    await house.merge(2);
    await house.until('gated', 'rollout-002');
    const outcome = await rollback(house);
    expect(outcome).toMatchObject({ is: 'accepted', rollout: { id: 'rollout-003', kind: 'rollback' } });
    expect((await house.rollout('rollout-002')).phase).toMatchObject({
      is: 'aborted',
      trouble: { code: 'taken-over', byRollout: 'rollout-003', by: 'dan' },
    });
    expect(await finish(house, outcome)).toBe(FIRST.digest);
  });

  it('holds the lane: what waits in the queue starts after it', async () => {
    const house = aHouse();
    await house.ship(1);
    await house.ship(2);
    const outcome = await rollback(house);
    await house.merge(3);
    for (let turn = 0; (await house.rollout('rollout-004')).phase.is === 'building' && turn < 30; turn += 1) {
      await house.step();
      const [back, next] = [await house.rollout('rollout-003'), await house.rollout('rollout-004')];
      if (back.phase.is === 'rolling-back') expect(['building', 'queued']).toContain(next.phase.is);
    }
    await finish(house, outcome);
    expect((await house.until('succeeded', 'rollout-004')).phase.is).toBe('succeeded');
  });

  it('twice at once is one rollback', async () => {
    const house = aHouse();
    await house.ship(1);
    await house.ship(2);
    const both = await Promise.all([rollback(house), rollback(house, { by: 'cho' })]);
    expect(both.map((one) => one.is)).toEqual(['accepted', 'refused']);
    expect(both[1]).toMatchObject({ refusal: { code: 'too-late' } });
    expect(await house.ledger.history(null, 10)).toHaveLength(3);
  });

  it('T10 works while every source of facts is down', async () => {
    const house = aHouse({
      perform: async ({ due }) => {
        throw new Error(`no answer to ${due.kind}`);
      },
    });
    const { facts, rollout } = rolloutAt('succeeded');
    await house.ledger.write(async (tx) => {
      await tx.record(
        rollout,
        1,
        facts.filter((one) => one.fact === 'good' || one.fact === 'placed'),
      );
    });
    const outcome = await rollback(house);
    expect(outcome.is).toBe('accepted');
    expect(house.owed().filter((key) => key.includes('/roll-back/'))).toHaveLength(2);
  });
});

describe('what a rollback means', () => {
  it('the last protected stage when none is named, or the last', () => {
    expect(rollbackStage(aService(), null)).toBe('production');
    expect(rollbackStage(aService(), 'staging')).toBe('staging');
    expect(rollbackStage(aService(), 'mars')).toBeNull();
    expect(rollbackStage(aService({ stages: [aStage({ name: 'a' }), aStage({ name: 'b' })] }), null)).toBe('b');
    expect(rollbackStage(aService({ stages: [] }), null)).toBeNull();
  });

  it('versions are distinct, newest first', () => {
    const good = (n: number, target: string) => ({
      target,
      stage: 'production',
      artifact: { digest: digestOf(n), sha: '' },
      rolloutId: 'r',
      atMs: n,
    });
    const digests = versionsOf([good(2, 'eu'), good(2, 'us'), good(1, 'eu')]).map((one) => one.digest);
    expect(digests).toEqual([digestOf(2), digestOf(1)]);
  });
});

/** Production waits for more requests than 10 a second can be until its deadline. */
function withFloor() {
  const floor = aSignal({ name: 'traffic', kind: 'requests', healthyWhen: { min: 5000 } });
  const service = aService();
  const stages = service.stages.map((stage) =>
    stage.isProtected ? { ...stage, signals: [...stage.signals, floor] } : stage,
  );
  return { ...service, stages };
}

describe('X6 R1 R2 a plan is made by what runs', () => {
  const known = (count: number): TargetFacts => ({
    instances: { value: count > 0 ? { here: count } : {} },
    load: { value: 10 },
    capacity: [],
  });
  const facts = (us: number): PlanFacts => ({ staging: known(1), eu: known(4), us: known(us) });

  it('the facts are part of the rollout’s plan, and no part of what is approved', async () => {
    const house = aHouse({ readFacts: async () => facts(4) });
    const blind = aHouse();
    const [merged] = await house.merge(1);
    const [unasked] = await blind.merge(1);
    expect(merged?.plan.outlook.stages[1]?.steps[0]?.takes[0]?.instances).toMatchObject({ upTo: 1, of: 4 });
    expect(merged?.plan.hash).toBe(unasked?.plan.hash);
  });

  it('R1 the first deploy of a target goes the same way for a person and for a merge, and is said', async () => {
    const house = aHouse({ readFacts: async () => facts(0) });
    const said = [{ code: 'nothing-runs', target: 'us', region: 'us' }];
    const asked = await deploy(house, 1);
    expect(asked).toMatchObject({ is: 'accepted', rollout: { plan: { outlook: { unknown: said } } } });
    const [merged] = await house.merge(2);
    expect(merged?.plan.outlook.unknown).toEqual(said);
  });

  it('what could never be is refused to a person with its reason, and recorded; a merge is never lost by it', async () => {
    const house = aHouse({ readFacts: async () => facts(4), service: withFloor() });
    const refusal = {
      code: 'plan-impossible',
      problem: { code: 'floor-above-traffic', stage: 'production', step: 'canary', signal: 'traffic', floor: 5000 },
    };
    expect(await deploy(house, 1)).toMatchObject({ is: 'refused', refusal });
    expect(await house.ledger.history(null, 10)).toEqual([]);
    const [merged] = await house.merge(1);
    expect(merged?.plan.outlook.unknown).toEqual([{ code: 'not-asked' }]);
    // Up to staging nothing is in the way.
    expect(await deploy(house, 2, 'dan', 'staging')).toMatchObject({ is: 'accepted' });
  });

  it('S2 nobody is asked when there is nothing new', async () => {
    let asked = 0;
    const house = aHouse({
      readFacts: async () => {
        asked += 1;
        return null;
      },
    });
    await house.commands.recordMerges(house.service, { headSha: 'head', releases: [] });
    expect(asked).toBe(0);
    await house.merge(1);
    expect(asked).toBe(1);
  });
});
