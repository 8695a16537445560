import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import type { CheckResult, Choice, Event, LastWatched } from '../../src/core/event.ts';
import type { Measurement } from '../../src/core/judge/signal.ts';
import type { Actor, Standing } from '../../src/core/principal.ts';
import type { Artifact, Participant } from '../../src/core/release.ts';
import { isOver, type Rollout } from '../../src/core/rollout.ts';
import { artifactFor, FIRST, OVER, observation, PHASES, rolloutAt, type Scene, type World } from '../support/given.ts';
import { actor, aRelease, keyOf, PEOPLE, type PersonName } from '../support/service.ts';

const scenes = new Map(
  [false, true].flatMap((isRollForwardOnly) =>
    PHASES.filter((name) => !isRollForwardOnly || name !== 'rolling-back')
      .filter((name) => !isRollForwardOnly || name !== 'rolled-back')
      .map((name) => [
        `${name} ${isRollForwardOnly}`,
        rolloutAt(name, { release: aRelease(1, { isRollForwardOnly }) }),
      ]),
  ),
);

const someone: fc.Arbitrary<Actor> = fc
  .tuple(
    fc.constantFrom(...(Object.keys(PEOPLE) as PersonName[])),
    fc.constantFrom<Standing>('member', 'member', 'member', 'guest', 'unknown'),
    fc.boolean(),
  )
  .map(([name, standing, isLinked]) => ({ ...actor(name), standing, ...(isLinked ? {} : { githubId: null }) }));

const target = fc.constantFrom('staging', 'eu', 'us', 'mars', '');
const text = fc.constantFrom('', ' ', 'because');
const aDigest = fc.constantFrom(null, '', FIRST.digest, artifactFor(aRelease(1)).digest, 'sha256:x');
const anObservation = fc.tuple(target, fc.array(fc.tuple(aDigest, fc.boolean()), { maxLength: 4 })).map(([name, all]) =>
  observation(
    name,
    all.map(([digest, isHealthy], n) => ({
      id: `i${n}`,
      region: 'eu',
      digest,
      isHealthy,
      config: null,
      role: 'stable' as const,
      metricsUrl: null,
    })),
  ),
);
const someMeasurements = (atMs: number) =>
  fc.constantFrom<World['health'] | 'odd'>('good', 'bad', 'unclear', 'none', 'odd').map((health) => {
    if (health === 'odd') return [];
    if (health === 'none') {
      return [{ signal: 'errors', link: null, value: null, missing: 'unreachable' as const, detail: '' }];
    }
    const value = { good: 0, bad: 1, unclear: 0.02 }[health];
    return [{ signal: 'errors', link: null, value, samples: 100, takenAtMs: atMs }];
  });
const timer = fc.constantFrom(
  'build-deadline',
  'survey-deadline',
  'gate-expiry',
  'deploy-deadline',
  'verify-deadline',
  'prepare-deadline',
  'capacity-deadline',
  'check-deadline/smoke@eu#1',
  'bake#0',
  'bake#1',
  'bake-deadline',
  'countdown',
  'roll-back-deadline#0',
  'nonsense',
);
const anArtifact = fc.constantFrom(FIRST, artifactFor(aRelease(1)), { digest: 'sha256:older', sha: '9'.repeat(40) });

