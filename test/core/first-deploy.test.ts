import { describe, expect, it } from 'vitest';
import { decidedBy, FIRST, observation, rollout, type Scene, woke } from '../support/given.ts';
import { aService, aStage, aStep } from '../support/service.ts';

const WELL = { empty: ['us'] };
const ALL_EMPTY = { empty: ['staging', 'eu', 'us'] };
const GOOD = { us: FIRST };

const deploysOf = (scene: Scene) => scene.asked('deploy').map(({ target, share }) => [target, share]);
const stepsOf = (scene: Scene) => scene.rollout.steps.map(({ stage, step, ended }) => `${stage} ${step} ${ended}`);

/** A rollout that reads what was deployed, with what the platform says of it. */
function readBack(scene: Scene, target: string, instances: Parameters<typeof observation>[1]): Scene {
  const { generation } = scene.rollout;
  const event = { atMs: scene.nowMs, generation, observation: observation(target, instances) };
  return scene.when({ type: 'observed', round: 0, ...event });
}

describe('R1 R6 the first deploy of a target on which nothing runs', () => {
  it('the canary is taken of the others, and the wave that takes all of it deploys it as a whole', () => {
    const canary = rollout().until('deploying', 'canary', WELL);
    expect(deploysOf(canary)).toEqual([['eu', 0.1]]);
    expect(canary.until('baking', 'canary', WELL).asked('measure')[0]?.targets).toEqual(['eu']);
    const wave = canary.until('deploying', 'wave 1', WELL);
    expect(deploysOf(wave)).toEqual([['us', 1]]);
    const end = wave.until('succeeded', null, WELL);
    expect(stepsOf(end)).toEqual([
      'staging all passed',
      'production canary passed',
      'production wave 1 passed',
      'production wave 2 passed',
    ]);
    expect(end.facts.filter((one) => one.fact === 'good').at(-1)).toMatchObject({ targets: ['eu', 'us'] });
  });

  it('where nothing runs at all there is no canary, still an approval, and every instance is read back', () => {
    const gated = rollout().until('gated', null, ALL_EMPTY);
    expect(gated.in('gated').at).toEqual({ stage: 1, step: 1 });
    const end = gated.until('succeeded', null, ALL_EMPTY);
    expect(stepsOf(end)).toEqual(['staging all passed', 'production wave 1 passed', 'production wave 2 passed']);
  });

  it('what was left out makes no later wave faster', () => {
    const targets = ['eu', 'us'];
    const service = aService();
    const steps = [0.2, 0.5, 1].map((share, index) =>
      aStep({ kind: 'wave', name: `wave ${index + 1}`, targets, share }),
    );
    const production = { ...aStage({ name: 'production' }), steps, speedUp: { factor: 2, floorMs: 1000 } };
    const start = rollout({ service: { ...service, stages: [production] } });
    expect(start.until('baking', null, ALL_EMPTY).in('baking')).toMatchObject({ at: { step: 2 }, forMs: 10_000 });
  });

  it('T9 a platform that says done and runs nothing is held, and a person is asked', () => {
    const verifying = rollout().until('verifying', null, ALL_EMPTY);
    const still = readBack(verifying, 'staging', []);
    expect(still.phase.is).toBe('verifying');
    const asked = still.when(woke('verify-deadline')).in('deciding');
    expect(asked.trouble).toMatchObject({ code: 'partial', expected: 0, running: 0 });
    expect(asked.choices).not.toContain('roll-back');
  });

  it('D1 there is no way back from it: what gets worse asks, and offers none', () => {
    const asked = rollout()
      .until('baking', 'wave 1', WELL)
      .until('deciding', null, { ...WELL, health: 'bad' });
    expect(asked.in('deciding').choices).toEqual(['retry', 'continue', 'hold']);
  });

  it('R3 it bears no load yet, so it does not wait for capacity', () => {
    const traffic = { source: 'scrape', query: {}, perInstance: 100 };
    const wave = rollout({ service: aService({ traffic }) }).until('clearing', 'wave 1', { ...WELL, load: 10 });
    expect(wave.asked('read-capacity')).toEqual([]);
    expect(wave.until('succeeded', null, { ...WELL, load: 10 }).phase.is).toBe('succeeded');
  });
});

describe('T9 nothing is left where something good ran', () => {
  it('is no first deploy: nothing is deployed, a person is asked, and Retry reads again', () => {
    const world = { ...WELL, lastGood: GOOD };
    const asked = rollout().until('deciding', null, world);
    expect(asked.in('deciding')).toMatchObject({
      trouble: { code: 'nothing-left', target: 'us', digest: FIRST.digest },
      choices: ['retry', 'hold'],
    });
    expect(asked.rollout.touched).toEqual(['staging']);
    const again = asked.when(decidedBy('cho', 'retry'));
    expect(again.phase.is).toBe('surveying');
    expect(deploysOf(again.until('deploying', 'canary', { lastGood: GOOD }))).toEqual([
      ['eu', 0.1],
      ['us', 0.1],
    ]);
  });

  it('a stage that deploys all at once anyway goes on', () => {
    const world = { empty: ['staging'], lastGood: { staging: FIRST } };
    expect(rollout().until('deploying', null, world).phase).toMatchObject({ at: { stage: 0 } });
  });
});
