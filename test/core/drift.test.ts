import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driftOf, isCovered, isSameDrift, marksOf } from '../../src/core/drift.ts';
import type { Instance } from '../../src/core/target.ts';
import { anInstance, anObservation, aRecord, four } from '../support/drifted.ts';

const whys = (drift: ReturnType<typeof driftOf>) => drift?.strays.map((one) => `${one.id} ${one.why}`) ?? null;

describe('R6 what runs is compared with what is recorded', () => {
  it('a target that runs what is recorded has not drifted', () => {
    expect(driftOf(aRecord(), four())).toBeNull();
    expect(driftOf(aRecord({ config: 'c1' }), four({}))).not.toBeNull();
    const alike = anObservation([anInstance('eu-1', { config: 'c1' }), anInstance('eu-2', { config: 'c1' })]);
    expect(driftOf(aRecord({ config: 'c1' }), alike)).toBeNull();
  });

  it('one instance with another version is named: the eighth server', () => {
    const drift = driftOf(aRecord(), four({ 'eu-3': { digest: 'sha256:other' } }));
    expect(whys(drift)).toEqual(['eu-3 version']);
    expect(drift?.running).toEqual([
      { digest: 'sha256:v1', config: null, instances: 3 },
      { digest: 'sha256:other', config: null, instances: 1 },
    ]);
  });

  it('one with another configuration is named, also when it runs the right version', () => {
    const config = { config: 'c1' };
    const seen = four({ 'eu-1': config, 'eu-2': config, 'eu-3': config, 'eu-4': { config: 'c2' } });
    expect(whys(driftOf(aRecord(config), seen))).toEqual(['eu-4 config']);
  });

  it('a configuration that was not known when it was placed is held against nobody', () => {
    expect(driftOf(aRecord(), four({ 'eu-1': { config: 'c9' } }))).toBeNull();
  });

  it('what cannot be read is said as that, never as another version', () => {
    expect(whys(driftOf(aRecord(), four({ 'eu-2': { digest: null } })))).toEqual(['eu-2 unreadable']);
    const seen = four({ 'eu-1': { config: 'c1' }, 'eu-2': { config: 'c1' }, 'eu-3': { config: 'c1' } });
    expect(whys(driftOf(aRecord({ config: 'c1' }), seen))).toEqual(['eu-4 unreadable']);
  });

  it.each(['canary', 'baseline'] as const)('a %s that was left behind is named', (role) => {
    expect(whys(driftOf(aRecord(), four({ 'eu-2': { role } })))).toEqual(['eu-2 left-behind']);
  });

  it('the old colour of a blue/green switch is there on purpose', () => {
    expect(driftOf(aRecord(), four({ 'eu-4': { role: 'idle', digest: 'sha256:v0' } }))).toBeNull();
  });

  it('a target without any instance has drifted, also when only the old colour is left', () => {
    expect(driftOf(aRecord(), anObservation([]))).toMatchObject({ instances: 0, strays: [] });
    expect(driftOf(aRecord(), anObservation([anInstance('eu-1', { role: 'idle' })]))).toMatchObject({ instances: 0 });
  });

  it('an instance that is ill and runs what it should has not drifted', () => {
    expect(driftOf(aRecord(), four({ 'eu-2': { isHealthy: false } }))).toBeNull();
  });
});

describe('R6 an instance that somebody decided to go on without', () => {
  const recorded = aRecord({ without: ['eu-3'] });
  const ill = four({ 'eu-3': { digest: 'sha256:old' } });

  it('is excused as long as it is as it was then', () => {
    expect(driftOf(recorded, ill)).toBeNull();
    const marks = marksOf(recorded, ill, []);
    expect(driftOf(recorded, ill, marks)).toBeNull();
    expect(marksOf(recorded, four({ 'eu-3': { digest: 'sha256:new' } }), marks)).toEqual(marks);
  });

  it.each<[string, Partial<Instance>]>([
    ['another version', { digest: 'sha256:newer' }],
    ['a version that cannot be read', { digest: null }],
    ['another role', { digest: 'sha256:old', role: 'canary' }],
  ])('is named once it shows %s', (_what, change) => {
    const marks = marksOf(recorded, ill, []);
    expect(driftOf(recorded, four({ 'eu-3': change }), marks)?.strays.map((one) => one.id)).toEqual(['eu-3']);
  });

  it('may run what is recorded at last', () => {
    expect(driftOf(recorded, four(), marksOf(recorded, ill, []))).toBeNull();
  });

  it('excuses nobody else', () => {
    expect(whys(driftOf(recorded, four({ 'eu-1': { digest: 'sha256:old' } })))).toEqual(['eu-1 version']);
  });
});

