import { type Binding, countingApprovals } from './approval.ts';
import type { Decision } from './decision.ts';
import { type Draft, enter } from './door.ts';
import { placingOf } from './placing.ts';
import { type Position, stageAt } from './plan.ts';
import { principalKey } from './principal.ts';
import { quietAt } from './quiet.ts';
import type { Phase, Rollout } from './rollout.ts';
import { artifactOf, beforeOn, isBegunShort, signalsAt, targetsAt, wasEmpty } from './step.ts';

type Clearing = Extract<Phase, { is: 'clearing' }>;

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

/** People are asked, by the card of the stage. `voided`: how many approvals do not count any more. */
export function askForApproval(rollout: Rollout, at: Position, nowMs: number, voided: number): Decision {
  const expireMs = stageAt(rollout.plan, at).approvals?.expireMs ?? 0;
  return enter(
    rollout,
    { is: 'gated', sinceMs: nowMs, at, voided },
    [{ kind: 'wake', timer: 'gate-expiry', afterMs: expireMs }],
    nowMs,
  );
}

/** What is kept while the same step is looked at again and again for capacity. */
type Short = Pick<Clearing, 'shortSinceMs' | 'round'> & { afterMs: number };
const NOT_SHORT: Short = { shortSinceMs: null, round: 0, afterMs: 0 };

/**
 * Reads again, at effect time, what must hold: ancestry, who is still eligible, how the signals are before the step, and
 * whether enough would serve while it runs.
 */
export function clear(rollout: Rollout, at: Position, nowMs: number, short: Short = NOT_SHORT): Decision {
  const stage = stageAt(rollout.plan, at);
  const targets = targetsAt(rollout, at);
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
  const before = beforeOn(rollout, targets);
  const signals = signalsAt(rollout, at).filter((signal) => signal.kind === 'threshold' || signal.kind === 'alert');
  const quiet = quietAt(rollout, at);
  const asksBefore = signals.length > 0 && before !== null && quiet === null;
  if (asksBefore) {
    const without = rollout.without.map((one) => one.id);
    const now = artifactOf(rollout);
    const look = { targets, signals, now, before, sinceMs: nowMs, lastGood: null, without };
    drafts.push({ kind: 'measure-before', ...look, afterMs });
  }
  // What was made for this release alone bears nobody's load, and is empty before its first step. So is a first deploy.
  const bearsLoad = (rollout.spec.traffic?.perInstance ?? null) !== null && !stage.isEphemeral;
  const asksCapacity = bearsLoad && !isBegunShort(rollout, at);
  const waitingFor = asksCapacity ? targets.filter((target) => !wasEmpty(rollout, target)) : [];
  for (const target of waitingFor) {
    const { share, strategy } = placingOf(rollout, at, target);
    drafts.push({ kind: 'read-capacity', target, share, strategy, round: short.round, afterMs });
  }
  if (asksCapacity) {
    const elapsedMs = short.shortSinceMs === null ? 0 : Math.max(0, nowMs - short.shortSinceMs);
    const restMs = Math.max(0, stage.capacityDeadlineMs - elapsedMs);
    drafts.push({ kind: 'wake', timer: 'capacity-deadline', afterMs: restMs });
  }
  const phase: Clearing = {
    is: 'clearing',
    sinceMs: nowMs,
    at,
    clearance: null,
    before: asksBefore ? null : (quiet ?? []),
    capacity: { waitingFor, shortages: [] },
    shortSinceMs: short.shortSinceMs,
    round: short.round,
  };
  return enter(rollout, phase, drafts, nowMs);
}
