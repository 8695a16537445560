import { type Binding, countingApprovals } from './approval.ts';
import { CAPACITY_AGAIN_MS, shortageOf } from './capacity.ts';
import { type Decision, ignored, stayed } from './decision.ts';
import { type Draft, enter } from './door.ts';
import type { Event } from './event.ts';
import { pass } from './forward.ts';
import { artifactAt, placingOf } from './placing.ts';
import { type Position, stageAt, stepAt } from './plan.ts';
import { principalKey } from './principal.ts';
import { giveUp } from './retreat.ts';
import type { Phase, Rollout } from './rollout.ts';
import { artifactOf, signalsAt, touchedIn } from './step.ts';
import type { Trouble } from './trouble.ts';

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
  const next: Rollout = { ...rollout, stepStartedAtMs: nowMs, checks: [], watchedFromMs: null };
  const { targets } = stepAt(rollout.plan, at);
  // A downgrade is tried where something is known to go down to.
  if (!targets.every((target) => artifactAt(next, at, target))) return pass(next, at, nowMs, 'passed');
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

/** What is kept while the same step is looked at again and again for capacity. */
type Short = Pick<In<'clearing'>, 'shortSinceMs' | 'round'> & { afterMs: number };
const NOT_SHORT: Short = { shortSinceMs: null, round: 0, afterMs: 0 };

/**
 * Reads again, at effect time, what must hold: ancestry, who is still eligible, how the signals are before the step, and
 * whether enough would serve while it runs.
 */
export function clear(rollout: Rollout, at: Position, nowMs: number, short: Short = NOT_SHORT): Decision {
  const stage = stageAt(rollout.plan, at);
  const step = stepAt(rollout.plan, at);
  const binding = bindingOf(rollout, at);
  const approvers = rollout.approvals.filter((one) => one.binding.stage === binding.stage).map((one) => one.by);
  const { afterMs } = short;
  const drafts: Draft[] = [
    {
      kind: 'clear',
      repo: rollout.spec.repo,
      branch: rollout.spec.branch,
      baseSha: rollout.desiredSha,
      headSha: rollout.release.sha,
      approvers: stage.isProtected ? [...new Set(approvers)] : [],
      afterMs,
    },
  ];
  const before = rollout.before[step.targets[0] ?? ''] ?? null;
  const signals = signalsAt(rollout, at).filter((signal) => signal.kind === 'threshold' || signal.kind === 'alert');
  const asksBefore = signals.length > 0 && before !== null;
  if (asksBefore) {
    const without = rollout.without.map((one) => one.id);
    const now = artifactOf(rollout);
    const look = { targets: step.targets, signals, now, before, sinceMs: nowMs, lastGood: null, without };
    drafts.push({ kind: 'measure-before', ...look, afterMs });
  }
  // What was made for this release alone bears nobody's load, and is empty before its first step.
  const asksCapacity = (rollout.spec.traffic?.perInstance ?? null) !== null && !stage.isEphemeral;
  const waitingFor = asksCapacity ? step.targets : [];
  for (const target of waitingFor) {
    const { share, strategy } = placingOf(rollout, at, target);
    drafts.push({ kind: 'read-capacity', target, share, strategy, round: short.round, afterMs });
  }
  if (asksCapacity) {
    const elapsedMs = short.shortSinceMs === null ? 0 : Math.max(0, nowMs - short.shortSinceMs);
    const restMs = Math.max(0, stage.capacityDeadlineMs - elapsedMs);
    drafts.push({ kind: 'wake', timer: 'capacity-deadline', afterMs: restMs });
  }
  const phase: In<'clearing'> = {
    is: 'clearing',
    sinceMs: nowMs,
    at,
    clearance: null,
    before: asksBefore ? null : [],
    capacity: { waitingFor, shortages: [] },
    shortSinceMs: short.shortSinceMs,
    round: short.round,
  };
  return enter(rollout, phase, drafts, nowMs);
}

/** Enough serves while the step runs when what is left can bear the load. A load that was not read is not enough. */
export function capacityRead(rollout: Rollout, phase: In<'clearing'>, event: Of<'capacity-read'>): Decision {
  const { target } = event.capacity;
  const { waitingFor, shortages } = phase.capacity;
  if (event.round !== phase.round || !waitingFor.includes(target)) return ignored(rollout, 'an older look');
  const short = shortageOf(event);
  const others = shortages.filter((one) => one.target !== target);
  const capacity = {
    waitingFor: waitingFor.filter((one) => one !== target),
    shortages: short ? [...others, short] : others,
  };
  return deployIfReady({ ...rollout, stumble: null }, { ...phase, capacity }, event.atMs);
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
  const { clearance, before, at, capacity } = phase;
  if (!clearance || !before || capacity.waitingFor.length > 0) return stayed({ ...rollout, phase });
  if (capacity.shortages.length > 0) {
    const shortSinceMs = phase.shortSinceMs ?? phase.sinceMs;
    const again = clear(rollout, at, nowMs, { shortSinceMs, round: phase.round + 1, afterMs: CAPACITY_AGAIN_MS });
    // The numbers of the last look stay in sight until the next one.
    const held: Phase = {
      ...(again.rollout.phase as In<'clearing'>),
      capacity: { waitingFor: stepAt(rollout.plan, at).targets, shortages: capacity.shortages },
    };
    return { ...again, rollout: { ...again.rollout, phase: held } };
  }
  const age = nowMs - clearance.atMs;
  if (!(age >= 0 && age <= CLEARANCE_LASTS_MS)) {
    const { shortSinceMs, round } = phase;
    return clear(rollout, at, nowMs, { shortSinceMs, round: round + 1, afterMs: 0 });
  }
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
    artifact: artifactAt(rollout, at, target) ?? artifactOf(rollout),
    ...placingOf(rollout, at, target),
  }));
  drafts.push({ kind: 'wake', timer: 'deploy-deadline', afterMs: stage.deployDeadlineMs });
  const touched = [...new Set([...rollout.touched, ...step.targets])];
  const deploying: Phase = { is: 'deploying', sinceMs: nowMs, at, waitingFor: step.targets, before };
  return enter({ ...rollout, touched }, deploying, drafts, nowMs);
}
