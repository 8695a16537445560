import type { Approval } from './approval.ts';
import { type Action, authorize } from './authorize.ts';
import { choicesOf, choose, isReasoned } from './choosing.ts';
import { type Decision, type Fact, refused, stayed, withFacts } from './decision.ts';
import { enter } from './door.ts';
import type { Choice, Event } from './event.ts';
import { bindingOf, clear, missingApprovals } from './gate.ts';
import { stageAt } from './plan.ts';
import { type Actor, principalKey } from './principal.ts';
import type { Refusal } from './refusal.ts';
import type { Artifact } from './release.ts';
import { ask, rollBack } from './retreat.ts';
import { isOver, type Rollout } from './rollout.ts';
import { touchedIn } from './step.ts';
import type { Trouble } from './trouble.ts';

type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

/** Why this person may not do this here; null: they may. Every click and command comes through `authorize`. */
function refusalFor(rollout: Rollout, actor: Actor, action: Action): Refusal | null {
  const change = { participants: rollout.participants, requester: principalKey(rollout.request.by) };
  const allowed = authorize(actor, action, change);
  return allowed.allowed ? null : allowed.refusal;
}

/** The button was drawn for a state that is gone: say who was first. */
export function tooLate(rollout: Rollout): Decision {
  const { lastAct } = rollout;
  return refused(rollout, {
    code: 'too-late',
    by: lastAct?.name ?? null,
    atMs: lastAct?.atMs ?? null,
    now: rollout.phase.is,
  });
}

function acted(rollout: Rollout, actor: Actor, atMs: number): Rollout {
  return { ...rollout, lastAct: { by: principalKey(actor.principal), name: actor.name, atMs } };
}

function decisionFact(
  event: { actor: Actor; atMs: number; because?: string | null },
  choice: Choice | 'rollback' | 'abort',
): Fact {
  return {
    fact: 'decision',
    by: principalKey(event.actor.principal),
    name: event.actor.name,
    choice,
    because: event.because ?? null,
    atMs: event.atMs,
  };
}

function approvalOf(rollout: Rollout, event: Of<'approved'> | Of<'rejected'>): Approval | null {
  if (rollout.phase.is !== 'gated') return null;
  const { at } = rollout.phase;
  return {
    by: principalKey(event.actor.principal),
    name: event.actor.name,
    githubId: event.actor.githubId,
    atMs: event.atMs,
    expiresAtMs: event.atMs + (stageAt(rollout.plan, at).approvals?.expireMs ?? 0),
    binding: bindingOf(rollout, at),
  };
}

export function approved(rollout: Rollout, event: Of<'approved'>): Decision {
  const refusal = refusalFor(rollout, event.actor, 'approve');
  if (refusal) return refused(rollout, refusal);
  const approval = approvalOf(rollout, event);
  if (rollout.phase.is !== 'gated' || !approval || event.generation !== rollout.generation) return tooLate(rollout);
  const { at } = rollout.phase;
  const already = rollout.approvals.find(
    (one) => one.by === approval.by && one.binding.stage === approval.binding.stage && one.expiresAtMs > event.atMs,
  );
  if (already) return refused(rollout, { code: 'already-approved', atMs: already.atMs });
  const next = acted({ ...rollout, approvals: [...rollout.approvals, approval] }, event.actor, event.atMs);
  const fact: Fact = { fact: 'approval', stage: approval.binding.stage, verdict: 'approved', approval, because: null };
  const isEnough = missingApprovals(next, at, event.atMs, null) === 0;
  return withFacts(isEnough ? clear(next, at, event.atMs) : stayed(next), [fact]);
}

/** A reject is final: it ends the rollout, and takes back whatever of this stage was touched. */
export function rejected(rollout: Rollout, event: Of<'rejected'>): Decision {
  const refusal = refusalFor(rollout, event.actor, 'reject');
  if (refusal) return refused(rollout, refusal);
  const approval = approvalOf(rollout, event);
  if (rollout.phase.is !== 'gated' || !approval || event.generation !== rollout.generation) return tooLate(rollout);
  if (event.because.trim() === '') return refused(rollout, { code: 'reason-missing' });
  const next = acted(rollout, event.actor, event.atMs);
  const trouble: Trouble = { code: 'rejected', by: event.actor.name, because: event.because };
  const fact: Fact = {
    fact: 'approval',
    stage: approval.binding.stage,
    verdict: 'rejected',
    approval,
    because: event.because,
  };
  return withFacts(stop(next, trouble, event.atMs), [fact]);
}

