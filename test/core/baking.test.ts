import { describe, expect, it } from 'vitest';
import { usualComparison } from '../../src/core/judge/comparison.ts';
import { giveUp } from '../../src/core/retreat.ts';
import { decidedBy, measured, rollout, rolloutAt, type Scene, START_MS, type World, woke } from '../support/given.ts';
import { aService, aSignal, aStage, aStep } from '../support/service.ts';

const BAKE = { forMs: 10_000, everyMs: 2000, deadlineMs: 120_000 };

/** A look at this time, whatever was planned. */
function lookAt(scene: Scene, atMs: number, health: World['health'] = 'good'): Scene {
  const { round } = scene.in('baking');
  const [signals] = scene.rollout.plan.stages.map((stage) => stage.signals);
  const { generation } = scene.rollout;
  return scene.when({
    type: 'measured',
    atMs,
    generation,
    round,
    measurements: measured(signals ?? [], health, atMs),
    controls: [],
  });
}

const observedMs = (scene: Scene) => scene.in('baking').observedMs;

describe('a step that bakes', () => {
  it('R4 P6 passes the moment that it was watched healthy for the whole time, and no sooner', () => {
    let scene = rolloutAt('baking');
    const sinceMs = scene.nowMs;
    for (let look = 1; look < 5; look += 1) {
      scene = lookAt(scene, sinceMs + look * BAKE.everyMs);
      expect(observedMs(scene)).toBe(look * BAKE.everyMs);
    }
    expect(lookAt(scene, sinceMs + 10_000).phase.is).toBe('clearing');
  });

  it('H5 every look is kept with what it saw, also the one that ends the step', () => {
    const scene = lookAt(rolloutAt('baking'), START_MS + 2000);
    const again = lookAt(scene, START_MS + 4000, 'none');
    const ended = lookAt(again, START_MS + 6000, 'bad');
    const looks = ended.facts.flatMap((one) => (one.fact === 'looked' && one.stage === 'production' ? [one] : []));
    expect(looks.map(({ stage, step, round }) => [stage, step, round])).toEqual(
      [0, 1, 2].map((round) => ['production', 'canary', round]),
    );
    expect(looks.map((one) => one.signals[0]?.now)).toEqual([0.001, null, 0.5]);
    expect(looks.map((one) => one.signals[0]?.verdict)).toEqual(['healthy', 'error', 'degraded']);
    expect(looks[0]?.signals[0]?.baseline).toBe(0.001);
  });

  it('looks again after each look, on what runs now against what ran before', () => {
    const scene = lookAt(rolloutAt('baking'), START_MS + 2000);
    expect(scene.asked('measure')).toMatchObject([{ round: 1, afterMs: BAKE.everyMs, targets: ['eu', 'us'] }]);
  });

  it('T11 a jump of the clock ahead counts one and a half intervals at most', () => {
    const scene = rolloutAt('baking');
    const jumped = lookAt(scene, scene.nowMs + 86_400_000);
    expect(observedMs(jumped)).toBe(1.5 * BAKE.everyMs);
  });

  it('T11 a jump of the clock back counts nothing, and the way forward again counts little', () => {
    const scene = rolloutAt('baking');
    const back = lookAt(scene, scene.nowMs - 3_600_000);
    expect(observedMs(back)).toBe(0);
    expect(observedMs(lookAt(back, scene.nowMs))).toBe(1.5 * BAKE.everyMs);
  });

  it('T9 time in which nothing could be measured is not observed time', () => {
    const scene = rolloutAt('baking');
    const blind = lookAt(scene, scene.nowMs + 2000, 'none');
    expect(observedMs(blind)).toBe(0);
    expect(blind.in('baking').judgement?.verdict).toBe('error');
  });

  it('H3 healthy before the time is over promotes nothing', () => {
    const scene = rolloutAt('baking');
    expect(lookAt(scene, scene.nowMs + 2000).phase.is).toBe('baking');
  });

  it('H3 between the bounds at the end of the time promotes nothing either', () => {
    let scene = rolloutAt('baking');
    for (let look = 1; look <= 8; look += 1) scene = lookAt(scene, scene.nowMs + 2000, 'unclear');
    expect(scene.in('baking')).toMatchObject({ observedMs: 16_000, judgement: { verdict: 'inconclusive' } });
    expect(lookAt(scene, scene.nowMs + 2000).phase.is).toBe('clearing');
  });

  it('an answer to an older look changes nothing', () => {
    const scene = lookAt(rolloutAt('baking'), START_MS);
    const { generation } = scene.rollout;
    const old = scene.when({
      type: 'measured',
      atMs: START_MS + 9,
      generation,
      round: 0,
      measurements: [],
      controls: [],
    });
    expect(old.answer).toEqual({ is: 'ignored', why: 'an older look' });
    expect(old.rollout).toEqual(scene.rollout);
  });

  it('H4 what was bad before the step does not count against it', () => {
    const scene = rolloutAt('clearing');
    const { generation } = scene.rollout;
    const signals = scene.rollout.plan.stages[1]?.signals ?? [];
    const atMs = scene.nowMs;
    const measurements = measured(signals, 'bad', atMs);
    const baking = scene.when({ type: 'measured-before', atMs, generation, measurements }).until('baking');
    const looked = lookAt(baking, baking.nowMs + 2000, 'bad');
    expect(looked.phase.is).toBe('baking');
    expect(looked.in('baking').judgement?.signals).toMatchObject([{ reason: 'already-bad-before' }]);
  });
});

