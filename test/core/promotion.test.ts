import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/core/decide.ts';
import type { Event } from '../../src/core/event.ts';
import type { Measurement, Missing } from '../../src/core/judge/signal.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { rolloutAt } from '../support/given.ts';
import { aService, aSignal } from '../support/service.ts';

const SIGNALS = [
  aSignal(),
  aSignal({ name: 'payments errors', neighbour: { service: 'payments', is: 'downstream' } }),
  aSignal({ name: 'latency', role: 'scored', weight: 20 }),
];
const CRITICAL = SIGNALS.filter((one) => one.role === 'critical');
const { stages } = aService();
const service = aService({ stages: stages.map((stage) => ({ ...stage, signals: SIGNALS })) });
const start = rolloutAt('baking', { service, step: 'wave 1' });
const EVERY_MS = 2000;
const FOR_MS = 10_000;

/** One answer as a source may give it: `ageMs` before it is judged. */
type Answer = { value: number; samples: number | null; ageMs: number } | { missing: Missing };
const good: Answer = { value: 0.001, samples: 500, ageMs: 0 };
const odd: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({
    value: fc.constantFrom(0, 0.01, 0.02, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    samples: fc.constantFrom(null, 0, 1, 500, Number.NaN),
    ageMs: fc.constantFrom(0, 59_999, 60_001, -4000, -6000, Number.NaN),
  }),
  fc
    .constantFrom<Missing>('no-data', 'not-a-number', 'many-series', 'stale', 'partial', 'unreachable')
    .map((missing) => ({
      missing,
    })),
);
/** Of one signal: mostly one good answer; else none, an odd one, or several. */
const answers = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Answer[]>([good]) },
  { weight: 1, arbitrary: fc.array(fc.oneof(fc.constant(good), odd), { maxLength: 3 }) },
);
/** The next look comes this much later: on time, soon, late, after a jump of the clock, or before the last one. */
const gap = fc.oneof(
  { weight: 6, arbitrary: fc.constant(EVERY_MS) },
  { weight: 1, arbitrary: fc.constantFrom(1, 500, 2999, 10_000, 86_400_000, -1000, -3_600_000) },
);
const look = fc.record({ gap, all: fc.tuple(answers, answers, answers) });

function measurement(signal: string, answer: Answer, atMs: number): Measurement {
  if ('missing' in answer) return { signal, link: null, value: null, missing: answer.missing, detail: '' };
  return { signal, link: null, value: answer.value, samples: answer.samples, takenAtMs: atMs - answer.ageMs };
}

/** Positive, finite, fresh and alone: said here once more, in other words than the judge's. */
function isEvidence(all: Answer[]): boolean {
  const [one] = all;
  if (all.length !== 1 || !one || 'missing' in one) return false;
  const isRead = Number.isFinite(one.value) && one.ageMs <= 60_000 && one.ageMs >= -5000;
  return isRead && one.value <= 0.01 && one.samples !== null && one.samples >= 1;
}

/** Measured, whatever it says. */
function isMeasured(all: Answer[]): boolean {
  const [one] = all;
  if (all.length !== 1 || !one || 'missing' in one) return false;
  return Number.isFinite(one.value) && one.ageMs <= 60_000 && one.ageMs >= -5000;
}

describe('T9 T11 no promotion without evidence', () => {
  it('under any sequence of errors, NaN, gaps, duplicates and clocks', () => {
    let passes = 0;
    let holds = 0;
    fc.assert(
      fc.property(fc.array(look, { minLength: 5, maxLength: 14 }), (looks) => {
        let rollout: Rollout = start.rollout;
        let nowMs = start.nowMs;
        let watchedMs = 0;
        for (const { gap: gapMs, all } of looks) {
          const { phase, generation } = rollout;
          if (phase.is !== 'baking') break;
          nowMs += gapMs;
          const measurements = all.flatMap((some, index) =>
            some.map((one) => measurement(SIGNALS[index]?.name ?? '', one, nowMs)),
          );
          const event: Event = {
            type: 'measured',
            atMs: nowMs,
            generation,
            round: phase.round,
            measurements,
            controls: [],
          };
          // The same look once more counts for nothing.
          const decision = decide(rollout, event);
          const again = decide(decision.rollout, event);
          expect(again.answer.is).toBe('ignored');
          expect(again.rollout).toBe(decision.rollout);
          const critical = all.slice(0, CRITICAL.length);
          if (critical.every(isMeasured)) watchedMs += Math.min(Math.max(0, gapMs), EVERY_MS * 1.5);
          const record = decision.rollout.steps.find((one) => one.stage === 'production' && one.step === 'wave 1');
          if (record?.ended === 'passed') {
            passes += 1;
            expect(critical.every(isEvidence)).toBe(true);
            expect(watchedMs).toBeGreaterThanOrEqual(FOR_MS);
          } else holds += 1;
          rollout = decision.rollout;
        }
      }),
      { numRuns: 400 },
    );
    // It did happen, both ways.
    expect(passes).toBeGreaterThan(20);
    expect(holds).toBeGreaterThan(20);
  });

  it('nothing but good looks for the whole time promotes', () => {
    let rollout: Rollout = start.rollout;
    for (let turn = 1; turn <= FOR_MS / EVERY_MS; turn += 1) {
      const { phase, generation } = rollout;
      if (phase.is !== 'baking') throw new Error(`promoted after ${turn - 1} looks`);
      const atMs = start.nowMs + turn * EVERY_MS;
      const measurements = SIGNALS.map((one) => measurement(one.name, good, atMs));
      rollout = decide(rollout, {
        type: 'measured',
        atMs,
        generation,
        round: phase.round,
        measurements,
        controls: [],
      }).rollout;
    }
    expect(rollout.phase.is).not.toBe('baking');
  });
});
