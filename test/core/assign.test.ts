import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign, countsByStep, prefixByRegion, seedOf, sizesOf } from '../../src/core/assign.ts';
import type { StepSpec } from '../../src/core/pipeline.ts';
import type { Instance, Observation } from '../../src/core/target.ts';
import { aStep } from '../support/service.ts';

/** A target with so many serving instances in each region. */
function fleet(target: string, regions: Record<string, number>): Observation {
  const instances = Object.entries(regions).flatMap(([region, size]) =>
    Array.from({ length: size }, (_, n) => anInstance(`${target}-${region}-${n}`, region)),
  );
  return { target, instances, weights: {}, generation: null, config: null };
}

function anInstance(id: string, region: string, role: Instance['role'] = 'stable'): Instance {
  return { id, region, digest: 'sha256:old', config: null, role, isHealthy: true, metricsUrl: null };
}

const canary = (targets: string[], share: number) => aStep({ name: 'canary', kind: 'canary', targets, share });
const wave = (targets: string[], share: number) => aStep({ kind: 'wave', targets, share });
const waveOf = (targets: string[], count: number) => aStep({ kind: 'wave', targets, count });

const regionOf = (id: string | undefined) => id?.split('-')[1];

/** Fleets of one to three targets, each with one to four regions, and the waves through them. */
const worlds = fc
  .array(fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
  .map((targets) =>
    targets.map((regions, t) =>
      fleet(`t${t}`, Object.fromEntries(regions.map((size, r) => [`r${r}`, size] satisfies [string, number]))),
    ),
  );
const targetsOf = (world: Observation[]) => world.map((one) => one.target);
const middle = fc.array(
  fc.oneof(
    fc.record({ share: fc.double({ min: 0.01, max: 1, noNaN: true }), count: fc.constant(null) }),
    fc.record({ share: fc.constant(1), count: fc.integer({ min: 1, max: 60 }) }),
  ),
  { maxLength: 4 },
);
const seeds = fc.integer({ min: 0, max: 0xffffffff });

function stageOf(targets: string[], parts: Pick<StepSpec, 'share' | 'count'>[]): { steps: StepSpec[] } {
  const waves = parts.map((part, index) =>
    aStep({ kind: 'wave', targets: index % 2 === 0 ? targets : targets.slice(0, 1), ...part }),
  );
  return { steps: [canary(targets, 0.1), ...waves, wave(targets, 1)] };
}

describe('assign', () => {
  it('R1 R2 takes every instance exactly once, none again, all by the last step', () => {
    fc.assert(
      fc.property(worlds, middle, seeds, (world, parts, seed) => {
        const assignment = assign(stageOf(targetsOf(world), parts), world, seed);
        for (const { target, instances } of world) {
          const { order = [], upTo = [] } = assignment[target] ?? {};
          expect(order.toSorted()).toEqual(instances.map((one) => one.id).toSorted());
          expect(upTo.toSorted((a, b) => a - b)).toEqual(upTo);
          expect(upTo.at(-1)).toBe(instances.length);
        }
      }),
    );
  });

  it('R1 a canary touches every region of every target', () => {
    fc.assert(
      fc.property(worlds, fc.double({ min: 0.01, max: 0.5, noNaN: true }), seeds, (world, share, seed) => {
        const targets = targetsOf(world);
        const assignment = assign({ steps: [canary(targets, share), wave(targets, 1)] }, world, seed);
        for (const { target, instances } of world) {
          const { order = [], upTo = [] } = assignment[target] ?? {};
          const touched = new Set(order.slice(0, upTo[0]).map(regionOf));
          expect(touched).toEqual(new Set(instances.map((one) => one.region)));
        }
      }),
    );
  });

  it('R2 keeps every prefix in proportion to the regions', () => {
    fc.assert(
      fc.property(worlds, seeds, (world, seed) => {
        for (const observation of world) {
          const { target, instances } = observation;
          const order = assign({ steps: [wave([target], 1)] }, [observation], seed)[target]?.order ?? [];
          const regions = sizesOf([observation])[target] ?? {};
          for (let prefix = 1; prefix <= order.length; prefix++) {
            for (const [region, size] of Object.entries(regions)) {
              const share = size / instances.length;
              const taken = order.slice(0, prefix).filter((id) => regionOf(id) === region).length;
              const slack = 0.5 + (Object.keys(regions).length / 2) * share;
              expect(Math.abs(taken - prefix * share)).toBeLessThanOrEqual(slack + 1e-9);
            }
          }
        }
      }),
    );
  });

  it('R1 is the same for the same seed, whatever order the platform lists its instances in', () => {
    fc.assert(
      fc.property(worlds, seeds, (world, seed) => {
        const stage = stageOf(targetsOf(world), []);
        const turned = world.toReversed().map((one) => ({ ...one, instances: one.instances.toReversed() }));
        expect(assign(stage, turned, seed)).toEqual(assign(stage, world, seed));
      }),
    );
  });

  it('R1 tries a release on each instance as often as on any other, over the rollouts', () => {
    const world = [fleet('eu', { west: 10 })];
    const stage = { steps: [canary(['eu'], 0.1), wave(['eu'], 1)] };
    const first: Record<string, number> = {};
    for (let rollout = 0; rollout < 4000; rollout++) {
      const id = assign(stage, world, seedOf(`rollout-${rollout}`)).eu?.order[0] ?? '';
      first[id] = (first[id] ?? 0) + 1;
    }
    // 400 each, with a standard deviation of 19: five of them either way.
    expect(Object.keys(first)).toHaveLength(10);
    for (const times of Object.values(first)) expect(Math.abs(times - 400)).toBeLessThan(95);
  });

  it('R2 a count is all the targets of its wave together, shared out by their size', () => {
    const world = sizesOf([fleet('eu', { west: 30 }), fleet('us', { east: 15 }), fleet('ap', { south: 5 })]);
    const counts = countsByStep([waveOf(['eu', 'us', 'ap'], 10), waveOf(['eu', 'us', 'ap'], 21)], world);
    expect(counts).toEqual({ eu: [6, 13], us: [3, 6], ap: [1, 2] });
  });

  it('R2 a count keeps what an earlier step took, and adds no more than is missing', () => {
    const world = sizesOf([fleet('eu', { west: 12 }), fleet('us', { east: 4 })]);
    const counts = countsByStep([canary(['eu', 'us'], 0.5), waveOf(['eu', 'us'], 9), waveOf(['eu', 'us'], 3)], world);
    expect(counts).toEqual({ eu: [6, 7, 7], us: [2, 2, 2] });
  });

  it('R2 a step that leaves a target out changes nothing there', () => {
    const world = sizesOf([fleet('eu', { west: 4 }), fleet('us', { east: 4 })]);
    const counts = countsByStep([wave(['eu'], 0.5), wave(['us'], 1), wave(['eu'], 1)], world);
    expect(counts).toEqual({ eu: [2, 2, 4], us: [0, 4, 4] });
  });

  it('R1 a canary of 5 % in two regions of one target becomes one in each', () => {
    const world = sizesOf([fleet('world', { west: 18, east: 2 })]);
    const steps = [canary(['world'], 0.05), wave(['world'], 1)];
    expect(countsByStep(steps, world)).toEqual({ world: [2, 20] });
    expect(prefixByRegion(steps, 'world', world, 2)).toEqual({ west: 1, east: 1 });
  });

  it('R5 leaves out the instances that are there for something else than users', () => {
    const odd = (['baseline', 'idle'] as const).map((role) => anInstance(`eu-west-${role}`, 'west', role));
    const eu = fleet('eu', { west: 2 });
    const assignment = assign({ steps: [wave(['eu'], 1)] }, [{ ...eu, instances: [...eu.instances, ...odd] }], 7);
    expect(assignment.eu?.order.toSorted()).toEqual(['eu-west-0', 'eu-west-1']);
    expect(assignment.eu?.upTo).toEqual([2]);
  });

  it('R1 counts the canaries that an earlier release left behind: a canary of the next one is not the whole target', () => {
    const eu = fleet('eu', { west: 4 });
    const instances = eu.instances.map((one, n) => (n < 2 ? { ...one, role: 'canary' as const } : one));
    const { eu: assigned } = assign({ steps: [canary(['eu'], 0.1), wave(['eu'], 1)] }, [{ ...eu, instances }], 7);
    expect(assigned?.order).toHaveLength(4);
    expect(assigned?.upTo).toEqual([1, 4]);
  });

  it('R2 has nothing to take where nothing runs', () => {
    expect(assign({ steps: [canary(['eu'], 0.1), wave(['eu'], 1)] }, [fleet('eu', {})], 1)).toEqual({
      eu: { order: [], upTo: [0, 0] },
    });
  });
});
