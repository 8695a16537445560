import { describe, expect, it } from 'vitest';
import type { PhaseName } from '../../src/core/rollout.ts';
import { approvedBy, artifactFor, FIRST, observation, rollout, rolloutAt, woke } from '../support/given.ts';
import { aRelease, aService, aStage, aStep } from '../support/service.ts';

const release = aRelease(1);
const artifact = artifactFor(release);

describe('a release on its way', () => {
  it('goes from merge to production step by step, in this order', () => {
    const path: PhaseName[] = [];
    let scene = rollout();
    for (let turns = 0; turns < 200 && scene.phase.is !== 'succeeded'; turns += 1) {
      if (path.at(-1) !== scene.phase.is) path.push(scene.phase.is);
      scene =
        scene.phase.is === 'queued' ? scene.until('surveying') : (scene.answerOne() ?? scene.when(approvedBy('ben')));
    }
    const step: PhaseName[] = ['clearing', 'deploying', 'verifying', 'baking'];
    expect(path).toEqual(['building', 'queued', 'surveying', ...step, 'surveying', 'gated', ...step, ...step, ...step]);
    expect(scene.rollout.steps.map((one) => `${one.stage}/${one.step} ${one.ended} ${one.verdict}`)).toEqual([
      'staging/all passed healthy',
      'production/canary passed healthy',
      'production/wave 1 passed healthy',
      'production/wave 2 passed healthy',
    ]);
    expect(scene.rollout.endedAtMs).toBe(scene.nowMs);
  });

  it('B2 builds once: the digest of the build is the one that every deploy asks for', () => {
    let scene = rollout();
    const digests = new Set<string>();
    while (scene.phase.is !== 'succeeded') {
      for (const deploy of scene.asked('deploy')) digests.add(deploy.artifact.digest);
      scene =
        scene.phase.is === 'queued' ? scene.until('surveying') : (scene.answerOne() ?? scene.when(approvedBy('ben')));
    }
    expect([...digests]).toEqual([artifact.digest]);
  });

  it('records what ran where, what was good, and what the lane wishes to run', () => {
    const { facts } = rolloutAt('succeeded');
    const placed = facts.flatMap((one) =>
      one.fact === 'placed' ? [`${one.stage}/${one.target} ${one.artifact.digest}`] : [],
    );
    // A canary is not what runs on a target: only a whole one is recorded.
    expect(placed).toEqual([
      `staging/staging ${artifact.digest}`,
      `production/us ${artifact.digest}`,
      `production/eu ${artifact.digest}`,
    ]);
    const good = facts.flatMap((one) =>
      one.fact === 'good' ? [`${one.stage}: ${one.targets} ${one.artifact.digest}`] : [],
    );
    expect(good).toEqual([
      `staging: staging ${FIRST.digest}`,
      `staging: staging ${artifact.digest}`,
      `production: eu ${FIRST.digest}`,
      `production: us ${FIRST.digest}`,
      `production: eu,us ${artifact.digest}`,
    ]);
    expect(facts.at(-1)).toMatchObject({ fact: 'desired', artifact });
  });

  it('X1 broadcasts only when it waits for somebody, failed or finished', () => {
    let scene = rollout();
    const said: string[] = [];
    while (scene.phase.is !== 'succeeded') {
      scene =
        scene.phase.is === 'queued' ? scene.until('surveying') : (scene.answerOne() ?? scene.when(approvedBy('ben')));
      said.push(...scene.asked('announce').map((one) => `${one.what} ${one.phase.is}`));
    }
    expect(said).toEqual(['waiting gated', 'finished succeeded']);
  });
});

describe('the build', () => {
  it('B1 a red build ends the rollout and says what was red', () => {
    const scene = rollout();
    const { generation } = scene.rollout;
    const url = 'https://ci.example/1';
    const red = scene.when({ type: 'build-failed', atMs: scene.nowMs, generation, detail: 'lint', url });
    expect(red.in('failed').trouble).toEqual({ code: 'build-failed', detail: 'lint', url });
    expect(red.asked('announce')).toMatchObject([{ what: 'failed' }]);
  });

  it('B1 has a deadline', () => {
    const scene = rollout();
    expect(scene.asked('wake')).toMatchObject([{ timer: 'build-deadline', afterMs: 1_800_000 }]);
    expect(scene.when(woke('build-deadline')).in('failed').trouble).toEqual({ code: 'build-timed-out' });
  });

  it('waits for its turn once it is green', () => {
    const scene = rolloutAt('queued');
    expect(scene.rollout.artifact).toEqual(artifact);
    expect(scene.effects).toEqual([]);
  });
});

