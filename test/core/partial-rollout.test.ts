import { describe, expect, it } from 'vitest';
import { decidedBy, FIRST, rolloutAt, woke } from '../support/given.ts';

/** The first instance is read back with another version until the deadline. */
const partial = (step: string) =>
  rolloutAt('verifying', { step })
    .answerOne({ oddOne: { digest: FIRST.digest, isHealthy: true } })
    ?.answerOne({ oddOne: { digest: FIRST.digest, isHealthy: true } })
    ?.when(woke('verify-deadline'));

describe('R6 T18 a partial rollout', () => {
  it('is asked and paged, never taken back by itself while some of it runs', () => {
    const scene = partial('wave 1');
    expect(scene?.in('deciding')).toMatchObject({
      trouble: { code: 'partial', target: 'us', instances: [{ id: 'i-0', is: 'other-version' }] },
      choices: ['retry', 'roll-back', 'go-on-without', 'hold'],
      countdown: null,
    });
    expect(scene?.asked('page')).toHaveLength(1);
  });

  it('of a release that came up nowhere is taken back as the step says', () => {
    const down = rolloutAt('verifying', { step: 'canary' });
    const world = {
      before: { digest: FIRST.digest, isHealthy: true },
      oddOne: { digest: null, isHealthy: false },
      instances: 1,
    };
    const seen = down.answerOne(world)?.answerOne(world)?.when(woke('verify-deadline'));
    expect(seen?.in('rolling-back').trouble).toMatchObject({ code: 'partial', running: 0 });
  });

  it('that came up in one region and not in another is partial too', () => {
    const scene = rolloutAt('verifying', { step: 'canary' });
    const eu = scene.answerOne();
    const none = { oddOne: { digest: null, isHealthy: false }, instances: 1 };
    const asked = eu?.answerOne(none)?.when(woke('verify-deadline'));
    expect(asked?.in('deciding').trouble).toMatchObject({ code: 'partial', target: 'us', expected: 2, running: 1 });
  });

  it('goes on without the instances that are named, by name and with a reason, once all else is read back', () => {
    const scene = partial('wave 1');
    if (!scene) throw new Error('never partial');
    expect(scene.when(decidedBy('cho', 'go-on-without')).answer).toMatchObject({ refusal: { code: 'reason-missing' } });
    expect(scene.when(decidedBy('dan', 'go-on-without', 'dead')).answer.is).toBe('refused');
    const on = scene.when(decidedBy('cho', 'go-on-without', 'its disk is dead'));
    expect(on.phase.is).toBe('verifying');
    expect(on.rollout.without).toEqual([
      { target: 'us', id: 'i-0', by: 'cho', because: 'its disk is dead', atMs: scene.nowMs },
    ]);
    const baking = on.until('baking', 'wave 1', { oddOne: { digest: null, isHealthy: false } });
    expect(baking.facts.find((one) => one.fact === 'placed' && one.target === 'us')).toMatchObject({
      without: ['i-0'],
    });
    expect(on.last.facts[0]).toMatchObject({ fact: 'decision', choice: 'go-on-without', because: 'its disk is dead' });
  });

  it('another instance that goes wrong meanwhile is not covered by that decision', () => {
    const scene = partial('wave 1')?.when(decidedBy('cho', 'go-on-without', 'its disk is dead'));
    const other = scene?.but({ without: [{ ...(scene.rollout.without[0] ?? NOBODY), id: 'i-9' }] });
    const seen = other?.answerOne({ oddOne: { digest: null, isHealthy: false } });
    expect(seen?.in('verifying').problems.us).toMatchObject({ instances: [{ id: 'i-0', is: 'unreadable' }] });
  });
});

const NOBODY = { target: 'us', id: '', by: '', because: '', atMs: 0 };
