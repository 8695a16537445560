import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import type { PhaseName } from '../../src/core/rollout.ts';
import {
  abortedBy,
  artifactFor,
  countdownStoppedBy,
  decidedBy,
  FIRST,
  OVER,
  observation,
  PHASES,
  rejectedBy,
  rollbackBy,
  rollout,
  rolloutAt,
  type Scene,
  woke,
} from '../support/given.ts';
import { aRelease, aService, aStage } from '../support/service.ts';

const hotfixOnly = aRelease(1, { isRollForwardOnly: true });
const older = { digest: 'sha256:older', sha: '9'.repeat(40) };

/** What is taken back, by target. */
const goals = (scene: Scene) => scene.in('rolling-back').to.map((one) => `${one.target} ${one.artifact.digest}`);

describe('a rollback', () => {
  it('takes back every touched target, newest first, to what ran there before', () => {
    expect(goals(rolloutAt('rolling-back', { step: 'canary' }))).toEqual([`us ${FIRST.digest}`, `eu ${FIRST.digest}`]);
  });

  it('takes back whole targets, even where only a canary was deployed', () => {
    const scene = rolloutAt('rolling-back');
    expect(scene.asked('roll-back').map((one) => one.target)).toEqual(['us', 'eu']);
    expect(
      scene
        .answerOne()
        ?.answerOne()
        ?.answerOne({ oddOne: { digest: 'sha256:x', isHealthy: true } })?.phase.is,
    ).toBe('rolling-back');
  });

  it('T18 is done only when every instance of every touched target is read back', () => {
    const scene = rolloutAt('rolling-back');
    const called = scene.answerOne()?.answerOne();
    expect(called?.in('rolling-back')).toMatchObject({ waitingFor: [], verifying: ['us', 'eu'] });
    const one = called?.answerOne();
    expect(one?.in('rolling-back').verifying).toEqual(['eu']);
    expect(one?.last.facts).toMatchObject([{ fact: 'placed', target: 'us', artifact: FIRST }]);
    const both = one?.answerOne();
    expect(both?.in('rolled-back').trouble).toMatchObject({ code: 'degraded' });
  });

  it('an instance that is not back yet is read again and again', () => {
    const called = rolloutAt('rolling-back').answerOne()?.answerOne();
    const odd = called?.answerOne({ oddOne: { digest: null, isHealthy: true } });
    expect(odd?.in('rolling-back').verifying).toEqual(['us', 'eu']);
    expect(odd?.asked('observe')).toMatchObject([{ target: 'us', round: 1, afterMs: 1000 }]);
  });

  it('never gives up: a provider that refuses for good is asked anew, and on-call is paged once', () => {
    let scene = rolloutAt('rolling-back');
    const refusal = () => {
      const { generation } = scene.rollout;
      return { type: 'roll-back-failed', atMs: scene.nowMs, generation, target: 'us', detail: 'denied' } as const;
    };
    scene = scene.when(refusal());
    expect(scene.asked('roll-back')).toMatchObject([{ target: 'us', round: 1, afterMs: 5000 }]);
    expect(scene.asked('page')).toHaveLength(1);
    const firstKey = scene.asked('roll-back')[0]?.key;
    scene = scene.when(refusal());
    expect(scene.asked('page')).toEqual([]);
    expect(scene.asked('roll-back')[0]?.key).not.toBe(firstKey);
    expect(scene.rollout.stumble).toMatchObject({ effect: 'roll-back', detail: 'denied', attempts: 2 });
  });

  it('that takes too long pages on-call again, and goes on', () => {
    const scene = rolloutAt('rolling-back').when(woke('roll-back-deadline#0'));
    expect(scene.phase.is).toBe('rolling-back');
    expect(scene.asked('page')).toMatchObject([{ round: 1 }]);
    const again = scene.when(woke('roll-back-deadline#1'));
    expect(again.asked('page')).toMatchObject([{ round: 2 }]);
    expect(again.asked('wake')).toMatchObject([{ timer: 'roll-back-deadline#2' }]);
  });

  it('T18 a target that says it is back and is not is taken back anew', () => {
    const called = rolloutAt('rolling-back').answerOne()?.answerOne();
    const odd = called?.answerOne({ oddOne: { digest: 'sha256:x', isHealthy: true } });
    const overdue = odd?.when(woke('roll-back-deadline#0'));
    expect(overdue?.in('rolling-back')).toMatchObject({ waitingFor: ['us', 'eu'], verifying: [], round: 1 });
    expect(overdue?.asked('roll-back').map((one) => [one.target, one.round, one.afterMs])).toEqual([
      ['us', 1, 0],
      ['eu', 1, 0],
    ]);
    expect(overdue?.until('rolled-back').phase.is).toBe('rolled-back');
  });

  it('says what the lane wishes to run again, when that is a known commit', () => {
    const lastGood = { eu: older, us: older };
    const baking = rolloutAt('queued').until('baking', 'canary', { lastGood });
    const back = baking.until('rolling-back', null, { health: 'bad' }).until('rolled-back');
    expect(back.last.facts.at(-1)).toMatchObject({ fact: 'desired', artifact: older });
    expect(rolloutAt('rolled-back').last.facts.some((one) => one.fact === 'desired')).toBe(false);
  });

  it('with nothing to return to asks a person, and says of which target', () => {
    const scene = rolloutAt('deploying')
      .but({ before: { eu: null, us: null } })
      .when(rollbackBy('cho'));
    expect(scene.in('deciding')).toMatchObject({ trouble: { code: 'nothing-to-roll-back-to', target: 'us' } });
    expect(scene.in('deciding').choices).toEqual(['retry', 'hold']);
  });
});

