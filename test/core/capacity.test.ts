import { describe, expect, it } from 'vitest';
import { decidedBy, rollout, withEnvironment, woke } from '../support/given.ts';
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
    expect(asked.in('deciding').choices).toEqual(['retry', 'hold']);
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
