import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyMemory, judge, rememberBefore } from '../../../src/core/judge/judge.ts';
import type { Measurement, Signal } from '../../../src/core/judge/signal.ts';
import { NOW, signal } from './builders.ts';
import { policy } from './policy.ts';

const NAMES = ['a', 'b', 'c', 'constructor', '__proto__'];
const bound = fc.record(
  { min: fc.integer({ min: 0, max: 5 }), max: fc.integer({ min: 5, max: 9 }) },
  { requiredKeys: [] },
);

const anySignal: fc.Arbitrary<Signal> = fc
  .record({
    name: fc.constantFrom(...NAMES),
    kind: fc.constantFrom<Signal['kind']>('threshold', 'check', 'requests', 'compare', 'rate', 'alert'),
    healthyWhen: bound,
    degradedWhen: fc.option(bound),
    role: fc.constantFrom('critical' as const, 'scored' as const, 'observe' as const),
    weight: fc.integer({ min: 0, max: 100 }),
    failures: fc.integer({ min: 1, max: 3 }),
    of: fc.integer({ min: 1, max: 4 }),
    minSamples: fc.integer({ min: 0, max: 3 }),
  })
  .map((changes) => {
    const isCompared = changes.kind === 'compare' || changes.kind === 'rate';
    return signal({ ...changes, ...(isCompared ? { baseline: { is: 'fresh' }, comparison: policy() } : {}) });
  });
const anySignals = fc.uniqueArray(anySignal, { selector: (one) => one.name, maxLength: 5 });

// Enough points to be compared, or too few; counts that can be, or not.
const extras = fc.record(
  {
    points: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 }),
    counts: fc.record({ failed: fc.integer({ min: 0, max: 9 }), total: fc.integer({ min: 0, max: 50 }) }),
    alerts: fc.array(
      fc.constantFrom('x', 'y').map((id) => ({ id, name: id, sinceMs: NOW })),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
);

const finite = fc
  .record({
    signal: fc.constantFrom(...NAMES, 'unknown'),
    link: fc.constant(null),
    value: fc.integer({ min: -1, max: 10 }),
    samples: fc.option(fc.integer({ min: 0, max: 5 })),
    takenAtMs: fc.integer({ min: NOW - 70_000, max: NOW + 6_000 }),
  })
  .chain((one) => extras.map((more) => ({ ...one, ...more })));
const useless: fc.Arbitrary<Measurement> = fc.oneof(
  finite.chain((one) =>
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY).map((value) => ({ ...one, value })),
  ),
  finite.map((one) => ({ ...one, takenAtMs: NOW - 60_001 })),
  finite.map((one) => ({ ...one, takenAtMs: NOW + 5_001 })),
  fc.constantFrom(...NAMES).map((name) => ({
    signal: name,
    link: null,
    value: null,
    missing: 'partial' as const,
    detail: '',
  })),
);
const anyMeasurements = fc.array(fc.oneof(finite, useless), { maxLength: 8 });
const anyRounds = fc.array(anyMeasurements, { minLength: 1, maxLength: 6 });

function play(signals: Signal[], before: Measurement[], rounds: Measurement[][], controls: Measurement[] = []) {
  let memory = rememberBefore(signals, before);
  return rounds.map((measurements) => {
    const outcome = judge(signals, memory, measurements, NOW, controls);
    memory = outcome.memory;
    return { ...outcome, measurements };
  });
}

describe('T9 unknown is not healthy, under any sequence', () => {
  it('of gaps, NaN, infinities and stale answers nothing promotes and nothing is degraded', () => {
    fc.assert(
      fc.property(
        anySignals,
        anyMeasurements,
        fc.array(fc.array(useless, { maxLength: 8 })),
        anyMeasurements,
        (signals, before, rounds, controls) => {
          for (const { judgement } of play(signals, before, rounds, controls)) {
            expect(['error', 'inconclusive']).toContain(judgement.verdict);
          }
        },
      ),
    );
  });

  it('whatever is answered twice counts as not answered', () => {
    fc.assert(
      fc.property(anySignals, anyMeasurements, anyMeasurements, (signals, measurements, controls) => {
        const { judgement } = judge(signals, emptyMemory(), [...measurements, ...measurements], NOW, controls);
        expect(['error', 'inconclusive']).toContain(judgement.verdict);
      }),
    );
  });

  it('healthy only with evidence, and with every critical signal healthy or as bad as before', () => {
    let healthy = 0;
    fc.assert(
      fc.property(anySignals, anyMeasurements, anyRounds, anyMeasurements, (signals, before, rounds, controls) => {
        for (const { judgement, measurements } of play(signals, before, rounds, controls)) {
          if (judgement.verdict !== 'healthy') continue;
          healthy += 1;
          const deciding = judgement.signals.filter((one) => one.role !== 'observe');
          const isFine = (one: (typeof deciding)[number]) =>
            one.verdict === 'healthy' || one.reason === 'already-bad-before';
          expect(deciding.filter((one) => one.role === 'critical').every(isFine)).toBe(true);
          // At least one number that arrived alone, finite, fresh and within its signal's bounds.
          const proofs = deciding.filter((one) => {
            const of = signals.find((candidate) => candidate.name === one.signal);
            const answers = measurements.filter((answer) => answer.signal === one.signal);
            const [answer] = answers;
            if (!of || of.kind === 'requests' || answers.length !== 1 || !answer || answer.value === null) return false;
            const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = of.healthyWhen;
            const held = controls.filter((control) => control.signal === one.signal);
            const isHeld = held.length === 1 && held[0]?.value !== null;
            const isWithin = {
              check: answer.value === 1,
              threshold: answer.value >= min && answer.value <= max,
              compare: isHeld,
              rate: isHeld && (answer.counts?.total ?? 0) >= 5,
              alert: answer.alerts !== undefined,
            }[of.kind];
            return isWithin && answer.takenAtMs >= NOW - 60_000 && answer.takenAtMs <= NOW + 5_000;
          });
          expect(proofs.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
    // The property must have met what it speaks of.
    expect(healthy).toBeGreaterThan(20);
  });

  it('does not depend on the order of the measurements', () => {
    fc.assert(
      fc.property(
        anySignals,
        anyMeasurements,
        anyMeasurements,
        anyMeasurements,
        (signals, before, measurements, controls) => {
          const memory = rememberBefore(signals, before);
          const reversed = rememberBefore(signals, [...before].reverse());
          expect(judge(signals, reversed, [...measurements].reverse(), NOW, [...controls].reverse())).toEqual(
            judge(signals, memory, measurements, NOW, controls),
          );
        },
      ),
    );
  });

  it('survives the database: judgement and memory are the same after a round trip as JSON', () => {
    fc.assert(
      fc.property(anySignals, anyRounds, anyMeasurements, (signals, rounds, controls) => {
        for (const { judgement, memory } of play(signals, [], rounds, controls)) {
          expect(JSON.parse(JSON.stringify(judgement))).toEqual(judgement);
          expect(JSON.parse(JSON.stringify(memory))).toEqual(memory);
          for (const one of signals) expect(memory.recent[one.name]?.length ?? 0).toBeLessThanOrEqual(one.of);
        }
      }),
    );
  });
});
