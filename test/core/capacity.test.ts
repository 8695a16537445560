import { describe, expect, it } from 'vitest';
import { answerTo, decidedBy, GOOD_WORLD, rollout, type Scene, withEnvironment, woke } from '../support/given.ts';
import { aService } from '../support/service.ts';

const service = aService({ traffic: { source: 'scrape', query: {}, perInstance: 100 } });
const clearing = () => rollout({ service }).until('clearing', 'canary', { load: 1 });

describe('R3 before each step: enough must serve while it runs', () => {
  it('enough for the load lets the step begin', () => {
    expect(clearing().until('deploying', 'canary', { load: 850, servingDuring: 9 }).phase.is).toBe('deploying');
  });

  it('too little holds, with the numbers, and is looked at again until it is enough', () => {
    let scene = clearing();
    for (let look = 0; look < 6; look += 1) scene = scene.answerOne({ load: 950, servingDuring: 9 }) ?? scene;
    const held = scene.in('clearing');
    expect(held.capacity.shortages).toMatchObject([
      { target: 'eu', servingDuring: 9, needed: 10, load: 950, perInstance: 100 },
      { target: 'us', servingDuring: 9, needed: 10 },
    ]);
    expect(scene.owed.some((one) => one.kind === 'deploy')).toBe(false);
    expect(scene.owed.filter((one) => one.kind === 'read-capacity').every((one) => one.afterMs > 0)).toBe(true);
    expect(scene.until('deploying', 'canary', { load: 400, servingDuring: 9 }).phase.is).toBe('deploying');
  });

  it('T9 a load that cannot be read is not enough evidence', () => {
    for (const load of [null, Number.NaN, -1]) {
      let scene = clearing();
      for (let look = 0; look < 6; look += 1) scene = scene.answerOne({ load, servingDuring: 10 }) ?? scene;
      expect(scene.in('clearing').capacity.shortages).toMatchObject([{ needed: null }, { needed: null }]);
    }
  });

  it('T17 at the deadline a person is asked, with what was read last', () => {
    let scene = clearing();
    for (let look = 0; look < 6; look += 1) scene = scene.answerOne({ load: 950, servingDuring: 9 }) ?? scene;
    const asked = scene.when(woke('capacity-deadline'));
    expect(asked.in('deciding').trouble).toMatchObject({
      code: 'short-of-capacity',
      shortages: [{ target: 'eu', needed: 10 }, { target: 'us' }],
    });
    expect(asked.in('deciding').choices).toEqual(['retry', 'begin-anyway', 'hold']);
    expect(asked.when(decidedBy('cho', 'retry')).phase.is).toBe('surveying');
  });

  it('a platform that says nothing until the deadline is asked about too', () => {
    expect(clearing().when(woke('capacity-deadline')).in('deciding').trouble).toMatchObject({
      code: 'short-of-capacity',
      shortages: [
        { target: 'eu', needed: null },
        { target: 'us', needed: null },
      ],
    });
  });

  /** The world answers this question only: everything else is away. */
  const answered = (scene: Scene, kind: string): Scene =>
    scene.owed
      .filter((one) => one.kind === kind)
      .map((one) => answerTo(scene.rollout, one, scene.nowMs, { ...GOOD_WORLD, load: 1 }))
      .reduce((next, event) => (event ? next.when(event) : next), scene);

  it('a deadline asks nobody about capacity that is enough: something else is waited for', () => {
    const scene = answered(clearing(), 'read-capacity');
    expect(scene.later(1_800_000).when(woke('capacity-deadline')).answer.is).toBe('ignored');
    expect(scene.until('deploying', 'canary', { load: 1 }).phase.is).toBe('deploying');
  });

  it('T9 capacity and signals that were read long before the last answer came are read again', () => {
    const scene = answered(answered(clearing(), 'read-capacity'), 'measure-before').later(3_600_000);
    const late = answered(scene, 'clear');
    expect(late.phase.is).toBe('clearing');
    expect(late.effects.map((one) => one.kind)).toContain('read-capacity');
    expect(late.effects.map((one) => one.kind)).toContain('measure-before');
    expect(late.until('deploying', 'canary', { load: 1 }).phase.is).toBe('deploying');
  });

  it('is not asked of an environment that is made for one release: it is empty, and nobody uses it', () => {
    const { stages } = withEnvironment();
    const scene = rollout({ service: { ...service, stages } }).until('clearing', 'all');
    expect(scene.rollout.environments).toHaveLength(1);
    expect(scene.asked('read-capacity')).toEqual([]);
  });

  it('is not asked where nobody said what an instance can bear', () => {
    const plain = aService({ traffic: { source: 'scrape', query: {}, perInstance: null } });
    const scene = rollout({ service: plain }).until('clearing', 'canary');
    expect(scene.asked('read-capacity')).toEqual([]);
  });
});

