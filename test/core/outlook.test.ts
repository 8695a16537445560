import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanFacts, TargetFacts } from '../../src/core/facts.ts';
import { strategyKey } from '../../src/core/outlook.ts';
import type { ServiceSpec, StageSpec } from '../../src/core/pipeline.ts';
import { isPlanProblem, type Plan, planOf } from '../../src/core/plan.ts';
import { aRelease, aService, aSignal, aStage, aStep } from '../support/service.ts';
import { sha256 } from '../support/store.ts';

const TRAFFIC = { source: 'scrape', query: {}, perInstance: 100 };

function facts(instances: Record<string, number>, overrides: Partial<TargetFacts> = {}): TargetFacts {
  return { instances: { value: instances }, load: null, capacity: [], ...overrides };
}

/** Production alone: a canary of a tenth, then a quarter, then the regions. */
function production(overrides: Partial<StageSpec> = {}, service: Partial<ServiceSpec> = {}): ServiceSpec {
  const targets = ['eu', 'us'];
  const waves = targets.map((target) => aStep({ kind: 'wave', name: 'wave', targets: [target], isRegional: true }));
  const stage = aStage({
    name: 'production',
    steps: [
      aStep({ name: 'canary', kind: 'canary', targets, share: 0.1 }),
      aStep({ name: 'wave', kind: 'wave', targets, share: 0.25 }),
      ...waves,
    ],
    ...overrides,
  });
  return aService({ stages: [stage], ...service });
}

function made(service: ServiceSpec, known: PlanFacts | null): Plan {
  const plan = planOf(service, aRelease(1), null, sha256, known);
  if (isPlanProblem(plan)) throw new Error(plan.code);
  return plan;
}

const stepsOf = (plan: Plan) => plan.outlook.stages[0]?.steps ?? [];

describe('X6 R1 R2 a plan says what becomes of it', () => {
  it('how many instances of each region run the release after each step, and how far that is in all', () => {
    const plan = made(production(), { eu: facts({ west: 20 }), us: facts({ east: 18, mid: 2 }) });
    expect(stepsOf(plan).map((step) => [step.takes.map(({ instances }) => instances?.upTo), step.share])).toEqual([
      [[2, 2], 0.1],
      [[5, 5], 0.25],
      [[20], 0.625],
      [[20], 1],
    ]);
    expect(stepsOf(plan)[0]?.takes[1]?.instances?.regions).toEqual([
      { region: 'east', upTo: 1, of: 18 },
      { region: 'mid', upTo: 1, of: 2 },
    ]);
    expect(plan.outlook.unknown).toEqual([]);
  });

  it('R1 a canary of 5 % of 3 instances becomes one of three', () => {
    const service = production({
      steps: [aStep({ kind: 'canary', targets: ['eu'], share: 0.05 }), aStep({ kind: 'wave', targets: ['eu'] })],
    });
    const [canary] = stepsOf(made(service, { eu: facts({ west: 3 }) }));
    expect(canary?.takes).toEqual([
      { target: 'eu', instances: { upTo: 1, of: 3, regions: [{ region: 'west', upTo: 1, of: 3 }] } },
    ]);
    expect(canary?.share).toBeCloseTo(1 / 3);
  });

  it('R4 when each step begins, with the waves that get shorter', () => {
    const service = production({ speedUp: { factor: 2, floorMs: 4000 } });
    expect(stepsOf(made(service, null)).map((step) => [step.startsAtMs, step.bakeMs])).toEqual([
      [0, 10_000],
      [10_000, 10_000],
      [20_000, 5000],
      [25_000, 4000],
    ]);
  });

  it('P1 what is made for one release has no instances yet, and nothing is missing', () => {
    const plan = made(production({ isEphemeral: true }), {});
    expect(stepsOf(plan)[0]?.takes[0]?.instances).toBeNull();
    expect(plan.outlook.unknown).toEqual([]);
  });

  it('R2 without facts, regions are as they are written, and the plan says that nobody asked', () => {
    const plan = made(production({ order: 'least-traffic-first' }, { traffic: TRAFFIC }), null);
    expect(plan.stages[0]?.steps.map((step) => step.targets.join())).toEqual(['eu,us', 'eu,us', 'eu', 'us']);
    expect(plan.outlook.unknown).toEqual([{ code: 'not-asked' }]);
  });

  it('R2 what could not be read is said with its reason, and what hangs on it', () => {
    const why = 'HTTP 503';
    const plan = made(production({ order: 'least-traffic-first' }, { traffic: TRAFFIC }), {
      eu: facts({ west: 4 }, { load: { value: 10 } }),
      us: { instances: { value: null, why }, load: { value: null, why: 'no data' }, capacity: [] },
    });
    expect(plan.outlook.unknown).toEqual([
      { code: 'instances-unread', target: 'us', why },
      { code: 'load-unread', target: 'us', why: 'no data' },
      { code: 'order-unknown', stage: 'production', targets: ['us'] },
    ]);
    expect(stepsOf(plan)[0]).toMatchObject({ share: null });
  });

  it('R3 whether enough serve while a step runs', () => {
    const service = production({}, { traffic: TRAFFIC });
    const strategy = strategyKey(service.stages[0]?.strategy ?? { is: 'weight', drainMs: 0 });
    const capacity = [0.25, 1].map((share) => ({ strategy, share, servingDuring: { value: 3 } }));
    const eu = facts({ west: 4 }, { load: { value: 301 }, capacity });
    const us = facts({ east: 4 }, { load: { value: 300 }, capacity });
    expect(stepsOf(made(service, { eu, us }))[0]?.capacity).toEqual([
      { target: 'eu', servingDuring: 3, needed: 4 },
      { target: 'us', servingDuring: 3, needed: 3 },
    ]);
  });

  it('every instance is covered exactly once by the last step, whatever the regions hold', () => {
    const regions = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 30 }), { minKeys: 1 });
    fc.assert(
      fc.property(regions, regions, (eu, us) => {
        const steps = stepsOf(made(production(), { eu: facts(eu), us: facts(us) }));
        expect(steps.at(-1)?.share).toBe(1);
        for (const { instances } of steps[0]?.takes ?? []) {
          expect(instances?.regions.every((region) => region.upTo >= 1)).toBe(true);
        }
        const shares = steps.map((step) => step.share ?? 0);
        expect(shares.toSorted((a, b) => a - b)).toEqual(shares);
        for (const step of steps) {
          for (const { instances } of step.takes) {
            const inRegions = instances?.regions.reduce((sum, region) => sum + region.upTo, 0);
            expect(inRegions).toBe(instances?.upTo);
          }
        }
      }),
    );
  });
});

