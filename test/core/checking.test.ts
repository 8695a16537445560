import { describe, expect, it } from 'vitest';
import { rollout, rolloutAt, SMOKE, type World, withChecks, withEnvironment, woke } from '../support/given.ts';
import { aService, aStage, aStep } from '../support/service.ts';

describe('P3 checks of a step', () => {
  it('run on every target of the step, and must all pass before it is watched', () => {
    const scene = rolloutAt('checking');
    expect(scene.asked('check').map((one) => one.target)).toEqual(['eu', 'us']);
    const half = scene.answerOne();
    expect(half?.phase.is).toBe('checking');
    expect(half?.answerOne()?.phase.is).toBe('baking');
  });

  it('a failed try is repeated within its budget, and a pass after it is said to be flaky', () => {
    const scene = rolloutAt('checking').until('baking', 'canary', { checks: ['failed', 'passed'] });
    expect(scene.rollout.checks).toMatchObject([
      { check: 'smoke', target: 'eu', is: 'passed', isFlaky: true, tries: 2 },
      { check: 'smoke', target: 'us', is: 'passed', isFlaky: true, tries: 2 },
    ]);
    const next = scene.until('clearing', 'wave 1');
    expect(next.rollout.steps.at(-1)?.checks.every((one) => one.isFlaky)).toBe(true);
    expect(next.rollout.checks).toEqual([]);
  });

  it('one that fails beyond its budget stops the step and says what it said', () => {
    const scene = rolloutAt('checking').until('rolling-back', null, { checks: ['failed'] });
    expect(scene.in('rolling-back').trouble).toMatchObject({
      code: 'check-failed',
      check: 'smoke',
      detail: 'HTTP 500',
    });
  });

  it('T17 a try without an end is a failed one, and what it still answers is not heard', () => {
    const scene = rolloutAt('checking');
    const late = scene.when(woke('check-deadline/smoke@eu#1'));
    expect(late.in('checking').running).toContainEqual({ check: 'smoke', target: 'eu', tryNumber: 2 });
    const { generation } = late.rollout;
    const result = { is: 'passed' as const, detail: '', measures: [], url: null };
    const old = { type: 'checked' as const, atMs: late.nowMs, generation, check: 'smoke', target: 'eu', result };
    expect(late.when({ ...old, tryNumber: 1 }).answer).toEqual({ is: 'ignored', why: 'a try that is over' });
  });

  it('P6 a stage of checks alone is left the moment that they pass', () => {
    const service = withChecks();
    const bake = { forMs: 0, everyMs: 1000, deadlineMs: 60_000 };
    const smoke = aStage({ signals: [], checks: [SMOKE], steps: [aStep({ bake })] });
    const scene = rollout({ service: { ...service, stages: [smoke, ...service.stages.slice(1)] } }).until('surveying');
    const gated = scene.until('gated');
    expect(gated.rollout.steps).toMatchObject([{ stage: 'staging', ended: 'passed', verdict: null }]);
  });
});

describe('P1 an environment for one release alone', () => {
  it('is made before the stage, and removed when the release leaves it', () => {
    const scene = rolloutAt('preparing');
    expect(scene.asked('create')).toMatchObject([{ target: 'staging' }]);
    const gated = scene.until('gated');
    expect(gated.rollout.environments).toEqual([{ target: 'staging', isLeaving: true }]);
    const removal = gated.owed.filter((one) => one.kind === 'remove');
    expect(removal).toMatchObject([{ target: 'staging' }]);
  });

  it.each(['surveying', 'clearing', 'deploying', 'verifying', 'baking'] as const)(
    'is removed also when the release is aborted while %s',
    (name) => {
      const scene = rollout({ service: withEnvironment() }).until(name);
      const gone = scene.when({ type: 'aborted', atMs: scene.nowMs, actor: DAN, because: 'enough' });
      expect(gone.phase.is).toBe('aborted');
      expect(gone.owed.filter((one) => one.kind === 'remove')).toHaveLength(1);
    },
  );

  it('a failure ends the release, and nothing is rolled back there: what was made is removed', () => {
    const scene = rollout({ service: withEnvironment() }).until('baking').until('failed', null, { health: 'bad' });
    expect(scene.in('failed').trouble.code).toBe('degraded');
    expect(scene.owed.map((one) => one.kind)).toContain('remove');
    expect(scene.facts.filter((one) => one.fact === 'placed')).toEqual([]);
  });

  it('a removal that is refused is asked for again for ever, and told once to the person on call', () => {
    const scene = rollout({ service: withEnvironment() }).until('failed', null, { health: 'bad' });
    const refused = (round: number) => ({
      type: 'remove-failed' as const,
      atMs: scene.nowMs,
      generation: scene.rollout.generation,
      target: 'staging',
      round,
      detail: 'a volume is still attached',
    });
    const first = scene.when(refused(0));
    expect(first.asked('page')).toHaveLength(1);
    expect(first.asked('remove')).toMatchObject([{ target: 'staging', round: 1 }]);
    const second = first.when(refused(1));
    expect(second.asked('page')).toEqual([]);
    expect(second.asked('remove')).toMatchObject([{ round: 2 }]);
    const { generation } = scene.rollout;
    const gone = second.when({ type: 'removed', atMs: scene.nowMs, generation, target: 'staging' });
    expect(gone.rollout.environments).toEqual([]);
  });

  it('one that cannot be made ends the release, with what the platform said', () => {
    const scene = rolloutAt('preparing');
    const { generation } = scene.rollout;
    const detail = 'no quota';
    const failed = scene.when({ type: 'create-failed', atMs: scene.nowMs, generation, target: 'staging', detail });
    expect(failed.in('failed').trouble).toEqual({ code: 'environment-failed', target: 'staging', detail });
    expect(failed.owed.map((one) => one.kind)).toContain('remove');
  });
});