/** Anything that anybody could send at this time, for this generation or another. */
function anyEvent(generation: number, atMs: number): fc.Arbitrary<Event> {
  const stamp = {
    atMs: fc.constant(atMs),
    generation: fc.constantFrom(generation, generation, generation, generation - 1, generation + 1),
  };
  const at = { atMs: fc.constant(atMs) };
  const type = <Name extends Event['type']>(name: Name) => fc.constant(name);
  const round = fc.nat(3);
  const because = text;
  return fc.oneof(
    fc.record({ type: type('built'), artifact: anArtifact, url: fc.constant(null), ...stamp }),
    fc.record({ type: type('build-failed'), detail: text, url: fc.constant(null), ...stamp }),
    fc.record({ type: type('created'), target, ...stamp }),
    fc.record({ type: type('create-failed'), target, detail: text, ...stamp }),
    fc.record({ type: type('removed'), target, ...stamp }),
    fc.record({ type: type('remove-failed'), target, round, detail: text, ...stamp }),
    fc.record({
      type: type('capacity-read'),
      round: fc.nat(1),
      capacity: fc.record({ target, instances: fc.nat(4), serving: fc.nat(4), servingDuring: fc.nat(4) }),
      load: fc.constantFrom(null, 0, 100, 350),
      perInstance: fc.constantFrom(null, 100),
      detail: text,
      ...stamp,
    }),
    fc.record({
      type: type('checked'),
      check: fc.constantFrom('smoke', 'other'),
      target,
      tryNumber: fc.nat(3),
      result: fc.record({
        is: fc.constantFrom('passed' as const, 'failed' as const),
        detail: text,
        measures: fc.constant<CheckResult['measures']>([]),
        url: fc.constant(null),
      }),
      ...stamp,
    }),
    fc.record({ type: type('surveyed'), observation: anObservation, ...stamp }),
    fc.record({
      type: type('cleared'),
      ancestry: fc.constantFrom('ahead' as const, 'identical' as const, 'behind' as const),
      eligible: fc.subarray((Object.keys(PEOPLE) as PersonName[]).map(keyOf)),
      defaultBranchHasHead: fc.boolean(),
      ...stamp,
    }),
    fc.record({ type: type('measured-before'), measurements: someMeasurements(atMs), ...stamp }),
    fc.record({ type: type('deployed'), target, ...stamp }),
    fc.record({ type: type('deploy-failed'), target, detail: text, ...stamp }),
    fc.record({ type: type('observed'), round, observation: anObservation, ...stamp }),
    fc.record({
      type: type('measured'),
      round,
      measurements: someMeasurements(atMs),
      controls: fc.constant<Measurement[]>([]),
      ...stamp,
    }),
    fc.record({ type: type('rolled-back'), target, ...stamp }),
    fc.record({ type: type('roll-back-failed'), target, detail: text, ...stamp }),
    fc.record({ type: type('stumbled'), effect: text, detail: text, attempts: fc.nat(), ...stamp }),
    fc.record({ type: type('woke'), timer, ...stamp }),
    fc.record({ type: type('approved'), actor: someone, ...stamp }),
    fc.record({ type: type('rejected'), actor: someone, because, ...stamp }),
    fc.record({
      type: type('decided'),
      actor: someone,
      choice: fc.constantFrom<Choice>('retry', 'roll-back', 'continue', 'go-on-without', 'begin-anyway', 'hold'),
      because: fc.option(text),
      ...stamp,
    }),
    fc.record({ type: type('countdown-stopped'), actor: someone, ...stamp }),
    fc.record({ type: type('rollback-requested'), actor: someone, because, to: fc.option(anArtifact), ...at }),
    fc.record({ type: type('aborted'), actor: someone, because, ...at }),
    fc.record({ type: type('clock-leapt'), byMs: fc.integer(), ...at }),
    fc.record({ type: type('superseded'), byRollout: fc.constant('r2'), bySha: fc.constant('f'.repeat(40)), ...at }),
    fc.record({ type: type('taken-over'), byRollout: fc.constant('r2'), by: text, ...at }),
    fc.record({
      type: type('started'),
      desiredSha: fc.constantFrom(null, 'd'.repeat(40)),
      participants: fc.constant<Participant[]>([]),
      lastGood: fc.constantFrom<Record<string, Artifact>[]>({}, { eu: FIRST }),
      desiredDigest: fc.constant(null),
      lastWatched: fc.constant<LastWatched[]>([]),
      ...at,
    }),
  );
}