describe('the survey: what a rollback would return to', () => {
  const found = (digest: string | null, isHealthy = true) =>
    rolloutAt('surveying').until('clearing', null, { before: { digest, isHealthy } }).rollout.before.staging;

  it('adopts the one version that runs healthy on every instance', () => {
    expect(found('sha256:old')).toEqual({ digest: 'sha256:old', sha: '' });
  });

  it('adopts nothing that is unhealthy, unreadable or absent', () => {
    expect(found('sha256:old', false)).toBeNull();
    expect(found(null)).toBeNull();
    const none = rolloutAt('surveying').until('clearing', null, { instances: 0 });
    expect(none.rollout.before.staging).toBeNull();
    expect(none.facts).toEqual([]);
  });

  it('adopts nothing when instances run different versions', () => {
    const scene = rolloutAt('surveying');
    const one = { id: 'a', region: 'eu', isHealthy: true, config: null, role: 'stable' as const, metricsUrl: null };
    const instances = [
      { ...one, digest: 'sha256:x' },
      { ...one, id: 'b', digest: 'sha256:y' },
    ];
    const { generation } = scene.rollout;
    const next = scene.when({
      type: 'surveyed',
      atMs: scene.nowMs,
      generation,
      observation: observation('staging', instances),
    });
    expect(next.rollout.before.staging).toBeNull();
  });

  it("trusts Belay's own record more than what runs at the moment", () => {
    const lastGood = { staging: { digest: 'sha256:good', sha: 'd'.repeat(40) } };
    const scene = rolloutAt('queued').until('clearing', null, { lastGood });
    expect(scene.rollout.before.staging).toEqual(lastGood.staging);
    expect(scene.facts).toEqual([]);
  });

  it('T10 never adopts what an earlier release of its own left there without having been good', () => {
    const scene = rolloutAt('queued').until('clearing', null, { lastGood: { staging: null } });
    expect(scene.rollout.before.staging).toBeNull();
    expect(scene.facts).toEqual([]);
  });

  it('asks on-call when a target cannot be read by the deadline, and names it', () => {
    const scene = rolloutAt('surveying').when(woke('survey-deadline'));
    expect(scene.in('deciding')).toMatchObject({
      trouble: { code: 'unreachable', target: 'staging' },
      countdown: null,
    });
    expect(scene.in('deciding').choices).toEqual(['retry', 'hold']);
    expect(scene.asked('page')).toMatchObject([{ who: 'slack:T1/U0CHO' }]);
  });

  it('waits for every target of the stage', () => {
    const scene = rollout().until('baking').until('surveying');
    expect(scene.in('surveying').waitingFor).toEqual(['eu', 'us']);
    const half = scene.answerOne();
    expect(half?.in('surveying').waitingFor).toEqual(['us']);
    expect(half?.answerOne()?.phase.is).toBe('gated');
  });
});

describe('clearing: the facts are read again before anything is changed', () => {
  it.each(['behind', 'diverged'] as const)('T7 a commit that is %s never ships by itself', (ancestry) => {
    const scene = rolloutAt('queued').until('failed', null, { ancestry, desiredSha: 'e'.repeat(40) });
    expect(scene.in('failed').trouble).toEqual({ code: 'not-a-descendant', ancestry, baseSha: 'e'.repeat(40) });
    expect(scene.rollout.touched).toEqual([]);
  });

  it('T7 an imposter that is not on the default branch never ships', () => {
    const scene = rolloutAt('queued').until('failed', null, { isOnBranch: false });
    expect(scene.in('failed').trouble).toEqual({ code: 'not-on-default-branch' });
  });

  it('T7 the same commit again may ship', () => {
    expect(rolloutAt('queued').until('deploying', null, { ancestry: 'identical' }).phase.is).toBe('deploying');
  });

  it('T7 found out in the middle of a stage, what was touched is taken back', () => {
    const scene = rolloutAt('clearing', { step: 'wave 1' }).until('deciding', null, { ancestry: 'diverged' });
    expect(scene.in('deciding')).toMatchObject({
      trouble: { code: 'not-a-descendant' },
      countdown: { choice: 'roll-back' },
    });
  });

  it('H4 measures the signals before the step, on what ran until then', () => {
    const scene = rolloutAt('clearing');
    expect(scene.asked('measure-before')).toMatchObject([{ before: FIRST, targets: ['eu', 'us'], now: artifact }]);
  });

  it('asks nothing about before where nothing ran before', () => {
    const scene = rolloutAt('surveying').until('clearing', null, { instances: 0 });
    expect(scene.asked('measure-before')).toEqual([]);
    expect(scene.answerOne({ instances: 0 })?.phase.is).toBe('deploying');
  });
});