describe('R3 a person may have a step begin in spite of too little capacity', () => {
  const SHORT = { load: 950, servingDuring: 9 };

  const askedAt = (scene: Scene): Scene => {
    let short = scene;
    for (let look = 0; look < 6; look += 1) short = short.answerOne(SHORT) ?? short;
    return short.when(woke('capacity-deadline'));
  };
  const asked = () => askedAt(clearing());
  const begun = () => asked().when(decidedBy('cho', 'begin-anyway', 'the fix must go out'));

  it('by name and with a reason: approver or on-call, for the state that was shown', () => {
    const scene = asked();
    for (const because of [null, ' ']) {
      expect(scene.when(decidedBy('cho', 'begin-anyway', because)).answer).toMatchObject({
        refusal: { code: 'reason-missing' },
      });
    }
    expect(scene.when(decidedBy('dan', 'begin-anyway', 'x')).answer).toMatchObject({
      refusal: { code: 'not-allowed' },
    });
    const late = decidedBy('ben', 'begin-anyway', 'me too')(scene.rollout, scene.nowMs);
    expect(begun().when(late).answer).toMatchObject({ refusal: { code: 'too-late' } });
  });

  it('begins this step, passes nothing, and asks everything but capacity again', () => {
    const scene = begun();
    expect(scene.in('clearing')).toMatchObject({ at: { stage: 1, step: 0 }, capacity: { waitingFor: [] } });
    expect(scene.effects.map((one) => one.kind)).toEqual(['clear', 'measure-before']);
    expect(scene.rollout.steps.some((one) => one.stage === 'production')).toBe(false);
    const deploying = scene.until('deploying', 'canary', SHORT);
    expect(deploying.asked('deploy').map((one) => one.target)).toEqual(['eu', 'us']);
  });

  it('is recorded with who and why', () => {
    const scene = begun();
    const because = 'the fix must go out';
    expect(scene.rollout.begunShort).toMatchObject([{ stage: 'production', step: 'canary', by: 'cho', because }]);
    expect(scene.last.facts).toMatchObject([{ fact: 'decision', choice: 'begin-anyway', name: 'cho', because }]);
  });

  it('T1 begins nothing without its approvals, and remembers the decision while they are asked for again', () => {
    const gated = begun().until('gated', 'canary', { eligible: [] });
    expect(gated.rollout.begunShort).toHaveLength(1);
    const again = gated.until('clearing', 'canary');
    expect(again.asked('read-capacity')).toEqual([]);
  });

  it('holds for this step only: the next one asks for capacity', () => {
    const next = begun().until('clearing', 'wave 1');
    expect(next.asked('read-capacity')).toHaveLength(1);
  });

  it('and for this start only: tried again, it asks for capacity', () => {
    const asksAgain = askedAt(rollout({ service }).until('clearing', 'wave 1', { load: 1 }))
      .when(decidedBy('cho', 'begin-anyway', 'the fix must go out'))
      .until('deploying', 'wave 1')
      .when(woke('deploy-deadline'), decidedBy('cho', 'retry'));
    expect(asksAgain.rollout.begunShort).toEqual([]);
    expect(asksAgain.asked('read-capacity')).not.toEqual([]);
  });

  it('can still be chosen from a hold', () => {
    const held = asked().when(decidedBy('cho', 'hold'));
    expect(held.in('holding').choices).toEqual(['retry', 'begin-anyway']);
    expect(held.when(decidedBy('cho', 'begin-anyway', 'now it must')).phase.is).toBe('clearing');
  });

  it('is chosen by no countdown, and neither is the way back: a load that nobody can read is no harm', () => {
    const { stages } = aService();
    const hasty = stages.map((one) => ({ ...one, decideWithinMs: 60_000, defaultDecision: 'roll-back' as const }));
    const wave = rollout({ service: { ...service, stages: hasty } }).until('clearing', 'wave 1', { load: 1 });
    const waits = askedAt(wave);
    expect(waits.in('deciding')).toMatchObject({
      choices: ['retry', 'roll-back', 'begin-anyway', 'hold'],
      countdown: null,
    });
  });

  it('is offered for nothing else', () => {
    const degraded = rollout({ service }).until('baking', 'wave 1', { load: 1 });
    expect(degraded.until('deciding', 'wave 1', { load: 1, health: 'bad' }).in('deciding').choices).not.toContain(
      'begin-anyway',
    );
  });
});