/** Where a rollback or an abort leads from each phase: nothing touched ends at once, otherwise it is taken back. */
const AFTER: Record<
  Exclude<PhaseName, 'succeeded' | 'rolled-back' | 'aborted' | 'superseded' | 'failed'>,
  PhaseName
> = {
  building: 'aborted',
  queued: 'aborted',
  preparing: 'aborted',
  surveying: 'aborted',
  gated: 'aborted',
  clearing: 'aborted',
  deploying: 'rolling-back',
  verifying: 'rolling-back',
  checking: 'rolling-back',
  baking: 'rolling-back',
  deciding: 'rolling-back',
  holding: 'rolling-back',
  'rolling-back': 'rolling-back',
};

describe('D5 T10 /rollback', () => {
  it.each(Object.entries(AFTER))('while %s → %s', (from, to) => {
    const scene = rolloutAt(from as PhaseName).when(rollbackBy('dan'));
    expect(scene.phase.is).toBe(to);
    if (from === 'rolling-back') {
      expect(scene.answer).toMatchObject({ is: 'refused', refusal: { code: 'too-late', now: 'rolling-back' } });
      return;
    }
    expect(scene.answer).toEqual({ is: 'changed' });
    expect(scene.last.facts).toMatchObject([{ fact: 'decision', choice: 'rollback', because: 'it hurts' }]);
  });

  it.each(OVER)('of a rollout that is %s is refused with that word', (phase) => {
    const scene = rolloutAt(phase).when(rollbackBy('dan'));
    expect(scene.answer).toEqual({ is: 'refused', refusal: { code: 'is-over', phase } });
  });

  it('to a chosen version goes there, and may change its mind on the way', () => {
    const scene = rolloutAt('baking').when(rollbackBy('dan', 'bad', older));
    expect(goals(scene)).toEqual(['us sha256:older', 'eu sha256:older']);
    const again = scene.when(rollbackBy('cho', 'further', FIRST));
    expect(goals(again)).toEqual([`us ${FIRST.digest}`, `eu ${FIRST.digest}`]);
    expect(again.rollout.generation).toBe(scene.rollout.generation + 1);
    expect(again.when(rollbackBy('cho', 'further', FIRST)).answer).toMatchObject({ is: 'refused' });
  });

  it('needs a reason', () => {
    const scene = rolloutAt('baking').when(rollbackBy('dan', '  '));
    expect(scene.answer).toEqual({ is: 'refused', refusal: { code: 'reason-missing' } });
    expect(scene.phase.is).toBe('baking');
  });

  it('needs no approval and no look-up: what it owes is the rollback itself', () => {
    const scene = rolloutAt('baking').when(rollbackBy('dan'));
    expect(scene.effects.map((one) => one.kind)).toEqual(['roll-back', 'roll-back', 'wake', 'announce']);
  });

  it('D6 is open to people even for a release that is roll-forward only', () => {
    expect(rolloutAt('baking', { release: hotfixOnly }).when(rollbackBy('cho')).phase.is).toBe('rolling-back');
  });
});