describe('H4 what was bad before is what was bad before the release came', () => {
  const measuredAs = (scene: Scene, health: 'good' | 'bad'): Scene => {
    const { signals = [] } = scene.rollout.plan.stages[1] ?? {};
    const { nowMs: atMs, rollout } = scene;
    return scene.when({
      type: 'measured-before',
      atMs,
      generation: rollout.generation,
      measurements: measured(signals, health, atMs),
    });
  };

  it('a step that is tried again is not excused by what its first try did', () => {
    const again = rolloutAt('deciding', { step: 'wave 1' }).when(decidedBy('cho', 'retry'));
    expect(again.in('clearing').before).toHaveLength(1);
    expect(again.owed.some((one) => one.kind === 'measure-before')).toBe(false);
    const worse = again.until('deciding', 'wave 1', { health: 'bad' });
    expect(worse.in('deciding').trouble).toMatchObject({ code: 'degraded' });
  });

  it('nor is a wave by what the canary did on the same targets', () => {
    const wave = rolloutAt('clearing').until('clearing', 'wave 1');
    expect(wave.asked('measure-before')).toEqual([]);
    expect(wave.until('deciding', 'wave 1', { health: 'bad' }).in('deciding').trouble.code).toBe('degraded');
  });

  it('what was bad before the canary is no wave’s fault either', () => {
    const canary = measuredAs(rolloutAt('clearing'), 'bad').until('baking').when(woke('bake-deadline'));
    const next = canary.when(decidedBy('cho', 'continue', 'it was bad before')).until('baking', 'wave 1');
    expect(lookAt(next, next.nowMs + 2000, 'bad').in('baking').judgement?.signals).toMatchObject([
      { reason: 'already-bad-before' },
    ]);
  });

  it('is not forgotten by going on without an instance', () => {
    const odd = { oddOne: { digest: null, isHealthy: false } };
    const partial = rolloutAt('verifying', { step: 'wave 1' }).answerOne(odd)?.when(woke('verify-deadline'));
    const on = partial?.when(decidedBy('cho', 'go-on-without', 'its disk is dead'));
    expect(on?.in('verifying').before).toHaveLength(1);
  });

  it('is measured on targets that the release has not reached, and not for a neighbour that it may have hurt', () => {
    const neighbour = { service: 'payments', is: 'downstream' as const };
    const signals = [aSignal({ name: 'errors' }), aSignal({ name: 'theirs', neighbour })];
    const steps = ['us', 'eu'].map((target) => aStep({ name: target, kind: 'wave', targets: [target] }));
    const service = aService({ stages: [aStage({ name: 'staging' }), aStage({ name: 'production', steps, signals })] });
    const first = measuredAs(rollout({ service }).until('clearing', 'us'), 'good').until('clearing', 'eu');
    expect(first.asked('measure-before')).toMatchObject([{ targets: ['eu'] }]);
    const second = measuredAs(first, 'bad');
    expect(second.in('clearing').before).toMatchObject([
      { signal: 'errors', value: 0.5 },
      { signal: 'theirs', value: 0.001 },
    ]);
  });
});

