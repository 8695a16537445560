import { type Decision, type Fact, withFacts } from './decision.ts';
import { type Draft, enter } from './door.ts';
import type { Choice } from './event.ts';
import { pass } from './forward.ts';
import type { Judgement } from './judge/verdict.ts';
import { type Position, stageAt, stepAt } from './plan.ts';
import type { Artifact } from './release.ts';
import type { Phase, Rollout } from './rollout.ts';
import { canRollBack, recordStep, touchedIn } from './step.ts';
import type { Trouble } from './trouble.ts';

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;

/** A trouble that says nothing against the release: it could not be told, or not be measured. */
function isMissingEvidence(trouble: Trouble): boolean {
  return trouble.code === 'inconclusive' || trouble.code === 'unmeasurable';
}

/** Does it show that the release cannot be gone down from? What could not be told, or is about its commit, does not. */
function showsNoWayDown(trouble: Trouble): boolean {
  switch (trouble.code) {
    case 'deploy-failed':
    case 'deploy-timed-out':
    case 'check-failed':
    case 'degraded':
      return true;
    case 'partial':
      return trouble.instances.length === 0 || trouble.instances.some((one) => one.is !== 'unreadable');
    default:
      return false;
  }
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
  if (stepAt(rollout.plan, at).deploys === 'before' && showsNoWayDown(trouble)) {
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
  else if (trouble.code === 'short-of-capacity') forward.push('begin-anyway');
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
  // Missing evidence, too little capacity and instances that are named stay as they are until somebody has looked.
  const isForPeople = isMissingEvidence(trouble) || trouble.code === 'partial' || trouble.code === 'short-of-capacity';
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
