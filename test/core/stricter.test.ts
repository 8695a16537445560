import { describe, expect, it } from 'vitest';
import { abortedBy, approvedBy, rejectedBy, rollbackBy, rolloutAt } from '../support/given.ts';
import { aRelease, aService } from '../support/service.ts';

function needingTwo() {
  const service = aService();
  for (const stage of service.stages) if (stage.approvals) stage.approvals.required = 2;
  return service;
}

describe('T11 a clock that goes back', () => {
  it('voids the approvals that were given: they would last longer by as much', () => {
    const one = rolloutAt('gated', { service: needingTwo() }).when(approvedBy('ben'));
    const later = one.later(-3_600_000).when(approvedBy('bo'));
    expect(later.phase.is).toBe('gated');
    expect(later.rollout.approvals.map((approval) => approval.name)).toEqual(['bo']);
  });

  it('by a correction of a few seconds changes nothing', () => {
    const one = rolloutAt('gated', { service: needingTwo() }).when(approvedBy('ben'));
    expect(one.later(-2000).when(approvedBy('bo')).phase.is).toBe('clearing');
  });
});

describe('G1 whoever took part in the change', () => {
  it('may not reject it either: stopping it is an abort', () => {
    const scene = rolloutAt('gated').when(rejectedBy('ana'));
    expect(scene.answer).toMatchObject({ is: 'refused', refusal: { code: 'participant' } });
    expect(scene.when(abortedBy('ana')).phase.is).toBe('aborted');
  });
});

describe('D6 a roll-forward-only release that has touched production', () => {
  const release = aRelease(1, { isRollForwardOnly: true });

  it('is not taken back by an abort: on-call decides, without a rollback among the choices', () => {
    const scene = rolloutAt('baking', { release, step: 'canary' }).when(abortedBy('cho'));
    expect(scene.in('deciding').choices).toEqual(['hold', 'retry']);
  });

  it('T10 is taken back when somebody asks for just that', () => {
    expect(rolloutAt('baking', { release, step: 'canary' }).when(rollbackBy('cho')).phase.is).toBe('rolling-back');
  });
});
