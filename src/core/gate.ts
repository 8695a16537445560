import { type Binding, countingApprovals } from './approval.ts';
import { type Decision, stayed } from './decision.ts';
import { type Draft, enter } from './door.ts';
import type { Event } from './event.ts';
import { type Position, stageAt, stepAt } from './plan.ts';
import { principalKey } from './principal.ts';
import { giveUp } from './retreat.ts';
import type { Phase, Rollout, Trouble } from './rollout.ts';
import { artifactOf, touchedIn } from './step.ts';

/** Membership may be this old when an effect on a protected stage is issued. */
export const CLEARANCE_LASTS_MS = 60_000;

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

/** Exactly what an approval of this stage covers. */
export function bindingOf(rollout: Rollout, at: Position): Binding {
  return {
    service: rollout.service,
    stage: stageAt(rollout.plan, at).name,
    digest: artifactOf(rollout).digest,
    planHash: rollout.plan.hash,
    policyHash: rollout.plan.policyHash,
  };
}

/** How many approvals are still missing for this step; `eligible` null: as far as is known without asking again. */
export function missingApprovals(rollout: Rollout, at: Position, nowMs: number, eligible: string[] | null): number {
  const stage = stageAt(rollout.plan, at);
  if (!stage.isProtected) return 0;
  // A protected stage without a rule would be open to everybody: it is closed to everybody.
  if (!stage.approvals || stage.approvals.required < 1) return Number.POSITIVE_INFINITY;
  const counting = countingApprovals(
    rollout.approvals,
    bindingOf(rollout, at),
    rollout.participants,
    principalKey(rollout.request.by),
    nowMs,
    eligible,
  );
  return Math.max(0, stage.approvals.required - counting.length);
}

/** Before each step: enough approvals known, then the facts are read again; otherwise people are asked. */
export function beginStep(rollout: Rollout, at: Position, nowMs: number): Decision {
  const next: Rollout = { ...rollout, stepStartedAtMs: nowMs };
  return missingApprovals(next, at, nowMs, null) > 0 ? askForApproval(next, at, nowMs, 0) : clear(next, at, nowMs);
}

function askForApproval(rollout: Rollout, at: Position, nowMs: number, voided: number): Decision {
  const expireMs = stageAt(rollout.plan, at).approvals?.expireMs ?? 0;
  return enter(
    rollout,
    { is: 'gated', sinceMs: nowMs, at, voided },
    [{ kind: 'wake', timer: 'gate-expiry', afterMs: expireMs }],
    nowMs,
  );
}

/** Reads again, at effect time, what must hold: ancestry, who is still eligible, and how the signals are before the step. */
export function clear(rollout: Rollout, at: Position, nowMs: number): Decision {
  const stage = stageAt(rollout.plan, at);
  const step = stepAt(rollout.plan, at);
  const binding = bindingOf(rollout, at);
  const approvers = rollout.approvals.filter((one) => one.binding.stage === binding.stage).map((one) => one.by);
  const drafts: Draft[] = [
    {
      kind: 'clear',
      repo: rollout.spec.repo,
      branch: rollout.spec.branch,
      baseSha: rollout.desiredSha,
      headSha: rollout.release.sha,
      approvers: stage.isProtected ? [...new Set(approvers)] : [],
    },
  ];
  const before = rollout.before[step.targets[0] ?? ''] ?? null;
  const asksBefore = stage.signals.length > 0 && before !== null;
  if (asksBefore) {
    const signals = stage.signals.filter((signal) => signal.kind === 'threshold');
    drafts.push({
      kind: 'measure-before',
      targets: step.targets,
      signals,
      now: artifactOf(rollout),
      before,
      sinceMs: nowMs,
      lastGood: null,
    });
  }
  const phase: In<'clearing'> = {
    is: 'clearing',
    sinceMs: nowMs,
    at,
    clearance: null,
    before: asksBefore ? null : [],
  };
  return enter(rollout, phase, drafts, nowMs);
}

export function cleared(rollout: Rollout, phase: In<'clearing'>, event: Of<'cleared'>): Decision {
  const isForward = event.ancestry === 'ahead' || event.ancestry === 'identical';
  if (!event.defaultBranchHasHead || !isForward) {
    const trouble: Trouble = event.defaultBranchHasHead
      ? { code: 'not-a-descendant', ancestry: event.ancestry, baseSha: rollout.desiredSha ?? '' }
      : { code: 'not-on-default-branch' };
    return touchedIn(rollout, phase.at).length > 0
      ? giveUp(rollout, phase.at, trouble, null, event.atMs)
      : enter(rollout, { is: 'failed', atMs: event.atMs, trouble }, [], event.atMs);
  }
  const clearance = { eligible: event.eligible, atMs: event.atMs };
  return deployIfReady({ ...rollout, stumble: null }, { ...phase, clearance }, event.atMs);
}

export function measuredBefore(rollout: Rollout, phase: In<'clearing'>, event: Of<'measured-before'>): Decision {
  return deployIfReady(rollout, { ...phase, before: event.measurements }, event.atMs);
}

/** The transaction that writes the deploy's intent is this one: it counts the approvals itself. */
function deployIfReady(rollout: Rollout, phase: In<'clearing'>, nowMs: number): Decision {
  const { clearance, before, at } = phase;
  if (!clearance || !before) return stayed({ ...rollout, phase });
  const age = nowMs - clearance.atMs;
  if (!(age >= 0 && age <= CLEARANCE_LASTS_MS)) return clear(rollout, at, nowMs);
  const missing = missingApprovals(rollout, at, nowMs, clearance.eligible);
  if (missing > 0) {
    const { eligible } = clearance;
    const kept = rollout.approvals.filter((one) => one.expiresAtMs > nowMs && eligible.includes(one.by));
    const voided = rollout.approvals.length - kept.length;
    return askForApproval({ ...rollout, approvals: kept }, at, nowMs, voided);
  }
  const stage = stageAt(rollout.plan, at);
  const step = stepAt(rollout.plan, at);
  const drafts: Draft[] = step.targets.map((target) => ({
    kind: 'deploy',
    target,
    artifact: artifactOf(rollout),
    share: step.share,
    instances: null,
    strategy: stage.strategy,
    isCanary: step.kind === 'canary',
    baseline: null,
  }));
  drafts.push({ kind: 'wake', timer: 'deploy-deadline', afterMs: stage.deployDeadlineMs });
  const touched = [...new Set([...rollout.touched, ...step.targets])];
  const deploying: Phase = { is: 'deploying', sinceMs: nowMs, at, waitingFor: step.targets, before };
  return enter({ ...rollout, touched }, deploying, drafts, nowMs);
}
