import { bake } from './baking.ts';
import type { CheckSpec } from './check.ts';
import { type Decision, ignored, stayed } from './decision.ts';
import { type Draft, enter, keyed } from './door.ts';
import type { CheckResult, Event } from './event.ts';
import { type Position, stageAt } from './plan.ts';
import { giveUp } from './retreat.ts';
import type { CheckOutcome, Phase, Rollout } from './rollout.ts';
import { targetsAt } from './step.ts';

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;
type Try = In<'checking'>['running'][number];

/** Whatever runs a try ends it at its deadline, and has this long to say what came of it. After that it has failed anyhow. */
const ANSWER_MS = 15_000;

/** All checks of the stage on every target of the step, side by side; without any, the bake begins at once. */
export function beginChecks(rollout: Rollout, at: Position, before: In<'checking'>['before'], nowMs: number): Decision {
  const { checks } = stageAt(rollout.plan, at);
  const targets = targetsAt(rollout, at);
  if (checks.length === 0) return bake(rollout, at, before, nowMs);
  const running = checks.flatMap(({ name }) => targets.map((target): Try => ({ check: name, target, tryNumber: 1 })));
  const phase: Phase = { is: 'checking', sinceMs: nowMs, at, running, outcomes: [], before };
  const drafts = running.flatMap((one) => draftsOf(checks, one));
  return enter(rollout, phase, drafts, nowMs);
}

/** One try, and the time after which it has failed. */
function draftsOf(checks: CheckSpec[], { check: name, target, tryNumber }: Try): Draft[] {
  const check = checks.find((one) => one.name === name);
  if (!check) return [];
  return [
    { kind: 'check', check, target, tryNumber },
    { kind: 'wake', timer: timerOf({ check: name, target, tryNumber }), afterMs: check.deadlineMs + ANSWER_MS },
  ];
}

function timerOf({ check, target, tryNumber }: Try): string {
  return `check-deadline/${check}@${target}#${tryNumber}`;
}

export function checked(rollout: Rollout, phase: In<'checking'>, event: Of<'checked'>): Decision {
  const one = phase.running.find(
    (other) => other.check === event.check && other.target === event.target && other.tryNumber === event.tryNumber,
  );
  return one ? tried(rollout, phase, one, event.result, event.atMs) : ignored(rollout, 'a try that is over');
}

export function checkOverdue(rollout: Rollout, phase: In<'checking'>, timer: string, nowMs: number): Decision {
  const one = phase.running.find((other) => timerOf(other) === timer);
  if (!one) return ignored(rollout, 'a try that is over');
  const late: CheckResult = { is: 'failed', detail: 'it did not end in its time', measures: [], url: null };
  return tried(rollout, phase, one, late, nowMs);
}

/** A failed try is repeated while its budget lasts; a pass after that is a flaky one, and said to be. */
function tried(rollout: Rollout, phase: In<'checking'>, one: Try, result: CheckResult, nowMs: number): Decision {
  const { checks } = stageAt(rollout.plan, phase.at);
  const { check, target, tryNumber } = one;
  const others = phase.running.filter((other) => other !== one);
  const retries = checks.find((spec) => spec.name === check)?.retries ?? 0;
  if (result.is === 'failed' && tryNumber <= retries) {
    const again: Try = { check, target, tryNumber: tryNumber + 1 };
    const next: Rollout = { ...rollout, stumble: null, phase: { ...phase, running: [...others, again] } };
    return stayed(
      next,
      draftsOf(checks, again).map((draft) => keyed(next, draft)),
    );
  }
  const isFlaky = result.is === 'passed' && tryNumber > 1;
  const outcome: CheckOutcome = { check, target, isFlaky, tries: tryNumber, ...result };
  const outcomes = [...phase.outcomes, outcome];
  const next: Rollout = {
    ...rollout,
    stumble: null,
    checks: outcomes,
    phase: { ...phase, running: others, outcomes },
  };
  if (result.is === 'failed') {
    const { detail, url } = result;
    return giveUp(next, phase.at, { code: 'check-failed', check, target, detail, url }, null, nowMs);
  }
  return others.length > 0 ? stayed(next) : bake(next, phase.at, phase.before, nowMs);
}
