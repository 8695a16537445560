import { describe, expect, it } from 'vitest';
import { countingApprovals } from '../../src/core/approval.ts';
import type { Actor, Standing } from '../../src/core/principal.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { approvedBy, artifactFor, FIRST, rejectedBy, rollout, rolloutAt, type Scene, woke } from '../support/given.ts';
import { actor, aRelease, aService, keyOf, type PersonName } from '../support/service.ts';

/** A service whose production needs this many approvals. */
function needing(required: number) {
  const service = aService();
  for (const stage of service.stages) if (stage.approvals) stage.approvals.required = required;
  return service;
}

function anActor(name: PersonName, over: Partial<Actor> = {}): Actor {
  return { ...actor(name), ...over };
}

const refusalOf = (scene: Scene) => (scene.answer.is === 'refused' ? scene.answer.refusal : null);

describe('G1 an approval', () => {
  it('opens the gate when it is the last one needed', () => {
    const scene = rolloutAt('gated').when(approvedBy('ben'));
    expect(scene.phase.is).toBe('clearing');
    expect(scene.last.facts).toMatchObject([{ fact: 'approval', stage: 'production', verdict: 'approved' }]);
    expect(scene.asked('clear')).toMatchObject([{ approvers: [keyOf('ben')] }]);
  });

  it('T2 is for exactly this service, stage, artifact, plan and policy', () => {
    const [approval] = rolloutAt('gated').when(approvedBy('ben')).rollout.approvals;
    const { plan, release } = rollout().rollout;
    expect(approval?.binding).toEqual({
      service: 'shop',
      stage: 'production',
      digest: artifactFor(release).digest,
      planHash: plan.hash,
      policyHash: plan.policyHash,
    });
  });

  it('one of two leaves the gate closed', () => {
    const one = rolloutAt('gated', { service: needing(2) }).when(approvedBy('ben'));
    expect(one.phase.is).toBe('gated');
    expect(one.when(approvedBy('bo')).phase.is).toBe('clearing');
  });

  it('the same person twice counts once and is told so', () => {
    const scene = rolloutAt('gated', { service: needing(2) }).when(approvedBy('ben'), approvedBy('ben'));
    expect(refusalOf(scene)).toMatchObject({ code: 'already-approved' });
    expect(scene.rollout.approvals).toHaveLength(1);
  });

  it('T3 one human with two Slack accounts counts once', () => {
    const other = anActor('bo', { githubId: actor('ben').githubId });
    const scene = rolloutAt('gated', { service: needing(2) }).when(approvedBy('ben'), approvedBy(other));
    expect(scene.phase.is).toBe('gated');
    expect(scene.when(approvedBy('bo')).answer).toMatchObject({ refusal: { code: 'already-approved' } });
    expect(scene.when(approvedBy('cho')).phase.is).toBe('clearing');
  });

  it('T1 of the author, or anybody who took part, is refused', () => {
    expect(refusalOf(rolloutAt('gated').when(approvedBy('ana')))).toEqual({ code: 'participant', part: 'opener' });
    const release = aRelease(1, {
      participants: [{ part: 'co-author', githubId: actor('ben').githubId, login: 'ben', isBot: false }],
    });
    const scene = rolloutAt('surveying', { release }).until('baking').until('surveying');
    const gated = scene.answerOne()?.answerOne();
    expect(gated?.when(approvedBy('ben')).answer).toMatchObject({
      refusal: { code: 'participant', part: 'co-author' },
    });
  });

  it('T1 of whoever asked for the rollout is refused', () => {
    const { principal } = actor('ben');
    const scene = rolloutAt('gated', { request: { by: principal, name: 'ben' } });
    expect(refusalOf(scene.when(approvedBy('ben')))).toEqual({ code: 'participant', part: 'requester' });
  });

  it.each(['guest', 'external', 'bot', 'deactivated', 'unknown'] satisfies Standing[])(
    'T15 of a %s is refused',
    (standing) => {
      const scene = rolloutAt('gated').when(approvedBy(anActor('ben', { standing })));
      expect(refusalOf(scene)).toEqual({ code: 'not-a-member', standing });
      expect(scene.rollout.approvals).toEqual([]);
    },
  );

  it('T15 of an account without a proved link to GitHub is refused', () => {
    expect(refusalOf(rolloutAt('gated').when(approvedBy(anActor('ben', { githubId: null }))))).toEqual({
      code: 'not-linked',
    });
  });

  it.each(['dan', 'eve'] satisfies PersonName[])('of %s, who is no approver, is refused', (name) => {
    expect(rolloutAt('gated').when(approvedBy(name)).answer.is).toBe('refused');
  });

  it('T3 after the gate has ended is told who was first', () => {
    const scene = rolloutAt('gated');
    const late = approvedBy('bo')(scene.rollout, scene.nowMs + 1);
    expect(refusalOf(scene.when(approvedBy('ben')).when(late))).toMatchObject({ code: 'too-late', by: 'ben' });
  });

  it('T3 a reject ends it for good: nobody approves after it', () => {
    const scene = rolloutAt('gated', { service: needing(2) }).when(approvedBy('ben'), rejectedBy('bo'));
    expect(scene.phase.is).toBe('aborted');
    expect(refusalOf(scene.when(approvedBy('cho')))).toMatchObject({ code: 'too-late', by: 'bo', now: 'aborted' });
  });

  it('drawn for an older state is refused', () => {
    const scene = rolloutAt('gated');
    const { generation } = scene.rollout;
    const older = { type: 'approved', atMs: scene.nowMs, generation: generation - 1, actor: actor('ben') } as const;
    expect(refusalOf(scene.when(older))).toMatchObject({ code: 'too-late' });
  });
});

