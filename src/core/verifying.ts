import { beginChecks } from './checking.ts';
import { type Decision, type Fact, ignored, stayed, withFacts } from './decision.ts';
import { type Draft, enter, keyed } from './door.ts';
import type { Event } from './event.ts';
import { commonConfig, partialOf, seenOf, together } from './partial.ts';
import { artifactAt, wishOf } from './placing.ts';
import { type Position, stageAt } from './plan.ts';
import { giveUp } from './retreat.ts';
import type { Phase, Rollout } from './rollout.ts';
import { artifactOf, OBSERVE_EVERY_MS, targetsAt } from './step.ts';
import type { Trouble } from './trouble.ts';

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

export function deployed(rollout: Rollout, phase: In<'deploying'>, event: Of<'deployed'>): Decision {
  const waitingFor = phase.waitingFor.filter((target) => target !== event.target);
  const next: Rollout = { ...rollout, stumble: null, phase: { ...phase, waitingFor } };
  return waitingFor.length > 0 ? stayed(next) : verify(next, phase.at, phase.before, event.atMs);
}

/** Every instance of the step's targets is read back until all is as wished, or the deadline comes. */
export function verify(rollout: Rollout, at: Position, before: In<'verifying'>['before'], nowMs: number): Decision {
  const targets = targetsAt(rollout, at);
  const drafts: Draft[] = targets.map((target) => ({ kind: 'observe', target, round: 0 }));
  const afterMs = stageAt(rollout.plan, at).verifyDeadlineMs;
  drafts.push({ kind: 'wake', timer: 'verify-deadline', afterMs });
  const verifying: Phase = { is: 'verifying', sinceMs: nowMs, at, waitingFor: targets, problems: {}, before };
  return enter(rollout, verifying, drafts, nowMs);
}

export function observedWhileVerifying(rollout: Rollout, phase: In<'verifying'>, event: Of<'observed'>): Decision {
  const { observation, atMs } = event;
  const { target } = observation;
  if (!phase.waitingFor.includes(target)) return ignored(rollout, 'verified already');
  const wish = wishOf(rollout, phase.at, target);
  const problem = wish && partialOf(observation, wish);
  const seen = { ...rollout.seen, [target]: seenOf(observation, atMs) };
  if (!wish || problem) {
    const problems = problem ? { ...phase.problems, [target]: problem } : phase.problems;
    const next: Rollout = { ...rollout, stumble: null, seen, phase: { ...phase, problems } };
    const again: Draft = { kind: 'observe', target, round: event.round + 1, afterMs: OBSERVE_EVERY_MS };
    return stayed(next, [keyed(next, again)]);
  }
  const waitingFor = phase.waitingFor.filter((one) => one !== target);
  const { [target]: _solved, ...problems } = phase.problems;
  const next: Rollout = { ...rollout, stumble: null, seen, phase: { ...phase, waitingFor, problems } };
  const decision = waitingFor.length > 0 ? stayed(next) : beginChecks(next, phase.at, phase.before, atMs);
  const stage = stageAt(rollout.plan, phase.at);
  if (wish.share < 1 || stage.isEphemeral) return decision;
  const placed: Fact = {
    fact: 'placed',
    stage: stage.name,
    target,
    artifact: artifactAt(rollout, phase.at, target) ?? artifactOf(rollout),
    config: commonConfig(observation, wish.digest),
    without: [...wish.without],
    atMs,
  };
  return withFacts(decision, [placed]);
}

/** The deadline of reading back: every instance that is not as wished is named, on all targets at once. */
export function verifyOverdue(rollout: Rollout, phase: In<'verifying'>, nowMs: number): Decision {
  const detail = rollout.stumble?.detail ?? '';
  const troubles = phase.waitingFor.map(
    (target): Trouble => phase.problems[target] ?? { code: 'unreachable', target, detail },
  );
  const trouble = together(troubles) ?? { code: 'unreachable', target: '', detail };
  return giveUp(rollout, phase.at, withVerified(rollout, phase, trouble), null, nowMs);
}

/** Where it was read back as wished it runs: a step that came up on some of its targets is partial, not one that failed. */
function withVerified(rollout: Rollout, phase: In<'verifying'>, trouble: Trouble): Trouble {
  if (trouble.code !== 'partial') return trouble;
  const verified = targetsAt(rollout, phase.at).filter((target) => !phase.waitingFor.includes(target));
  const running = verified.reduce((sum, target) => sum + runningOn(rollout, phase.at, target), 0);
  return { ...trouble, expected: trouble.expected + running, running: trouble.running + running };
}

function runningOn(rollout: Rollout, at: Position, target: string): number {
  const digest = artifactAt(rollout, at, target)?.digest;
  return (rollout.seen[target]?.groups ?? [])
    .filter((one) => one.digest === digest && one.role !== 'baseline')
    .reduce((sum, one) => sum + one.healthy, 0);
}
