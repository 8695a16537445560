import { type Decision, type Fact, ignored, stayed, withFacts } from './decision.ts';
import { type Draft, enter, keyed } from './door.ts';
import type { Choice, Event } from './event.ts';
import { pass } from './forward.ts';
import type { Judgement } from './judge/verdict.ts';
import { commonConfig, leftOut, partialOf, seenOf, wholly } from './partial.ts';
import { type Position, stageAt, stepAt } from './plan.ts';
import type { Artifact } from './release.ts';
import type { Phase, Rollout } from './rollout.ts';
import { canRollBack, OBSERVE_EVERY_MS, recordStep, touchedIn } from './step.ts';
import type { Observation } from './target.ts';
import type { Trouble } from './trouble.ts';

/** A provider that refused a rollback for good is asked anew after this long: a rollback never gives up. */
export const ROLL_BACK_AGAIN_MS = 5000;

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

/** A trouble that says nothing against the release: it could not be told, or not be measured. */
function isMissingEvidence(trouble: Trouble): boolean {
  return trouble.code === 'inconclusive' || trouble.code === 'unmeasurable';
}

/** Is it taken back at once? A partial rollout never is while some of it runs: whoever is asked sees the instances by name. */
function isTakenBack(rollout: Rollout, at: Position, trouble: Trouble): boolean {
  const stage = stageAt(rollout.plan, at);
  const step = stepAt(rollout.plan, at);
  switch (trouble.code) {
    case 'inconclusive':
      return stage.onInconclusive === 'rollback';
    case 'unmeasurable':
      return stage.onError === 'rollback';
    case 'partial':
      if (trouble.running > 0) return false;
      break;
    default:
      break;
  }
  return step.onDegraded === 'rollback' || step.kind === 'canary' || stage.isolation === 'partial';
}

/** The step did not work: take it back at once, or ask, as the policy says. */
export function giveUp(
  rollout: Rollout,
  at: Position,
  trouble: Trouble,
  judgement: Judgement | null,
  nowMs: number,
): Decision {
  const stage = stageAt(rollout.plan, at);
  // That it cannot be gone down from is what the step was to find out: the release goes on, and is never rolled back.
  if (stepAt(rollout.plan, at).deploys === 'before' && !isMissingEvidence(trouble)) {
    return onlyForward(rollout, at, trouble, nowMs);
  }
  if (stage.isEphemeral && !isMissingEvidence(trouble)) {
    // Nothing that stays was touched: the release ends here, and what was made for it is removed.
    return enter(recordStep(rollout, at, nowMs, endedBy(trouble)), { is: 'failed', atMs: nowMs, trouble }, [], nowMs);
  }
  const isBack = isTakenBack(rollout, at, trouble) && canRollBack(rollout, at) && !rollout.release.isRollForwardOnly;
  return isBack ? rollBack(rollout, at, trouble, judgement, nowMs, null) : ask(rollout, at, trouble, judgement, nowMs);
}

function onlyForward(rollout: Rollout, at: Position, because: Trouble, nowMs: number): Decision {
  const marked: Rollout = { ...rollout, release: { ...rollout.release, isRollForwardOnly: true } };
  const fact: Fact = { fact: 'roll-forward-only', because, atMs: nowMs };
  return withFacts(pass(marked, at, nowMs, 'failed'), [fact]);
}

/** What on-call may choose now, in the order of the buttons. Who cannot go back is offered the ways forward first. */
function choicesFor(rollout: Rollout, at: Position, trouble: Trouble): Choice[] {
  const isNamed = trouble.code === 'partial' && trouble.instances.length > 0;
  const forward: Choice[] = [];
  if (isNamed) forward.push('go-on-without');
  else if (['degraded', 'inconclusive', 'unmeasurable', 'partial', 'check-failed'].includes(trouble.code)) {
    forward.push('continue');
  }
  if (rollout.release.isRollForwardOnly) return ['hold', ...forward, 'retry'];
  return ['retry', ...(canRollBack(rollout, at) ? (['roll-back'] as const) : []), ...forward, 'hold'];
}

export function ask(
  rollout: Rollout,
  at: Position,
  trouble: Trouble,
  judgement: Judgement | null,
  nowMs: number,
): Decision {
  const stage = stageAt(rollout.plan, at);
  const choices = choicesFor(rollout, at, trouble);
  const { decideWithinMs, defaultDecision } = stage;
  // Missing evidence and instances that are named stay as they are until somebody has looked.
  const isForPeople = isMissingEvidence(trouble) || trouble.code === 'partial';
  const hasDefault = defaultDecision !== null && choices.includes(defaultDecision) && !isForPeople;
  const countdown =
    hasDefault && decideWithinMs !== null ? { choice: defaultDecision, atMs: nowMs + decideWithinMs } : null;
  const drafts: Draft[] =
    countdown && decideWithinMs !== null ? [{ kind: 'wake', timer: 'countdown', afterMs: decideWithinMs }] : [];
  const phase: Phase = { is: 'deciding', sinceMs: nowMs, at, trouble, judgement, choices, countdown };
  return enter(rollout, phase, drafts, nowMs);
}

/**
 * Takes back every target of the stage that was touched, newest first, to `to` or to what ran before. Nothing may
 * stand in its way: no lock, no approval, no look-up is asked here.
 */
export function rollBack(
  rollout: Rollout,
  at: Position,
  trouble: Trouble,
  judgement: Judgement | null,
  nowMs: number,
  to: Artifact | null,
): Decision {
  const goals: { target: string; artifact: Artifact }[] = [];
  for (const target of touchedIn(rollout, at)) {
    const artifact = to ?? rollout.before[target];
    if (!artifact) return ask(rollout, at, { code: 'nothing-to-roll-back-to', target }, judgement, nowMs);
    goals.push({ target, artifact });
  }
  const stage = stageAt(rollout.plan, at);
  const drafts: Draft[] = goals.map((goal) => ({ kind: 'roll-back', ...goal, strategy: stage.strategy, round: 0 }));
  const patienceMs = stage.deployDeadlineMs + stage.verifyDeadlineMs;
  drafts.push({ kind: 'wake', timer: 'roll-back-deadline#0', afterMs: patienceMs });
  const phase: In<'rolling-back'> = {
    is: 'rolling-back',
    sinceMs: nowMs,
    at,
    trouble,
    to: goals,
    waitingFor: goals.map((goal) => goal.target),
    verifying: [],
    round: 0,
    judgement,
  };
  const recorded = rollout.kind === 'release' ? recordStep(rollout, at, nowMs, endedBy(trouble)) : rollout;
  return enter(recorded, phase, drafts, nowMs);
}

function endedBy(trouble: Trouble): 'degraded' | 'failed' {
  return trouble.code === 'degraded' ? 'degraded' : 'failed';
}

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