describe('an approval does not last', () => {
  const expireMs = 14_400_000;

  it('G1 longer than the policy says: the gate asks again', () => {
    const canary = rolloutAt('clearing', { step: 'canary' });
    const scene = canary
      .later(expireMs + 1)
      .answerOne()
      ?.answerOne();
    expect(scene?.in('gated').voided).toBe(1);
    expect(scene?.rollout.approvals).toEqual([]);
    expect(scene?.asked('announce')).toMatchObject([{ what: 'waiting' }]);
  });

  it('G1 past its time to the millisecond', () => {
    const scene = rolloutAt('gated', { service: needing(2) }).when(approvedBy('ben'));
    const [approval] = scene.rollout.approvals;
    expect(approval?.expiresAtMs).toBe(scene.nowMs + expireMs);
    expect(scene.later(expireMs - 1).when(approvedBy('bo')).phase.is).toBe('clearing');
    expect(scene.later(expireMs).when(approvedBy('bo')).phase.is).toBe('gated');
    expect(scene.later(expireMs).when(approvedBy('bo'), approvedBy('ben')).phase.is).toBe('clearing');
  });

  it('a gate that nobody opened in time ends the rollout where nothing was touched', () => {
    expect(rolloutAt('gated').when(woke('gate-expiry')).in('aborted').trouble).toEqual({ code: 'approval-expired' });
  });

  it('a gate between two steps that nobody opened in time asks on-call', () => {
    const gated = rolloutAt('clearing', { step: 'wave 1' }).until('gated', null, { eligible: [] });
    const asked = gated.when(woke('gate-expiry'));
    expect(asked.in('deciding')).toMatchObject({
      trouble: { code: 'approval-expired' },
      choices: ['retry', 'roll-back', 'hold'],
    });
  });
});

describe('T1 what held at the click must hold at the effect', () => {
  it('an approver who left in between is voided, and the gate asks again', () => {
    const scene = rolloutAt('gated', { service: needing(2) }).when(approvedBy('ben'), approvedBy('bo'));
    const gated = scene.until('gated', null, { eligible: [keyOf('bo')] });
    expect(gated.in('gated').voided).toBe(1);
    expect(gated.rollout.approvals.map((one) => one.name)).toEqual(['bo']);
    expect(gated.rollout.touched).not.toContain('eu');
    expect(gated.when(approvedBy('cho')).until('deploying').asked('deploy')).toHaveLength(2);
  });

  it('a clearance older than 60 s is read again before anything is deployed', () => {
    const scene = rolloutAt('clearing');
    const { generation } = scene.rollout;
    const { nowMs } = scene;
    const facts = { ancestry: 'ahead' as const, eligible: [keyOf('ben')], defaultBranchHasHead: true };
    const cleared = scene.when({ type: 'cleared', atMs: nowMs, generation, ...facts });
    const measuredAt = (atMs: number) => cleared.when({ type: 'measured-before', atMs, generation, measurements: [] });
    expect(measuredAt(nowMs + 60_000).phase.is).toBe('deploying');
    expect(measuredAt(nowMs + 60_001).in('clearing').clearance).toBeNull();
    expect(measuredAt(nowMs + 60_001).asked('clear')).toHaveLength(1);
    // A clock that went back makes the clearance come from the future: not believed either.
    expect(measuredAt(nowMs - 1).in('clearing').clearance).toBeNull();
  });

  it.each([
    ['artifact', (one: Rollout) => ({ ...one, artifact: { digest: 'sha256:other', sha: one.release.sha } })],
    ['plan', (one: Rollout) => ({ ...one, plan: { ...one.plan, hash: 'other' } })],
    ['policy', (one: Rollout) => ({ ...one, plan: { ...one.plan, policyHash: 'other' } })],
    ['service', (one: Rollout) => ({ ...one, service: 'other' })],
  ])('T2 another %s voids it', (_name, change) => {
    const scene = rolloutAt('clearing');
    const changed = scene.but(change(scene.rollout));
    expect(changed.until('gated').phase.is).toBe('gated');
    expect(scene.until('deploying').phase.is).toBe('deploying');
  });

  it('every later step counts the approvals again', () => {
    const scene = rolloutAt('clearing', { step: 'wave 2' });
    expect(scene.asked('clear')).toMatchObject([{ approvers: [keyOf('ben')] }]);
    expect(scene.until('gated', null, { eligible: [] }).in('gated').at).toEqual({ stage: 1, step: 2 });
  });
});