describe('R1 R6 the first deploy of a target on which nothing runs', () => {
  const known = { eu: facts({ west: 4 }, { load: { value: 40 } }), us: facts({}, { load: { value: 0 } }) };

  it('is said, and the others keep their canary', () => {
    const plan = made(production(), { eu: facts({ west: 4 }), us: facts({}) });
    expect(plan.outlook.unknown).toEqual([{ code: 'nothing-runs', target: 'us', region: 'us' }]);
    expect(
      stepsOf(plan).map((step) => step.takes.map(({ instances }) => instances && [instances.upTo, instances.of])),
    ).toEqual([
      [
        [1, 4],
        [0, 0],
      ],
      [
        [1, 4],
        [0, 0],
      ],
      [[4, 4]],
      [[0, 0]],
    ]);
  });

  it('bears no load, so neither capacity nor a floor of traffic is held against it', () => {
    const floor = aSignal({ name: 'traffic', kind: 'requests', healthyWhen: { min: 1000 } });
    const service = production({ signals: [aSignal(), floor] }, { traffic: TRAFFIC });
    const plan = made(service, known);
    expect(plan.outlook.unknown).toEqual([{ code: 'nothing-runs', target: 'us', region: 'us' }]);
    expect(stepsOf(plan).flatMap((step) => step.capacity.map((one) => one.target))).not.toContain('us');
  });
});

describe('T2 what a plan’s hash covers', () => {
  it('more or fewer instances make no other plan: what is approved is the way, and the counts are read again', () => {
    const hash = (count: number) => made(production(), { eu: facts({ west: count }), us: facts({ east: 4 }) }).hash;
    expect(hash(5)).toBe(hash(4));
    expect(hash(4)).toBe(made(production(), null).hash);
  });

  it('another order of the regions is another plan', () => {
    const service = production({ order: 'least-traffic-first' }, { traffic: TRAFFIC });
    const hash = (eu: number, us: number) =>
      made(service, { eu: facts({ w: 4 }, { load: { value: eu } }), us: facts({ e: 4 }, { load: { value: us } }) })
        .hash;
    expect(hash(10, 500)).not.toBe(hash(500, 10));
    expect(hash(10, 500)).toBe(hash(20, 400));
  });
});

describe('a plan that no release could get through', () => {
  it('R4 a floor that all the traffic until the deadline does not reach', () => {
    const floor = aSignal({ name: 'traffic', kind: 'requests', healthyWhen: { min: 1201 } });
    const service = production({ signals: [aSignal(), floor] }, { traffic: TRAFFIC });
    const known = { eu: facts({ w: 4 }, { load: { value: 5 } }), us: facts({ e: 4 }, { load: { value: 10 } }) };
    // The step of eu alone has 120 s for its 5 requests a second.
    expect(planOf(service, aRelease(1), null, sha256, known)).toMatchObject({
      code: 'floor-above-traffic',
      step: 'wave 2',
      floor: 1201,
      most: 600,
    });
    const enough = {
      ...known,
      eu: facts({ w: 4 }, { load: { value: 10.1 } }),
      us: facts({ e: 4 }, { load: { value: 11 } }),
    };
    expect(planOf(service, aRelease(1), null, sha256, enough)).toHaveProperty('hash');
    // What was not read refuses nothing.
    expect(planOf(service, aRelease(1), null, sha256, { eu: facts({ w: 4 }), us: facts({ e: 4 }) })).toHaveProperty(
      'hash',
    );
  });
});