describe('deploying and reading back', () => {
  it('R1 a canary asks for its share of every region', () => {
    const deploys = rolloutAt('deploying').asked('deploy');
    expect(deploys.map((one) => [one.target, one.share])).toEqual([
      ['eu', 0.1],
      ['us', 0.1],
    ]);
  });

  it('R6 reads every target back when all of them are deployed', () => {
    const scene = rolloutAt('deploying');
    const half = scene.answerOne();
    expect(half?.in('deploying').waitingFor).toEqual(['us']);
    expect(half?.asked('observe')).toEqual([]);
    const both = half?.answerOne();
    expect(both?.asked('observe').map((one) => one.target)).toEqual(['eu', 'us']);
  });

  it.each([
    ['runs other code', { digest: 'sha256:other', isHealthy: true }],
    ['cannot be read', { digest: null, isHealthy: true }],
    ['runs it and is not healthy', { digest: artifact.digest, isHealthy: false }],
  ])('R6 T18 one instance that %s holds the step; at the deadline it is named', (_name, oddOne) => {
    const scene = rolloutAt('verifying', { step: 'wave 1' });
    const again = scene.answerOne({ oddOne });
    expect(again?.phase.is).toBe('verifying');
    expect(again?.asked('observe')).toMatchObject([{ target: 'us', round: 1, afterMs: 1000 }]);
    const late = again?.when(woke('verify-deadline'));
    const { trouble } = late?.in('deciding') ?? {};
    expect(trouble).toMatchObject({
      code: 'partial',
      target: 'us',
      expected: 10,
      running: 9,
      instances: [{ id: 'i-0' }],
    });
  });

  it('T16 a target without any instance is not deployed', () => {
    const scene = rolloutAt('verifying', { step: 'wave 1' }).answerOne({ instances: 0 });
    expect(scene?.in('verifying').problems.us).toMatchObject({ code: 'partial', running: 0 });
  });

  it('R6 a target that settles in time goes on', () => {
    const scene = rolloutAt('verifying', { step: 'wave 1' });
    const next = scene.answerOne({ oddOne: { digest: null, isHealthy: true } })?.answerOne();
    expect(next?.in('baking').judgement).toBeNull();
  });

  it('B3 a deploy that fails for good in the canary is taken back at once', () => {
    const scene = rolloutAt('deploying');
    const { generation } = scene.rollout;
    const next = scene.when({ type: 'deploy-failed', atMs: scene.nowMs, generation, target: 'eu', detail: 'no image' });
    expect(next.in('rolling-back').trouble).toEqual({ code: 'deploy-failed', target: 'eu', detail: 'no image' });
  });

  it('B3 a deploy that never answers in a wave asks on-call and names the targets', () => {
    const scene = rolloutAt('deploying', { step: 'wave 1' }).when(woke('deploy-deadline'));
    expect(scene.in('deciding').trouble).toEqual({ code: 'deploy-timed-out', targets: ['us'] });
    expect(scene.in('deciding').choices).toEqual(['retry', 'roll-back', 'hold']);
  });
});

describe('a stage without signals', () => {
  const service = aService({
    stages: [aStage({ signals: [], steps: [aStep({ bake: { forMs: 5000, everyMs: 1000, deadlineMs: 60_000 } })] })],
  });

  const baking = () => rollout({ service }).until('baking');

  it('waits its bake time, watched in intervals', () => {
    let scene = baking();
    const sinceMs = scene.nowMs;
    for (let tick = 0; tick < 5; tick += 1) {
      expect(scene.asked('wake')).toMatchObject([{ timer: `bake#${tick}`, afterMs: 1000 }]);
      scene = scene.later(1000).when(woke(`bake#${tick}`));
    }
    expect(scene.in('succeeded').atMs).toBe(sinceMs + 5000);
  });

  it('T11 no jump of the clock ends the wait early', () => {
    const jumped = baking().later(86_400_000).when(woke('bake#0'));
    expect(jumped.in('baking').observedMs).toBe(1500);
    const back = baking().later(-5000).when(woke('bake#0'));
    expect(back.in('baking').observedMs).toBe(0);
    expect(back.asked('wake')).toMatchObject([{ timer: 'bake#1' }]);
  });

  it('an older tick counts nothing', () => {
    const scene = baking().later(1000).when(woke('bake#0'));
    expect(scene.later(1000).when(woke('bake#0')).answer.is).toBe('ignored');
  });

  it('T9 the wait of a stage with signals never ends by a timer', () => {
    const scene = rolloutAt('baking').later(1_000_000).when(woke('bake#0'));
    expect(scene.answer).toMatchObject({ is: 'ignored' });
    expect(scene.phase.is).toBe('baking');
  });
});