describe('H1 a step whose signals are held against a baseline', () => {
  const latency = aSignal({
    name: 'latency',
    kind: 'compare',
    baseline: { is: 'current' },
    comparison: usualComparison('critical'),
    healthyWhen: {},
    group: 'speed',
    role: 'scored',
  });
  const steps = [aStep({ name: 'canary', kind: 'canary', share: 0.1 }), aStep({ name: 'rest' })];
  const at = (step: string, signals = [aSignal({ role: 'scored', group: 'errors' }), latency]) =>
    rolloutAt('baking', {
      service: aService({
        stages: [
          aStage({ steps: steps.filter((one) => one.name === step), signals, groups: { errors: 90, speed: 10 } }),
        ],
      }),
      step,
    });
  const asked = (scene: Scene) => scene.asked('measure').map((one) => one.signals.map((signal) => signal.name));

  it('is judged by them while the old version runs somewhere, and by the others once it does not', () => {
    expect(asked(lookAt(at('canary'), START_MS))).toEqual([['errors', 'latency']]);
    expect(asked(lookAt(at('rest'), START_MS))).toEqual([['errors']]);
  });

  it('T9 with nothing but them it holds where the old version is gone: no evidence is no pass', () => {
    const looked = lookAt(at('rest', [latency]), START_MS);
    expect(looked.in('baking').judgement).toMatchObject({ verdict: 'error', signals: [{ signal: 'latency' }] });
  });

  it('counts its groups by the weights of the stage', () => {
    const scene = at('canary');
    const points = (level: number) => Array.from({ length: 60 }, (_, index) => level + (index % 5));
    const atMs = scene.nowMs + 2000;
    const answer = (signal: string, value: number, level: number) => {
      return { signal, link: null, value, samples: 100, takenAtMs: atMs, points: points(level) };
    };
    const looked = scene.when({
      type: 'measured',
      atMs,
      generation: scene.rollout.generation,
      round: scene.in('baking').round,
      measurements: [answer('errors', 0, 0), answer('latency', 90, 90)],
      controls: [answer('latency', 40, 40)],
    });
    expect(looked.in('baking').judgement).toMatchObject({
      score: 90,
      signals: [{}, { reason: 'worse', baseline: 42 }],
    });
  });
});

