import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import { usualComparison } from '../../src/core/judge/comparison.ts';
import type { Measured, Measurement } from '../../src/core/judge/signal.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { rolloutAt } from '../support/given.ts';
import { aService, aSignal } from '../support/service.ts';

const EVERY_MS = 2000;
const held = { baseline: { is: 'current' }, comparison: usualComparison('critical'), degradedWhen: null } as const;
const SIGNALS = [
  aSignal({ name: 'work', kind: 'compare', ...held }),
  aSignal({ name: 'failures', kind: 'rate', minSamples: 100, ...held }),
  aSignal({ name: 'alerts', kind: 'alert', degradedWhen: null }),
];
const { stages } = aService();
const service = aService({
  stages: stages.map((stage) => (stage.isProtected ? { ...stage, signals: SIGNALS } : stage)),
});
const start = rolloutAt('baking', { service, step: 'canary' });

/** What a source says beside the number, and how long ago it was taken; null: nothing. */
type Said = Pick<Measured, 'value' | 'counts' | 'alerts'> & { ageMs: number };
type Answers = (Said | null)[];

const firing = (...ids: string[]) => ids.map((id) => ({ id, name: id, sinceMs: 0 }));
const GOOD: Said = { value: 5, counts: { failed: 1, total: 1000 }, alerts: [], ageMs: 0 };
const odd: fc.Arbitrary<Said | null> = fc.oneof(
  fc.constant(null),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY).map((value) => ({ ...GOOD, value })),
  // Of the look before; too old; of a time to come; of no time.
  fc.constantFrom(EVERY_MS, 60_001, -6000, Number.NaN).map((ageMs) => ({ ...GOOD, ageMs })),
  fc
    .constantFrom(
      { failed: 0, total: 3 },
      { failed: 0, total: 0 },
      { failed: 0, total: -1000 },
      { failed: Number.NaN, total: 1000 },
      { failed: 900, total: 1000 },
      undefined,
    )
    .map((counts) => ({ ...GOOD, counts }) as Said),
  fc
    .constantFrom(firing('new'), firing('old'), firing('old', 'new'), undefined)
    .map((alerts) => ({ ...GOOD, alerts }) as Said),
);
const answers: fc.Arbitrary<Answers> = fc.oneof(
  { weight: 40, arbitrary: fc.constant<Answers>([GOOD]) },
  { weight: 1, arbitrary: fc.array(fc.oneof(fc.constant(GOOD), odd), { maxLength: 2 }) },
  { weight: 2, arbitrary: odd.map((one) => [one]) },
);
const looks = fc.array(fc.record({ now: fc.tuple(answers, answers, answers), beside: fc.tuple(answers, answers) }), {
  minLength: 5,
  maxLength: 14,
});

function measurements(all: Answers[], nowMs: number): Measurement[] {
  return all.flatMap((some, index) => {
    const signal = SIGNALS[index]?.name ?? '';
    return some.map((one): Measurement => {
      if (one === null) return { signal, link: null, value: null, missing: 'unreachable', detail: '' };
      const { ageMs, ...said } = one;
      return { signal, link: null, samples: null, takenAtMs: nowMs - ageMs, ...said };
    });
  });
}

/** The one answer, when it is a finite number of now; said here once more, in other words than the judge's. */
function only(some: Answers | undefined): Said | null {
  const [one = null] = some ?? [];
  return some?.length === 1 && one && Number.isFinite(one.value) && one.ageMs <= 60_000 && one.ageMs >= -5000
    ? one
    : null;
}

function isFullRate(said: Said | null): boolean {
  const { failed = -1, total = 0 } = said?.counts ?? {};
  return failed >= 0 && failed <= total && total >= 100;
}

/** Every share of failures that is as small as the other side's. */
const failsMore = (one: Said | null, other: Said | null) => (one?.counts?.failed ?? 0) > (other?.counts?.failed ?? 0);

it('T9 H1 no promotion by a comparison, a rate or an alert without evidence on both sides, under any sequence of NaN, gaps, duplicates and odd counts', () => {
  let [passes, holds] = [0, 0];
  fc.assert(
    fc.property(looks, fc.boolean(), (all, wasFiring) => {
      const before = measurements([[], [], [{ ...GOOD, alerts: wasFiring ? firing('old') : [] }]], start.nowMs);
      let rollout = start.rollout;
      if (rollout.phase.is !== 'baking') throw new Error('It is not watched');
      const memory = { ...rollout.phase.memory, before: { alerts: before[0] as Measurement } };
      rollout = { ...rollout, phase: { ...rollout.phase, memory } };
      let nowMs = start.nowMs;
      const taken = { now: new Set<number>(), beside: new Set<number>() };
      for (const { now, beside } of all) {
        const { phase, generation } = rollout;
        if (phase.is !== 'baking') break;
        nowMs += EVERY_MS;
        const [work, worked] = [only(now[0]), only(beside[0])];
        if (work) taken.now.add(nowMs - work.ageMs);
        if (worked) taken.beside.add(nowMs - worked.ageMs);
        const event = { type: 'measured', atMs: nowMs, generation, round: phase.round } as const;
        const said = { measurements: measurements(now, nowMs), controls: measurements(beside, nowMs) };
        const next: Rollout = decide(rollout, { ...event, ...said }).rollout;
        const record = next.steps.find((one) => one.stage === 'production' && one.step === 'canary');
        rollout = next;
        if (record?.ended !== 'passed') {
          holds += 1;
          continue;
        }
        passes += 1;
        expect([work, worked]).not.toContain(null);
        expect(taken.now.size).toBeGreaterThanOrEqual(5);
        expect(taken.beside.size).toBeGreaterThanOrEqual(5);
        const [rate, other] = [only(now[1]), only(beside[1])];
        expect([rate, other].every(isFullRate)).toBe(true);
        expect(failsMore(rate, other)).toBe(false);
        const ids = only(now[2])?.alerts?.map((one) => one.id) ?? ['unknown'];
        expect(ids.filter((id) => !(wasFiring && id === 'old'))).toEqual([]);
      }
    }),
    { numRuns: 600 },
  );
  // It did happen, both ways.
  expect(passes).toBeGreaterThan(20);
  expect(holds).toBeGreaterThan(20);
});
