import type { Signal } from '../../../src/core/judge/signal.ts';
import { artifactAt } from '../../../src/core/placing.ts';
import { stageAt, stepAt } from '../../../src/core/plan.ts';
import type { Truth } from '../health.ts';
import { type ChangeOfState, hasMoved, nameOf, passedIn } from './change-of-state.ts';
import { Violation } from './violation.ts';

/** How the world was before a step, by the name of the step: the key of the look. */
export type Befores = Map<string, string>;

/** Remembers which look was the one before a step, of this and of those that follow on the same targets. */
export function noteBefore({ before, after, universe }: ChangeOfState, befores: Befores): void {
  if (before.phase.is !== 'clearing' || after.phase.is !== 'deploying') return;
  const { at } = before.phase;
  const key = `${before.id}/${before.generation}/measure-before`;
  if (!universe.health.looks.has(key)) return;
  const { targets } = stepAt(before.plan, at);
  for (const [step, { targets: theirs }] of stageAt(before.plan, at).steps.entries()) {
    if (step >= at.step && theirs.some((one) => targets.includes(one)))
      befores.set(nameOf(before, { ...at, step }), key);
  }
}

/**
 * T9: a step passes only when everything critical was really there, finite, fresh, of the version that the step put there,
 * and good, at its last look; neighbours included. Held against what the world was, not against what was understood of it.
 */
export function checkEvidence(change: ChangeOfState, befores: Befores): void {
  const { before, after, universe } = change;
  const { phase } = before;
  if (!hasMoved(change) || phase.is !== 'baking' || !passedIn(change)) return;
  const name = nameOf(before, phase.at);
  const { signals } = stageAt(before.plan, phase.at);
  if (signals.length === 0) return;
  const broken = (detail: string) => new Violation('T9', `${name} passed, and ${detail}`);
  const truthsOf = (key: string): Truth[] => universe.health.looks.get(key) ?? [];
  const lookOf = (round: number) => truthsOf(`${before.id}/${before.generation}/measure#${round}`);
  const look = lookOf(phase.round);
  const digest = artifactAt(before, phase.at, stepAt(before.plan, phase.at).targets[0] ?? '')?.digest;
  let positive = 0;
  for (const signal of signals.filter(decides)) {
    const truths = look.filter((one) => one.signal === signal.name);
    const [truth] = truths;
    if (!truth || truths.length > 1) throw broken(`${signal.name} was asked ${truths.length} times at its last look`);
    if (!signal.neighbour && truth.digest !== digest) throw broken(`${signal.name} was measured on ${truth.digest}`);
    const ageMs = after.seenAtMs - truth.takenAtMs;
    if (!(ageMs <= signal.maxAgeMs)) throw broken(`${signal.name} was ${ageMs} ms old`);
    const wasBad = truthsOf(befores.get(name) ?? '').some((one) => one.signal === signal.name && one.is === 'bad');
    if (truth.is !== 'good' && !(truth.is === 'bad' && wasBad)) throw broken(`${signal.name} was ${truth.is}`);
    const recent = Array.from({ length: signal.of }, (_, back) => lookOf(phase.round - back));
    const bad = recent.flat().filter((one) => one.signal === signal.name && one.is === 'bad').length;
    if (bad >= signal.failures && !wasBad) throw broken(`${signal.name} was bad ${bad} of ${signal.of} times`);
    if (truth.is === 'good' && signal.kind !== 'requests') positive += 1;
  }
  if (positive === 0) throw broken('nothing good was seen');
}

function decides(signal: Signal): boolean {
  return signal.role === 'critical' || signal.kind === 'requests';
}