const DAN = {
  principal: { kind: 'slack' as const, teamId: 'T1', userId: 'U0DAN' },
  name: 'dan',
  standing: 'member' as const,
  roles: ['viewer' as const, 'deployer' as const],
  githubId: 1,
};

describe('P5 upgrade, downgrade, upgrade', () => {
  const down = (service = aService()) => {
    const bake = { forMs: 2000, everyMs: 2000, deadlineMs: 60_000 };
    const steps = [
      aStep({ name: 'upgrade', kind: 'upgrade', bake }),
      aStep({ name: 'downgrade', kind: 'downgrade', deploys: 'before', bake }),
      aStep({ name: 'upgrade again', kind: 'upgrade', bake }),
    ];
    return rollout({ service: { ...service, stages: [aStage({ steps }), ...service.stages.slice(1)] } });
  };

  it('deploys the release, what ran before, and the release again, each read back and watched', () => {
    const digests: string[] = [];
    let scene = down().until('surveying');
    for (let turns = 0; turns < 100 && scene.phase.is !== 'gated'; turns += 1) {
      for (const one of scene.asked('deploy')) digests.push(one.artifact.digest);
      const next = scene.answerOne();
      if (!next) throw new Error(JSON.stringify(scene.phase));
      scene = next;
    }
    const { digest } = scene.rollout.artifact ?? { digest: '' };
    expect(digests).toEqual([digest, 'sha256:first', digest]);
    expect(scene.rollout.release.isRollForwardOnly).toBe(false);
  });

  it.each<Partial<World>>([{ ancestry: 'diverged' }, { isOnBranch: false }])(
    'what says nothing of going down marks nothing, and is not gone on from (%o)',
    (world) => {
      const scene = down().until('clearing', 'downgrade').answerOne(world);
      expect(scene?.rollout.release.isRollForwardOnly).toBe(false);
      expect(['deciding', 'rolling-back']).toContain(scene?.phase.is);
    },
  );

  it('nor does a target that could not be read', () => {
    const verifying = down().until('verifying', 'downgrade');
    const scene = verifying.when(woke('verify-deadline'));
    expect(scene.rollout.release.isRollForwardOnly).toBe(false);
    expect(['deciding', 'rolling-back']).toContain(scene.phase.is);
  });

  it('a downgrade that fails marks the release as roll-forward only, and it goes on', () => {
    const scene = down().until('baking', 'downgrade').until('clearing', 'upgrade again', { health: 'bad' });
    expect(scene.rollout.release.isRollForwardOnly).toBe(true);
    expect(scene.facts).toContainEqual(expect.objectContaining({ fact: 'roll-forward-only' }));
    expect(scene.rollout.steps.at(-1)).toMatchObject({ step: 'downgrade', ended: 'failed' });
    const wave = scene.until('baking', 'wave 1').until('deciding', null, { health: 'bad' });
    expect(wave.in('deciding').choices).toEqual(['hold', 'continue', 'retry']);
  });

  it('an upgrade that fails is a failed stage like any other', () => {
    const scene = down().until('baking', 'upgrade').until('rolling-back', null, { health: 'bad' });
    expect(scene.rollout.release.isRollForwardOnly).toBe(false);
  });
});