describe('abort', () => {
  it.each(Object.entries(AFTER))('while %s → %s', (from, to) => {
    const scene = rolloutAt(from as PhaseName).when(abortedBy('dan'));
    expect(scene.phase.is).toBe(to);
    const isTooLate = from === 'rolling-back';
    expect(scene.answer.is).toBe(isTooLate ? 'refused' : 'changed');
  });

  it.each(OVER)('of a rollout that is %s is refused', (phase) => {
    expect(rolloutAt(phase).when(abortedBy('dan')).answer).toMatchObject({ refusal: { code: 'is-over', phase } });
  });
});

describe('D2 the decision of the person on call', () => {
  it('retry tries the step again, from reading the facts on', () => {
    expect(rolloutAt('deciding').when(decidedBy('cho', 'retry')).in('clearing').at).toEqual({ stage: 1, step: 1 });
  });

  it('retry where nothing was touched reads again what runs there', () => {
    const scene = rolloutAt('surveying').when(woke('survey-deadline'));
    expect(scene.when(decidedBy('cho', 'retry')).in('surveying').waitingFor).toEqual(['staging']);
  });

  it('roll back takes it back', () => {
    expect(rolloutAt('deciding').when(decidedBy('cho', 'roll-back')).phase.is).toBe('rolling-back');
  });

  it('continue needs a reason, goes on, and is no version to come back to', () => {
    const scene = rolloutAt('deciding');
    for (const because of [null, ' ']) {
      expect(scene.when(decidedBy('cho', 'continue', because)).answer).toMatchObject({
        refusal: { code: 'reason-missing' },
      });
    }
    const next = scene.when(decidedBy('cho', 'continue', 'known noise'));
    expect(next.in('clearing').at).toEqual({ stage: 1, step: 2 });
    const done = next.until('succeeded');
    expect(done.rollout.steps.at(-2)).toMatchObject({ step: 'wave 1', ended: 'continued', verdict: 'degraded' });
    const artifact = artifactFor(done.rollout.release);
    const good = done.facts.filter((one) => one.fact === 'good' && one.artifact.digest === artifact.digest);
    expect(good.map((one) => (one.fact === 'good' ? one.stage : ''))).toEqual(['staging']);
  });

  it('hold waits for a hotfix; it can still be tried again or taken back, not waved through', () => {
    const scene = rolloutAt('holding');
    expect(scene.in('holding')).toMatchObject({
      by: 'cho',
      because: 'a fix is on its way',
      choices: ['retry', 'roll-back'],
    });
    expect(scene.effects).toEqual([]);
    expect(scene.when(decidedBy('cho', 'continue', 'why not')).answer).toMatchObject({
      refusal: { code: 'choice-not-offered', offered: ['retry', 'roll-back'] },
    });
    expect(scene.when(decidedBy('cho', 'roll-back')).phase.is).toBe('rolling-back');
    expect(scene.when(decidedBy('cho', 'retry')).phase.is).toBe('clearing');
  });

  it('T3 the second of two is told who was first', () => {
    const scene = rolloutAt('deciding');
    const late = decidedBy('ben', 'continue', 'looks fine')(scene.rollout, scene.nowMs + 5);
    const second = scene.when(decidedBy('cho', 'roll-back')).when(late);
    expect(second.answer).toEqual({
      is: 'refused',
      refusal: { code: 'too-late', by: 'cho', atMs: scene.nowMs, now: 'rolling-back' },
    });
    expect(second.phase.is).toBe('rolling-back');
  });

  it('T3 a click on buttons that are gone changes nothing, even where the same choice is offered again', () => {
    const scene = rolloutAt('deciding');
    const late = decidedBy('ben', 'retry')(scene.rollout, scene.nowMs + 5);
    const held = scene.when(decidedBy('cho', 'hold')).when(late);
    expect(held.answer).toMatchObject({ refusal: { code: 'too-late', by: 'cho', now: 'holding' } });
    expect(held.phase.is).toBe('holding');
    const stop = countdownStoppedBy('ben')(scene.rollout, scene.nowMs + 5);
    const again = scene.when(decidedBy('cho', 'retry')).until('baking').until('deciding', null, { health: 'bad' });
    expect(again.when(stop).in('deciding').countdown).not.toBeNull();
  });

  it('is nothing that a deployer or a viewer may make', () => {
    expect(rolloutAt('deciding').when(decidedBy('dan', 'continue', 'x')).answer).toMatchObject({
      refusal: { code: 'not-allowed', action: 'decide' },
    });
  });

  it('outside of a decision there is nothing to decide', () => {
    expect(rolloutAt('baking').when(decidedBy('cho', 'retry')).answer).toMatchObject({ refusal: { code: 'too-late' } });
  });
});