const instances = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 12 }),
    region: fc.constantFrom('eu', 'us'),
    digest: fc.constantFrom('sha256:v1', 'sha256:v2', null),
    config: fc.constantFrom('c1', 'c2', null),
    role: fc.constantFrom('stable', 'canary', 'baseline', 'idle'),
    isHealthy: fc.boolean(),
    metricsUrl: fc.constant(null),
  }),
  { selector: (one) => one.id, maxLength: 12 },
) as fc.Arbitrary<Instance[]>;
const records = fc.record({ config: fc.constantFrom('c1', null), without: fc.array(fc.string(), { maxLength: 3 }) });

describe('R6 always', () => {
  it('a target on which every instance runs what is recorded is never drift', () => {
    fc.assert(
      fc.property(instances, records, (some, record) => {
        const well = some.map((one) => ({
          ...one,
          digest: 'sha256:v1',
          config: record.config,
          role: 'stable' as const,
        }));
        fc.pre(well.length > 0);
        expect(driftOf(aRecord(record), anObservation(well))).toBeNull();
      }),
    );
  });

  it('the order in which a platform lists its instances does not matter', () => {
    const shuffled = instances.chain((some) =>
      fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })),
    );
    fc.assert(
      fc.property(shuffled, records, ([some, others], record) => {
        expect(driftOf(aRecord(record), anObservation(others))).toEqual(driftOf(aRecord(record), anObservation(some)));
      }),
    );
  });

  it('every instance that differs is named or counted, and no other', () => {
    fc.assert(
      fc.property(instances, (some) => {
        const drift = driftOf(aRecord(), anObservation(some));
        const odd = some.filter((one) => one.role !== 'idle' && (one.digest !== 'sha256:v1' || one.role !== 'stable'));
        expect((drift?.strays ?? []).map((one) => one.id).sort()).toEqual(odd.map((one) => one.id).sort());
      }),
    );
  });

  it('a thousand strays are counted and not all kept', () => {
    const many = Array.from({ length: 1000 }, (_, n) => anInstance(`i-${n}`, { digest: 'sha256:x' }));
    const drift = driftOf(aRecord(), anObservation(many));
    expect([drift?.strays.length, drift?.more]).toEqual([100, 900]);
  });

  it('survives a round trip through JSON', () => {
    fc.assert(
      fc.property(instances, (some) => {
        const drift = driftOf(aRecord(), anObservation(some));
        expect(JSON.parse(JSON.stringify(drift))).toEqual(drift);
      }),
    );
  });
});

describe('the same drift', () => {
  const drift = (over: Record<string, Partial<Instance>>, more: Instance[] = []) => {
    const found = driftOf(aRecord(), anObservation([...four(over).instances, ...more]));
    if (!found) throw new Error('no drift');
    return found;
  };

  it('is the same whatever comes and goes beside it', () => {
    const one = drift({ 'eu-3': { digest: 'sha256:x' } });
    expect(isSameDrift(one, drift({ 'eu-3': { digest: 'sha256:x' } }, [anInstance('eu-5')]))).toBe(true);
    expect(isSameDrift(one, drift({ 'eu-3': { digest: 'sha256:y' } }))).toBe(false);
    expect(isSameDrift(one, drift({ 'eu-4': { digest: 'sha256:x' } }))).toBe(false);
  });

  it('covers a smaller one, and no other', () => {
    const two = drift({ 'eu-3': { digest: 'sha256:x' }, 'eu-4': { digest: 'sha256:x' } });
    const one = drift({ 'eu-3': { digest: 'sha256:x' } });
    expect(isCovered(one, two)).toBe(true);
    expect(isCovered(two, one)).toBe(false);
    expect(isCovered({ ...two, instances: 0 }, two)).toBe(false);
  });
});