/** What must hold of every decision, whatever happened. */
function checkLaws(before: Rollout, event: Event): Rollout {
  const frozen = JSON.stringify(before);
  const { rollout, effects, facts, answer } = decide(before, event);
  expect(JSON.stringify(before)).toBe(frozen);
  expect(JSON.parse(JSON.stringify({ rollout, effects, facts, answer }))).toEqual({ rollout, effects, facts, answer });
  if (answer.is !== 'changed') {
    expect(rollout).toEqual(before);
    expect([...effects, ...facts]).toEqual([]);
  }
  expect(rollout.generation).toBeGreaterThanOrEqual(before.generation);
  if (rollout.phase.is !== before.phase.is) expect(rollout.generation).toBeGreaterThan(before.generation);
  // What was made for a release may be gone long after its end; nothing else happens then.
  if (isOver(before) && !event.type.startsWith('remove')) expect(answer.is).not.toBe('changed');
  expect(rollout.endedAtMs !== null).toBe(isOver(rollout));
  expect(new Set(effects.map((one) => one.key)).size).toBe(effects.length);
  for (const effect of effects) {
    expect(effect.generation).toBe(rollout.generation);
    expect(effect.afterMs).toBeGreaterThanOrEqual(0);
  }
  for (const effect of effects) {
    if (effect.kind !== 'deploy') continue;
    // T1, without the code that decides it: enough members who took no part said yes to exactly this.
    const stage = rollout.plan.stages.find((one) => one.steps.some((step) => step.targets.includes(effect.target)));
    const yes = new Set(rollout.approvals.map((one) => one.by));
    if (stage?.isProtected) expect(yes.size).toBeGreaterThanOrEqual(stage.approvals?.required ?? 1);
    expect(yes.has(keyOf('ana')) || yes.has(keyOf('dan')) || yes.has(keyOf('eve'))).toBe(false);
  }
  // A step passes by healthy evidence only (T9).
  for (const step of rollout.steps) if (step.ended === 'passed') expect(step.verdict).toBe('healthy');
  return rollout;
}

describe('the laws of the core', () => {
  it('no event in any phase throws, and each that does not fit changes nothing', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom(...scenes.values())
          .chain((scene: Scene) =>
            fc
              .tuple(fc.constant(scene), fc.integer({ min: -100_000, max: 100_000_000 }))
              .chain(([one, ms]) => fc.tuple(fc.constant(one), anyEvent(one.rollout.generation, one.nowMs + ms))),
          ),
        ([scene, event]) => {
          checkLaws(scene.rollout, event);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('no sequence of events breaks a law', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...scenes.values()),
        fc.array(fc.tuple(fc.nat(5), fc.nat(10_000), fc.nat(2 ** 31 - 1)), { minLength: 1, maxLength: 60 }),
        (start, turns) => {
          let scene = start;
          for (const [kind, ms, seed] of turns) {
            // Half of the time the world answers as it would, so that runs get far; otherwise anything happens.
            const worlds: Partial<World>[] = [{}, { health: 'bad' }, { health: 'none' }, { eligible: [] }];
            const onwards = kind < 3 ? scene.answerOne(worlds[seed % 4]) : null;
            if (onwards) {
              checkLaws(scene.rollout, { type: 'superseded', atMs: scene.nowMs, byRollout: 'x', bySha: 'y' });
              scene = onwards;
              continue;
            }
            const [event] = fc.sample(anyEvent(scene.rollout.generation, scene.nowMs + ms), { numRuns: 1, seed });
            if (!event) throw new Error('no event');
            checkLaws(scene.rollout, event);
            scene = scene.when(event);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(OVER)('%s is final: no event changes it', (name) => {
    const scene = rolloutAt(name);
    fc.assert(
      fc.property(anyEvent(scene.rollout.generation, scene.nowMs), (event) => {
        expect(checkLaws(scene.rollout, event)).toEqual(scene.rollout);
      }),
      { numRuns: 300 },
    );
  });

  it.each(PHASES)('1 the state of %s survives the database', (name) => {
    const { rollout } = rolloutAt(name);
    expect(JSON.parse(JSON.stringify(rollout))).toEqual(rollout);
  });

  it('6 the same state and event always give the same keys', () => {
    const scene = rolloutAt('clearing');
    const keys = () => scene.until('deploying').effects.map((one) => one.key);
    expect(keys()).toEqual(keys());
    const { id, generation } = scene.until('deploying').rollout;
    expect(keys()).toEqual([
      `${id}/${generation}/deploy/eu`,
      `${id}/${generation}/deploy/us`,
      `${id}/${generation}/wake/deploy-deadline`,
    ]);
  });

  it.each(PHASES.filter((one) => !OVER.includes(one) && one !== 'queued'))(
    '7 a rollout that is %s owes something or waits for a named person',
    (name) => {
      const scene = rolloutAt(name);
      const waits = name === 'holding' ? scene.in('holding').by !== '' : scene.owed.length > 0;
      expect(waits).toBe(true);
    },
  );
});