describe('the countdown', () => {
  it('does the default when nobody chose', () => {
    const scene = rolloutAt('deciding').later(600_000).when(woke('countdown'));
    expect(scene.in('rolling-back').trouble).toMatchObject({ code: 'degraded' });
  });

  it('can be stopped, and then waits for a person', () => {
    const scene = rolloutAt('deciding').when(countdownStoppedBy('cho'));
    expect(scene.in('deciding').countdown).toBeNull();
    expect(scene.rollout.lastAct?.name).toBe('cho');
    expect(scene.when(woke('countdown')).answer.is).toBe('ignored');
    expect(scene.when(countdownStoppedBy('ben')).answer).toMatchObject({ refusal: { code: 'too-late', by: 'cho' } });
    expect(scene.when(decidedBy('ben', 'roll-back')).phase.is).toBe('rolling-back');
  });

  it('cannot be stopped by whoever may not decide', () => {
    const scene = rolloutAt('deciding').when(countdownStoppedBy('dan'));
    expect(scene.in('deciding').countdown).not.toBeNull();
  });

  it('there is none where the policy names no default', () => {
    const service = aService();
    for (const stage of service.stages) Object.assign(stage, { defaultDecision: null });
    expect(rolloutAt('deciding', { service }).in('deciding').countdown).toBeNull();
  });
});

describe('two stages of one target', () => {
  const twice = () => rollout({ service: aService({ stages: [aStage(), aStage({ name: 'soak' })] }) });
  /** The survey of the second finds what the first one deployed. */
  const second = () => {
    const scene = twice().until('baking').until('surveying');
    return scene.until('baking', null, { before: { digest: scene.rollout.artifact?.digest ?? '', isHealthy: true } });
  };

  it('D5 the second one goes back to what ran before the first', () => {
    const back = second().when(rollbackBy('cho'));
    expect(back.in('rolling-back').at.stage).toBe(1);
    expect(back.in('rolling-back').to).toEqual([{ target: 'staging', artifact: FIRST }]);
  });

  it('D5 nothing that this rollout put there is adopted as a version that was healthy before', () => {
    const adopted = second().facts.flatMap((one) =>
      one.fact === 'good' && one.stage === 'soak' ? [one.artifact] : [],
    );
    expect(adopted).toEqual([]);
  });
});

