import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrange } from '../../src/core/arrange.ts';
import type { StageSpec } from '../../src/core/pipeline.ts';
import { spedUpMs } from '../../src/core/speed-up.ts';
import { aStage, aStep } from '../support/service.ts';

const regional = (target: string) => aStep({ name: 'wave 1', kind: 'wave', targets: [target], isRegional: true });

function regionsStage(targets: string[], overrides: Partial<StageSpec> = {}): StageSpec {
  return aStage({ steps: targets.map(regional), order: 'least-traffic-first', ...overrides });
}

const orderOf = (stage: StageSpec) => stage.steps.map((step) => step.targets.join('+'));

describe('R2 the order of regional waves', () => {
  it('the region with the least traffic goes first, and the waves are counted anew', () => {
    const arranged = arrange(regionsStage(['eu', 'us', 'ap']), { eu: 900, us: 2000, ap: 40 });
    expect(orderOf(arranged)).toEqual(['ap', 'eu', 'us']);
    expect(arranged.steps.map((step) => step.name)).toEqual(['wave 1', 'wave 2', 'wave 3']);
  });

  it('a region with several targets weighs what they carry together', () => {
    const stage = regionsStage(['eu', 'us'], {});
    stage.steps[0]?.targets.push('eu2');
    expect(orderOf(arrange(stage, { eu: 60, eu2: 60, us: 100 }))).toEqual(['us', 'eu+eu2']);
  });

  it('as they are written when that is asked for, or when one load is not known', () => {
    const loads = { eu: 900, us: 20, ap: 40 };
    expect(orderOf(arrange(regionsStage(['eu', 'us', 'ap'], { order: 'as-written' }), loads))).toEqual([
      'eu',
      'us',
      'ap',
    ]);
    expect(orderOf(arrange(regionsStage(['eu', 'us', 'ap']), { eu: 900, us: 20 }))).toEqual(['eu', 'us', 'ap']);
    expect(orderOf(arrange(regionsStage(['eu', 'us', 'ap']), {}))).toEqual(['eu', 'us', 'ap']);
  });

  it('a region without any traffic is the first of all', () => {
    expect(orderOf(arrange(regionsStage(['eu', 'us']), { eu: 0.5, us: 0 }))).toEqual(['us', 'eu']);
  });

  it('what the loads are a moment later makes no other plan', () => {
    const stage = regionsStage(['eu', 'us']);
    expect(orderOf(arrange(stage, { eu: 1000, us: 1000 }))).toEqual(['eu', 'us']);
    expect(orderOf(arrange(stage, { eu: 1099, us: 1000 }))).toEqual(['eu', 'us']);
    expect(orderOf(arrange(stage, { eu: 1101, us: 1000 }))).toEqual(['us', 'eu']);
  });

  it('other waves stay in their places', () => {
    const ring = aStep({ name: 'ring', kind: 'wave', targets: ['us'], share: 0.5 });
    const stage = regionsStage([], { steps: [ring, regional('eu'), regional('us'), { ...ring, share: 1 }] });
    expect(orderOf(arrange(stage, { eu: 9, us: 1 }))).toEqual(['us', 'us', 'eu', 'us']);
  });

  it.each([
    [[], ['a', 'b', 'c', 'd', 'e']],
    [[2], ['a+b', 'c+d', 'e']],
    [
      [1, 2],
      ['a', 'b+c', 'd+e'],
    ],
    [
      [1, 3, 1],
      ['a', 'b+c+d', 'e'],
    ],
    [[9], ['a+b+c+d+e']],
  ])('R2 then N regions at once: %j', (regionsAtOnce, waves) => {
    expect(
      orderOf(arrange(regionsStage(['a', 'b', 'c', 'd', 'e'], { order: 'as-written', regionsAtOnce }), {})),
    ).toEqual(waves);
  });

  it('whatever the loads and however many at once, every region is in exactly one wave', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { minLength: 1 });
    const loads = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
    );
    fc.assert(
      fc.property(names, loads, fc.array(fc.integer({ min: 1, max: 4 })), (targets, load, regionsAtOnce) => {
        const arranged = arrange(regionsStage(targets, { regionsAtOnce }), load);
        expect(arranged.steps.flatMap((step) => step.targets).toSorted()).toEqual(targets.toSorted());
        expect(new Set(arranged.steps.map((step) => step.name)).size).toBe(arranged.steps.length);
        expect(arrange(regionsStage(targets, { regionsAtOnce }), load)).toEqual(arranged);
      }),
    );
  });
});

describe('R4 each wave that passed makes the next one shorter', () => {
  const stage = { speedUp: { factor: 2, floorMs: 120_000 } };
  const wave = aStep({ kind: 'wave', bake: { forMs: 600_000, everyMs: 30_000, deadlineMs: 900_000 } });

  it.each([
    [0, 600_000],
    [1, 300_000],
    [2, 150_000],
    [3, 120_000],
    [40, 120_000],
  ])('after %i waves it is watched for %i ms', (passed, ms) => expect(spedUpMs(stage, wave, passed)).toBe(ms));

  it('but not the canary, not without being told to, and never longer than it was', () => {
    expect(spedUpMs(stage, { ...wave, kind: 'canary' }, 3)).toBe(600_000);
    expect(spedUpMs({ speedUp: null }, wave, 3)).toBe(600_000);
    expect(spedUpMs({ speedUp: { factor: 2, floorMs: 900_000 } }, wave, 3)).toBe(600_000);
  });
});
