import { USUAL_COMPARISON } from '../../../src/core/judge/comparison.ts';
import { emptyMemory, judge } from '../../../src/core/judge/judge.ts';
import type { Measurement, Signal } from '../../../src/core/judge/signal.ts';
import type { Rate } from '../../../src/core/judge/stats/rate-test.ts';
import type { Judgement } from '../../../src/core/judge/verdict.ts';
import { NOW, number, signal } from './builders.ts';
import { failures, type Random, SHAPES, type Shape, series } from './simulated.ts';

/** What a step with that many signals, of that many points, looks like. */
export const STEP = { signals: 20, points: 60 };

/** Two sides of one compared signal: points, or counts. */
type Sides = { baseline: number[] | Rate; canary: number[] | Rate };

/** One judgement of a whole step, with the comparison that a service gets when it says nothing. */
export function judgeSides(sides: readonly Sides[], changes: Partial<Signal> = {}): Judgement {
  const signals = sides.map(({ canary }, index) =>
    signal({
      name: `signal-${index}`,
      kind: Array.isArray(canary) ? 'compare' : 'rate',
      baseline: { is: 'fresh' },
      comparison: USUAL_COMPARISON,
      role: 'scored',
      ...changes,
    }),
  );
  const answers = (side: keyof Sides) => sides.map((one, index) => answer(signals[index]?.name ?? '', one[side]));
  return judge(signals, emptyMemory(), answers('canary'), NOW, answers('baseline')).judgement;
}

function answer(name: string, side: number[] | Rate): Measurement {
  const measured = number(Array.isArray(side) ? (side.at(-1) ?? 0) : side.failed, { signal: name });
  return { ...measured, ...(Array.isArray(side) ? { points: side } : { counts: side }) };
}

const EVERY_SHAPE = Object.values(SHAPES);

function alike(random: Random, shapes: readonly Shape[], points: number): Sides[] {
  return Array.from({ length: STEP.signals }, (_, index) => {
    const shape = shapes[index % shapes.length] as Shape;
    return { baseline: series(random, shape, 1, points), canary: series(random, shape, 1, points) };
  });
}

function share(trials: number, holds: () => boolean): number {
  let held = 0;
  for (let trial = 0; trial < trials; trial += 1) if (holds()) held += 1;
  return held / trials;
}

function isAlarmed(judgement: Judgement): boolean {
  return judgement.signals.some((one) => one.verdict === 'degraded');
}

/** The share of steps in which any of the signals is called worse though nothing differs; each step is judged once. */
export function falseAlarms(random: Random, steps: number, shapes: readonly Shape[] = EVERY_SHAPE): number {
  return share(steps, () => isAlarmed(judgeSides(alike(random, shapes, STEP.points))));
}

/** The same where the step is judged at every point from the fifth on, and stops at the first alarm. */
export function falseAlarmsOfBakes(random: Random, steps: number, changes: Partial<Signal> = {}): number {
  return share(steps, () => {
    const sides = alike(random, EVERY_SHAPE, STEP.points);
    for (let points = 5; points <= STEP.points; points += 1) {
      const sofar = sides.map(({ baseline, canary }) => ({
        baseline: (baseline as number[]).slice(0, points),
        canary: (canary as number[]).slice(0, points),
      }));
      if (isAlarmed(judgeSides(sofar, changes))) return true;
    }
    return false;
  });
}

/** The share of steps in which one signal with 10 % of noise is found to be 20 % higher, among nineteen that are not. */
export function shiftsFound(random: Random, steps: number): number {
  const { steady } = SHAPES as { steady: Shape };
  return share(steps, () => {
    const [one, ...rest] = alike(random, [steady], STEP.points);
    const worse = { baseline: one?.baseline ?? [], canary: series(random, steady, 1.2, STEP.points) };
    return judgeSides([worse, ...rest]).signals[0]?.verdict === 'degraded';
  });
}

/** The share of steps in which a critical rate is found to have gone from 0.1 % to 0.5 %, at 10,000 requests a side. */
export function sparseErrorsFound(random: Random, steps: number): number {
  return share(steps, () => isAlarmed(judgeSides([errors(random, 0.005)], { role: 'critical' })));
}

/** The same as one scored signal among twenty, where its p value has to be twenty times as small. */
export function sparseErrorsFoundAmongMany(random: Random, steps: number): number {
  return share(steps, () => {
    const rest = Array.from({ length: STEP.signals - 1 }, () => errors(random, 0.001));
    return judgeSides([errors(random, 0.005), ...rest]).signals[0]?.verdict === 'degraded';
  });
}

/** The share of steps in which a critical rate is called worse though it is 0.1 % on both sides. */
export function sparseFalseAlarms(random: Random, steps: number): number {
  return share(steps, () => isAlarmed(judgeSides([errors(random, 0.001)], { role: 'critical' })));
}

function errors(random: Random, canary: number): Sides {
  return { baseline: failures(random, 10_000, 0.001), canary: failures(random, 10_000, canary) };
}