describe('D6 a release that is roll-forward only', () => {
  it.each(['canary', 'wave 1'])('is never taken back by itself, and never offered it (%s)', (step) => {
    const scene = rolloutAt('baking', { release: hotfixOnly, step }).until('deciding', null, { health: 'bad' });
    expect(scene.in('deciding')).toMatchObject({ choices: ['hold', 'continue', 'retry'], countdown: null });
    expect(scene.when(decidedBy('cho', 'roll-back')).answer).toMatchObject({ refusal: { code: 'choice-not-offered' } });
    expect(scene.later(1e9).when(woke('countdown')).phase.is).toBe('deciding');
  });
});

describe('a reject', () => {
  it('is final: it ends the rollout with its reason', () => {
    const scene = rolloutAt('gated').when(rejectedBy('ben', 'wrong day'));
    expect(scene.in('aborted').trouble).toEqual({ code: 'rejected', by: 'ben', because: 'wrong day' });
    expect(scene.last.facts).toMatchObject([{ fact: 'approval', verdict: 'rejected', because: 'wrong day' }]);
  });

  it('needs a reason', () => {
    expect(rolloutAt('gated').when(rejectedBy('ben', '')).answer).toMatchObject({
      refusal: { code: 'reason-missing' },
    });
  });

  it('takes back what was touched when it comes between two steps', () => {
    const gated = rolloutAt('clearing', { step: 'wave 1' }).until('gated', null, { eligible: [] });
    expect(gated.when(rejectedBy('bo')).in('rolling-back').trouble).toMatchObject({ code: 'rejected' });
  });
});

describe('late answers', () => {
  it.each(PHASES.filter((one) => one !== 'building'))('of an older generation change nothing while %s', (name) => {
    const scene = rolloutAt(name);
    const { rollout } = scene;
    const older = { atMs: scene.nowMs, generation: rollout.generation - 1 };
    const instances = [
      {
        id: 'a',
        region: 'eu',
        digest: 'sha256:x',
        isHealthy: true,
        config: null,
        role: 'stable' as const,
        metricsUrl: null,
      },
    ];
    const late: Event[] = [
      { type: 'deployed', target: 'eu', ...older },
      { type: 'deploy-failed', target: 'eu', detail: '', ...older },
      { type: 'rolled-back', target: 'eu', ...older },
      { type: 'surveyed', observation: observation('staging', instances), ...older },
      { type: 'observed', round: 0, observation: observation('eu', instances), ...older },
      { type: 'measured', round: 0, measurements: [], controls: [], ...older },
      { type: 'woke', timer: 'countdown', ...older },
      { type: 'stumbled', effect: 'deploy', detail: '', attempts: 1, ...older },
    ];
    for (const event of late) {
      const next = scene.when(event);
      expect(next.rollout).toEqual(rollout);
      expect(next.effects).toEqual([]);
      expect(next.answer.is).toBe('ignored');
    }
  });
});

describe('a try that failed', () => {
  it('is shown since when and how often, and forgotten once it worked', () => {
    const scene = rolloutAt('deploying');
    const { generation } = scene.rollout;
    const stumbled = (attempts: number, ms: number) =>
      ({ type: 'stumbled', atMs: scene.nowMs + ms, generation, effect: 'deploy', detail: '503', attempts }) as const;
    const twice = scene.when(stumbled(1, 10), stumbled(2, 20));
    expect(twice.rollout.stumble).toEqual({ effect: 'deploy', detail: '503', attempts: 2, sinceMs: scene.nowMs + 10 });
    expect(twice.rollout.generation).toBe(generation);
    expect(twice.answerOne()?.rollout.stumble).toBeNull();
  });
});