describe('a step that is bad for production', () => {
  it('D1 ends early: harm acts at the first look', () => {
    const scene = rolloutAt('baking');
    const next = lookAt(scene, scene.nowMs + 2000, 'bad');
    expect(next.in('rolling-back').trouble).toEqual({ code: 'degraded', signals: ['errors'] });
    expect(next.in('rolling-back').judgement?.verdict).toBe('degraded');
  });

  it('D1 a canary is taken back at once even where the policy says ask', () => {
    const step = aStep({ name: 'canary', kind: 'canary', share: 0.1, bake: BAKE, onDegraded: 'ask' });
    const service = aService({ stages: [aStage({ steps: [step] })] });
    const scene = rolloutAt('baking', { service });
    expect(lookAt(scene, scene.nowMs + 2000, 'bad').phase.is).toBe('rolling-back');
  });

  it('D1 a wave asks where the policy says ask, with a countdown to the default', () => {
    const scene = rolloutAt('deciding');
    expect(scene.in('deciding')).toMatchObject({
      trouble: { code: 'degraded', signals: ['errors'] },
      choices: ['retry', 'roll-back', 'continue', 'hold'],
      countdown: { choice: 'roll-back', atMs: scene.nowMs + 600_000 },
    });
    expect(scene.asked('wake')).toMatchObject([{ timer: 'countdown', afterMs: 600_000 }]);
    expect(scene.asked('page')).toHaveLength(1);
  });

  it('D1 a wave is taken back at once where the policy says so', () => {
    const step = aStep({ name: 'wave', kind: 'wave', bake: BAKE, onDegraded: 'rollback' });
    const scene = rolloutAt('baking', { service: aService({ stages: [aStage({ steps: [step] })] }), step: 'wave' });
    expect(lookAt(scene, scene.nowMs + 2000, 'bad').phase.is).toBe('rolling-back');
  });

  it('one bad look of three needed only makes it wait', () => {
    const stage = aStage({ signals: [aSignal({ failures: 2, of: 3 })] });
    const scene = rolloutAt('baking', { service: aService({ stages: [stage] }), step: 'all' });
    const once = lookAt(scene, scene.nowMs + 2000, 'bad');
    expect(once.phase.is).toBe('baking');
    expect(lookAt(once, once.nowMs + 2000, 'bad').phase.is).toBe('rolling-back');
  });
});

describe('a step without evidence', () => {
  it.each([
    ['none', 'unmeasurable'],
    ['unclear', 'inconclusive'],
  ] as const)('T9 %s at the deadline asks, and never rolls back or promotes by itself', (health, code) => {
    let scene = rolloutAt('baking');
    while (scene.nowMs < START_MS + BAKE.deadlineMs) scene = lookAt(scene, scene.nowMs + 2000, health);
    const asked = scene.when(woke('bake-deadline'));
    expect(asked.in('deciding')).toMatchObject({ trouble: { code, signals: ['errors'] }, countdown: null });
    expect(asked.in('deciding').choices).toContain('continue');
    expect(asked.asked('page')).toHaveLength(1);
    expect(asked.asked('wake')).toEqual([]);
    expect(asked.when(woke('countdown')).phase.is).toBe('deciding');
  });

  it('T9 missing evidence asks by whichever way it comes, even in a canary', () => {
    const { rollout, nowMs } = rolloutAt('baking');
    for (const code of ['inconclusive', 'unmeasurable'] as const) {
      const asked = giveUp(rollout, rolloutAt('baking').in('baking').at, { code, signals: [] }, null, nowMs);
      expect(asked.rollout.phase).toMatchObject({ is: 'deciding', countdown: null });
    }
  });

  it('T9 a look that never answers once is unmeasurable at the deadline', () => {
    const scene = rolloutAt('baking').when(woke('bake-deadline'));
    expect(scene.in('deciding').trouble).toEqual({ code: 'unmeasurable', signals: [] });
  });

  it('T11 a jump of the clock to the deadline asks and promotes nothing', () => {
    const scene = lookAt(rolloutAt('baking'), START_MS + 4000);
    expect(scene.later(86_400_000).when(woke('bake-deadline')).phase.is).toBe('deciding');
  });

  it('T9 a number that is none is never kept as evidence', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const scene = rolloutAt('baking');
      const { generation, phase } = scene.rollout;
      if (phase.is !== 'baking') throw new Error(phase.is);
      const atMs = scene.nowMs + 2000;
      const measurements = [{ signal: 'errors', link: null, value, samples: 1000, takenAtMs: atMs }];
      const looked = scene.when({ type: 'measured', atMs, generation, round: phase.round, measurements, controls: [] });
      expect(looked.in('baking').judgement?.verdict).toBe('error');
    }
  });
});