export function decided(rollout: Rollout, event: Of<'decided'>): Decision {
  const refusal = refusalFor(rollout, event.actor, 'decide');
  if (refusal) return refused(rollout, refusal);
  const { phase } = rollout;
  if (event.generation !== rollout.generation) return tooLate(rollout);
  const offered = choicesOf(phase);
  if (offered.length === 0) return tooLate(rollout);
  if (!offered.includes(event.choice)) {
    return refused(rollout, { code: 'choice-not-offered', choice: event.choice, offered });
  }
  if (isReasoned(event.choice) && (event.because ?? '').trim() === '') {
    return refused(rollout, { code: 'reason-missing' });
  }
  const next = acted(rollout, event.actor, event.atMs);
  return withFacts(choose(next, event.choice, event.actor.name, event.because, event.atMs), [
    decisionFact(event, event.choice),
  ]);
}

export function countdownStopped(rollout: Rollout, event: Of<'countdown-stopped'>): Decision {
  const refusal = refusalFor(rollout, event.actor, 'stop-countdown');
  if (refusal) return refused(rollout, refusal);
  const { phase } = rollout;
  if (phase.is !== 'deciding' || event.generation !== rollout.generation || phase.countdown === null) {
    return tooLate(rollout);
  }
  return stayed(acted({ ...rollout, phase: { ...phase, countdown: null } }, event.actor, event.atMs));
}

/** Valid in every state that is not over. Where nothing of the stage was touched there is nothing to take back. */
export function rollbackRequested(rollout: Rollout, event: Of<'rollback-requested'>): Decision {
  const refusal = refusalFor(rollout, event.actor, 'rollback');
  if (refusal) return refused(rollout, refusal);
  if (isOver(rollout)) return refused(rollout, { code: 'is-over', phase: rollout.phase.is });
  if (event.because.trim() === '') return refused(rollout, { code: 'reason-missing' });
  const { phase } = rollout;
  if (phase.is === 'rolling-back') {
    const isSame = event.to === null || phase.to.every((goal) => goal.artifact.digest === event.to?.digest);
    if (isSame) return tooLate(rollout);
  }
  const trouble: Trouble = { code: 'asked', by: event.actor.name, because: event.because };
  const next = acted(rollout, event.actor, event.atMs);
  return withFacts(stop(next, trouble, event.atMs, { rollback: true, to: event.to }), [
    decisionFact(event, 'rollback'),
  ]);
}

export function aborted(rollout: Rollout, event: Of<'aborted'>): Decision {
  const refusal = refusalFor(rollout, event.actor, 'abort');
  if (refusal) return refused(rollout, refusal);
  if (isOver(rollout)) return refused(rollout, { code: 'is-over', phase: rollout.phase.is });
  if (rollout.phase.is === 'rolling-back') return tooLate(rollout);
  if (event.because.trim() === '') return refused(rollout, { code: 'reason-missing' });
  const trouble: Trouble = { code: 'asked', by: event.actor.name, because: event.because };
  const next = acted(rollout, event.actor, event.atMs);
  return withFacts(stop(next, trouble, event.atMs), [decisionFact(event, 'abort')]);
}

/**
 * Ends the rollout: whatever of the current stage was touched is taken back first. A roll-forward-only release is taken
 * back by nothing less than a rollback that was asked for: otherwise on-call decides how it goes on.
 */
function stop(
  rollout: Rollout,
  trouble: Trouble,
  nowMs: number,
  asked: { rollback: true; to: Artifact | null } | null = null,
): Decision {
  const { phase } = rollout;
  if (!('at' in phase) || touchedIn(rollout, phase.at).length === 0) {
    return enter(rollout, { is: 'aborted', atMs: nowMs, trouble }, [], nowMs);
  }
  const judgement = 'judgement' in phase ? phase.judgement : null;
  if (rollout.release.isRollForwardOnly && !asked) return ask(rollout, phase.at, trouble, judgement, nowMs);
  return rollBack(rollout, phase.at, trouble, judgement, nowMs, asked?.to ?? null);
}
