import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partialOf, type Wish, wholly } from '../../src/core/partial.ts';
import type { Instance, Observation } from '../../src/core/target.ts';

const NEW = 'sha256:new';
const OLD = 'sha256:old';

function host(n: number, over: Partial<Instance> = {}): Instance {
  return {
    id: `host-${n}`,
    region: 'eu',
    digest: OLD,
    config: null,
    role: 'stable',
    isHealthy: true,
    metricsUrl: null,
    ...over,
  };
}

const seen = (instances: Instance[], config: string | null = null): Observation => ({
  target: 'eu',
  instances,
  weights: {},
  generation: null,
  config,
});

const hosts = (news: number, all: number, over: Partial<Instance> = {}) =>
  Array.from({ length: all }, (_, n) => host(n + 1, n < news ? { digest: NEW, ...over } : {}));

const A_QUARTER: Wish = { ...wholly(NEW), share: 0.25, others: OLD };

const strays = (observation: Observation, wish: Wish) =>
  partialOf(observation, wish)?.instances.map((one) => `${one.id} ${one.is}`);

describe('R6 the version on every instance is read back', () => {
  it('as wished it is no trouble: a quarter on the release, the others on what they ran', () => {
    expect(partialOf(seen(hosts(2, 8)), A_QUARTER)).toBeNull();
    expect(partialOf(seen(hosts(8, 8)), wholly(NEW))).toBeNull();
  });

  it('the eighth server is named, whatever is wrong with it', () => {
    const eighth = (over: Partial<Instance>) => seen([...hosts(7, 7), host(8, { digest: NEW, ...over })]);
    expect(strays(eighth({ digest: OLD }), wholly(NEW))).toEqual(['host-8 other-version']);
    expect(strays(eighth({ digest: null }), wholly(NEW))).toEqual(['host-8 unreadable']);
    expect(strays(eighth({ isHealthy: false }), wholly(NEW))).toEqual(['host-8 unhealthy']);
    expect(strays(eighth({ role: 'canary' }), wholly(NEW))).toEqual(['host-8 left-behind']);
    expect(strays(eighth({ digest: OLD, role: 'baseline' }), wholly(NEW))).toEqual(['host-8 left-behind']);
  });

  it('an instance that was not to be touched and runs a third version is named', () => {
    const third = [...hosts(2, 7), host(8, { digest: 'sha256:third' })];
    expect(strays(seen(third), A_QUARTER)).toEqual(['host-8 other-version']);
    // What the others ran was never one version: nothing can be said of them.
    expect(partialOf(seen(third), { ...A_QUARTER, others: null })).toBeNull();
  });

  it('the configuration counts as much as the version: what the platform says, or what most have', () => {
    const one = [...hosts(3, 3, { config: 'c1' }), host(4, { digest: NEW, config: 'c2' })];
    expect(strays(seen(one), wholly(NEW))).toEqual(['host-4 other-configuration']);
    expect(strays(seen(one, 'c2'), wholly(NEW))).toEqual([
      'host-1 other-configuration',
      'host-2 other-configuration',
      'host-3 other-configuration',
    ]);
    expect(strays(seen([...hosts(3, 3, { config: 'c1' }), host(4, { digest: NEW })]), wholly(NEW))).toEqual([
      'host-4 other-configuration',
    ]);
  });

  it('too few is partial also when none is wrong, and no instance at all is', () => {
    expect(partialOf(seen(hosts(1, 8)), A_QUARTER)).toMatchObject({ expected: 2, running: 1, instances: [] });
    expect(partialOf(seen([]), wholly(NEW))).toMatchObject({ expected: 0, running: 0 });
  });

  it('who was left out by name counts no more, on either side', () => {
    const dead = [...hosts(7, 7), host(8, { digest: null })];
    expect(partialOf(seen(dead), wholly(NEW, ['host-8']))).toBeNull();
    expect(partialOf(seen([host(8, { digest: null })]), wholly(NEW, ['host-8']))).not.toBeNull();
  });

  it('a picked one that is left out is not replaced by another, and one that was not picked changes nothing', () => {
    const canary: Wish = { ...A_QUARTER, share: 0.25, picked: ['host-1'], without: ['host-1'] };
    const four = [host(1, { digest: NEW, isHealthy: false }), host(2), host(3), host(4)];
    expect(partialOf(seen(four), canary)).toBeNull();
    expect(partialOf(seen(four), { ...canary, without: ['host-4'] })).toMatchObject({ expected: 1, running: 0 });
  });

  it('R5 the old colour of a switch is nobody’s trouble', () => {
    expect(partialOf(seen([...hosts(4, 4), host(9, { role: 'idle' })]), wholly(NEW))).toBeNull();
  });

  it('R5 beside the old ones: the canaries run it, the others stay as many as they were', () => {
    const beside: Wish = { ...wholly(NEW), share: 0.25, others: OLD, isBeside: true, isCanary: true };
    const canary = host(9, { digest: NEW, role: 'canary' });
    expect(partialOf(seen([...hosts(0, 4), canary]), beside)).toBeNull();
    expect(strays(seen([...hosts(0, 3), host(4, { digest: NEW }), canary]), beside)).toEqual(['host-4 other-version']);
    expect(partialOf(seen(hosts(0, 4)), beside)).toMatchObject({ expected: 1, running: 0 });
  });

  it('H1 a fresh baseline is on the old version and as large as the canary', () => {
    const wish: Wish = { ...wholly(NEW), share: 0.25, others: OLD, isBeside: true, isCanary: true, baseline: OLD };
    const canary = host(9, { digest: NEW, role: 'canary' });
    const baseline = host(10, { role: 'baseline' });
    expect(partialOf(seen([...hosts(0, 4), canary, baseline]), wish)).toBeNull();
    expect(partialOf(seen([...hosts(0, 4), canary]), wish)).not.toBeNull();
    expect(strays(seen([...hosts(0, 4), canary, { ...baseline, digest: NEW }]), wish)).toEqual([
      'host-10 other-version',
    ]);
  });

  it('H1 a baseline is the version that it was asked to be, also where it is not known what all the others run', () => {
    const wish: Wish = { ...wholly(NEW), share: 0.25, isCanary: true, baseline: OLD };
    const others = [host(1, { digest: NEW, role: 'canary' }), host(2), host(3, { digest: 'sha256:third' }), host(4)];
    expect(partialOf(seen([...others, host(5, { role: 'baseline' })]), wish)).toBeNull();
    expect(strays(seen([...others, host(5, { role: 'baseline', digest: NEW })]), wish)).toEqual([
      'host-5 other-version',
    ]);
  });

  it('T9 T18 whatever is read: no trouble means that every instance was read as wished', () => {
    const instance = fc.record({
      digest: fc.constantFrom(NEW, OLD, 'sha256:third', null),
      role: fc.constantFrom<Instance['role']>('stable', 'stable', 'canary', 'baseline', 'idle'),
      config: fc.constantFrom('c1', 'c1', 'c2', null),
      isHealthy: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(instance, { maxLength: 8 }), (parts) => {
        const instances = parts.map((part, n) => host(n, part));
        if (partialOf(seen(instances), wholly(NEW)) !== null) return;
        const serving = instances.filter((one) => one.role !== 'idle');
        expect(serving.length).toBeGreaterThan(0);
        expect(serving.every((one) => one.digest === NEW && one.isHealthy && one.role === 'stable')).toBe(true);
        expect(new Set(serving.map((one) => one.config)).size).toBe(1);
      }),
    );
  });
});
