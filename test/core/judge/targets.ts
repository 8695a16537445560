import { signalSpec } from '../../../src/config/service.ts';
import { signal as signalSchema } from '../../../src/config/signal-schema.ts';
import { usualComparison } from '../../../src/core/judge/comparison.ts';
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
      comparison: usualComparison(changes.role ?? 'scored'),
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

/** A bake: so many signals, one more point and so many more requests a look, and what one of each kind gets worse by. */
const BAKE = { looks: 60, compares: 10, rates: 10, requests: 167, patience: 20 };
export type Harm = { shift?: number; failing?: number };

/** Where a bake ended: at which look, and how. `held`: it was still not healthy long after it should have been. */
export type Ended = { is: 'passed' | 'held'; look: number } | { is: 'degraded'; look: number; signals: string[] };

/**
 * A whole bake, judged at each look from the first on, with everything as a service file that says nothing but the kind and
 * the role gets it: half of the signals are compared by points of every shape, half by failures out of requests.
 */
export function bake(random: Random, role: Signal['role'], harm: Harm = {}): Ended {
  const shapes = [SHAPES.steady as Shape, ...EVERY_SHAPE];
  const compares = Array.from({ length: BAKE.compares }, (_, index) => {
    const shape = shapes[index % shapes.length] as Shape;
    const level = index === 0 ? (harm.shift ?? 1) : 1;
    return { signal: usual(`points-${index}`, 'compare', role), shape, level, baseline: [0], canary: [0] };
  });
  const rates = Array.from({ length: BAKE.rates }, (_, index) => {
    const failing = index === 0 ? (harm.failing ?? 0.001) : 0.001;
    const none = { failed: 0, total: 0 };
    return { signal: usual(`rate-${index}`, 'rate', role), failing, baseline: none, canary: none };
  });
  for (const one of compares) [one.baseline, one.canary] = [[], []];
  const all = [...compares, ...rates];
  let memory = emptyMemory();
  for (let look = 1; look <= BAKE.looks + BAKE.patience; look += 1) {
    for (const one of compares) {
      one.baseline.push(one.shape(random, 1));
      one.canary.push(one.shape(random, one.level));
    }
    for (const one of rates) {
      one.baseline = added(one.baseline, failures(random, BAKE.requests, 0.001));
      one.canary = added(one.canary, failures(random, BAKE.requests, one.failing));
    }
    const answers = (side: keyof Sides) => all.map((one) => answer(one.signal.name, one[side]));
    const isUnderWay = look < BAKE.looks;
    const signals = all.map((one) => one.signal);
    const looked = judge(signals, memory, answers('canary'), NOW, answers('baseline'), { isUnderWay });
    memory = looked.memory;
    const worse = looked.judgement.signals.filter((one) => one.verdict === 'degraded').map((one) => one.signal);
    if (worse.length > 0) return { is: 'degraded', look, signals: worse };
    if (!isUnderWay && looked.judgement.verdict === 'healthy') return { is: 'passed', look };
  }
  return { is: 'held', look: BAKE.looks + BAKE.patience };
}

function usual(name: string, kind: 'compare' | 'rate', role: Signal['role']): Signal {
  return signalSpec(signalSchema.parse({ name, kind, role, source: 'metrics' }), [], null);
}

function added(one: Rate, other: Rate): Rate {
  return { failed: one.failed + other.failed, total: one.total + other.total };
}

/** The share of whole bakes in which any of the signals is called worse though nothing differs. */
export function falseAlarmsOfBakes(random: Random, bakes: number, role: Signal['role']): number {
  return share(bakes, () => bake(random, role).is === 'degraded');
}

/** How often a harm is found in the course of a bake, and the looks that it took. */
export function harmFound(random: Random, bakes: number, role: Signal['role'], harm: Harm) {
  const looks: number[] = [];
  const found = share(bakes, () => {
    const ended = bake(random, role, harm);
    if (ended.is === 'degraded') looks.push(ended.look);
    return ended.is === 'degraded';
  });
  return { found, looks: looks.sort((a, b) => a - b)[looks.length >> 1] ?? null };
}

/** The share of bakes in which a rate of so few requests a look is called worse though it is the same on both sides. */
export function tinyFalseAlarms(random: Random, bakes: number, failing: number, requests: number): number {
  const one = usual('rate', 'rate', 'critical');
  return share(bakes, () => {
    let memory = emptyMemory();
    let [baseline, canary]: Rate[] = [failures(random, 10 * requests, failing), failures(random, requests, failing)];
    for (let look = 1; look <= BAKE.looks; look += 1) {
      const isUnderWay = look < BAKE.looks;
      const answers = [canary, baseline].map((side) => [answer('rate', side as Rate)]) as [
        Measurement[],
        Measurement[],
      ];
      const looked = judge([one], memory, answers[0], NOW, answers[1], { isUnderWay });
      if (isAlarmed(looked.judgement)) return true;
      memory = looked.memory;
      baseline = added(baseline as Rate, failures(random, 10 * requests, failing));
      canary = added(canary as Rate, failures(random, requests, failing));
    }
    return false;
  });
}