describe('T1 the approvals that count', () => {
  const { rollout: given, nowMs } = rolloutAt('clearing');
  const [approval] = given.approvals;
  if (!approval) throw new Error('no approval');
  const count = (participants: Rollout['participants'], requester: string, eligible: string[] | null = null) =>
    countingApprovals([approval], approval.binding, participants, requester, nowMs, eligible).length;

  it('are none of whoever took part or asked for it, even if they were recorded', () => {
    const ben = { part: 'author', githubId: actor('ben').githubId, login: 'ben', isBot: false } as const;
    expect(count([], 'belay')).toBe(1);
    expect(count([ben], 'belay')).toBe(0);
    expect(count([], keyOf('ben'))).toBe(0);
    expect(count([{ ...ben, githubId: null }], 'belay')).toBe(1);
  });

  it('are none of nobody: an empty list of who is eligible is not all', () => {
    expect(count([], 'belay', [])).toBe(0);
    expect(count([], 'belay', [keyOf('bo')])).toBe(0);
    expect(count([], 'belay', [keyOf('ben')])).toBe(1);
  });
});

describe('what a stage asks for', () => {
  it('S3 a missing review costs one approval more', () => {
    const unreviewed = [
      aRelease(1, { pullRequest: null }),
      aRelease(1, { review: { approvedBy: [], checks: 'green' } }),
      aRelease(1, { review: { approvedBy: ['ben'], checks: 'red' } }),
      aRelease(1, { review: { approvedBy: ['ben'], checks: 'pending' } }),
    ];
    for (const release of unreviewed) {
      const one = rolloutAt('gated', { release }).when(approvedBy('ben'));
      expect(one.phase.is).toBe('gated');
      expect(one.when(approvedBy('bo')).phase.is).toBe('clearing');
    }
  });

  it.each([
    ['without a rule', null],
    ['that needs none', { required: 0, expireMs: 1000 }],
    ['that needs less than none', { required: -1, expireMs: 1000 }],
    ['that needs no number', { required: Number.NaN, expireMs: 1000 }],
  ])('T15 a protected stage %s is closed to everybody', (_name, approvals) => {
    const scene = rolloutAt('gated');
    const stages = scene.rollout.plan.stages.map((stage) => ({
      ...stage,
      approvals: stage.isProtected ? approvals : null,
    }));
    const closed = scene.but({ plan: { ...scene.rollout.plan, stages } });
    const all = closed.when(approvedBy('ben'), approvedBy('bo'), approvedBy('cho'));
    expect(all.phase.is).toBe('gated');
  });

  it('an unprotected stage asks nobody', () => {
    const scene = rollout().until('clearing');
    expect(scene.in('clearing').at).toEqual({ stage: 0, step: 0 });
    expect(scene.asked('clear')).toMatchObject([{ approvers: [] }]);
  });

  it('T1 the participants that count are those since what is desired, not of the newest commit alone', () => {
    const scene = rolloutAt('queued');
    const participants = [{ part: 'author', githubId: actor('ben').githubId, login: 'ben', isBot: false } as const];
    const atMs = scene.nowMs;
    const ready = scene.when({
      type: 'started',
      atMs,
      desiredSha: null,
      desiredDigest: null,
      participants,
      lastGood: { staging: FIRST },
      lastWatched: [],
    });
    const gated = ready.until('baking').until('surveying').answerOne()?.answerOne();
    expect(gated?.when(approvedBy('ben')).answer).toMatchObject({ refusal: { code: 'participant' } });
    expect(gated?.when(approvedBy('bo')).phase.is).toBe('clearing');
  });
});
