import { type Decision, type Fact, ignored, stayed, withFacts } from './decision.ts';
import { type Draft, enter, keyed } from './door.ts';
import type { Event } from './event.ts';
import { commonConfig, leftOut, partialOf, seenOf, wholly } from './partial.ts';
import { stageAt } from './plan.ts';
import type { Phase, Rollout } from './rollout.ts';
import { OBSERVE_EVERY_MS } from './step.ts';
import type { Observation } from './target.ts';
import type { Trouble } from './trouble.ts';

/** A provider that refused a rollback for good is asked anew after this long: a rollback never gives up. */
export const ROLL_BACK_AGAIN_MS = 5000;

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

export function rolledBack(rollout: Rollout, phase: In<'rolling-back'>, event: Of<'rolled-back'>): Decision {
  if (!phase.waitingFor.includes(event.target)) return ignored(rollout, 'rolled back already');
  const next: Rollout = {
    ...rollout,
    stumble: null,
    phase: {
      ...phase,
      waitingFor: phase.waitingFor.filter((target) => target !== event.target),
      verifying: [...phase.verifying, event.target],
    },
  };
  return stayed(next, [keyed(next, { kind: 'observe', target: event.target, round: 0 })]);
}

export function rollBackFailed(rollout: Rollout, phase: In<'rolling-back'>, event: Of<'roll-back-failed'>): Decision {
  const goal = phase.to.find((one) => one.target === event.target);
  if (!goal || !phase.waitingFor.includes(event.target)) return ignored(rollout, 'not waiting for this target');
  const round = phase.round + 1;
  const { strategy } = stageAt(rollout.plan, phase.at);
  const stumble = {
    effect: 'roll-back',
    detail: event.detail,
    attempts: round,
    sinceMs: rollout.stumble?.sinceMs ?? event.atMs,
  };
  const next: Rollout = { ...rollout, stumble, phase: { ...phase, round } };
  const again: Draft = { kind: 'roll-back', ...goal, strategy, round, afterMs: ROLL_BACK_AGAIN_MS };
  const drafts: Draft[] =
    round === 1 ? [again, { kind: 'page', who: rollout.spec.onCall, phase: next.phase, round }] : [again];
  return stayed(
    next,
    drafts.map((draft) => keyed(next, draft)),
  );
}

/** A rollback is done when every instance of every touched target runs what it should, read back. */
export function observedWhileRollingBack(rollout: Rollout, phase: In<'rolling-back'>, event: Of<'observed'>): Decision {
  const { target } = event.observation;
  const goal = phase.to.find((one) => one.target === target);
  if (!goal || !phase.verifying.includes(target)) return ignored(rollout, 'not verifying this target');
  const { observation } = event;
  const seen = { ...rollout.seen, [target]: seenOf(observation, event.atMs) };
  // An instance that a person decided to go on without holds a rollback up only while it can be read.
  const unreadable = observation.instances.filter((one) => one.digest === null).map((one) => one.id);
  const without = leftOut(rollout, target).filter((id) => unreadable.includes(id));
  if (partialOf(observation, wholly(goal.artifact.digest, without))) {
    const again: Draft = { kind: 'observe', target, round: event.round + 1, afterMs: OBSERVE_EVERY_MS };
    const waiting: Rollout = { ...rollout, seen };
    return stayed(waiting, [keyed(waiting, again)]);
  }
  const verifying = phase.verifying.filter((one) => one !== target);
  const next: Rollout = { ...rollout, stumble: null, seen, phase: { ...phase, verifying } };
  const placed: Fact = {
    fact: 'placed',
    stage: stageAt(rollout.plan, phase.at).name,
    target,
    artifact: goal.artifact,
    config: configAfter(phase.trouble, observation, goal.artifact.digest),
    without,
    atMs: event.atMs,
  };
  if (verifying.length > 0 || phase.waitingFor.length > 0) return withFacts(stayed(next), [placed]);
  const { trouble, judgement, to } = phase;
  const end: Phase = { is: 'rolled-back', atMs: event.atMs, trouble, judgement, to };
  const facts: Fact[] = [placed];
  // A version that was adopted as it ran has no commit that Belay knows: what is desired stays as it was. So it does when
  // one target is only put back on what is recorded.
  if (goal.artifact.sha !== '' && trouble.code !== 'drifted')
    facts.push({ fact: 'desired', artifact: goal.artifact, atMs: event.atMs });
  return withFacts(enter(next, end, [], event.atMs), facts);
}

/** Putting back what is recorded does not change what is: a configuration that came out otherwise is still another one. */
function configAfter(trouble: Trouble, observation: Observation, digest: string): string | null {
  const recorded = trouble.code === 'drifted' ? trouble.config : null;
  return recorded ?? commonConfig(observation, digest);
}

/**
 * Too long without an end: the person on call is asked again, and it goes on trying. A target that was taken back and
 * does not run what it should is taken back anew: something else changed it meanwhile.
 */
export function rollBackOverdue(rollout: Rollout, phase: In<'rolling-back'>): Decision {
  const stage = stageAt(rollout.plan, phase.at);
  const round = phase.round + 1;
  const again = phase.to.filter((goal) => phase.verifying.includes(goal.target));
  const waitingFor = [...phase.waitingFor, ...again.map((goal) => goal.target)];
  const next: Rollout = { ...rollout, phase: { ...phase, round, waitingFor, verifying: [] } };
  const drafts: Draft[] = [
    ...again.map((goal): Draft => ({ kind: 'roll-back', ...goal, strategy: stage.strategy, round })),
    { kind: 'page', who: rollout.spec.onCall, phase, round },
    { kind: 'wake', timer: `roll-back-deadline#${round}`, afterMs: stage.deployDeadlineMs + stage.verifyDeadlineMs },
  ];
  return stayed(
    next,
    drafts.map((draft) => keyed(next, draft)),
  );
}
