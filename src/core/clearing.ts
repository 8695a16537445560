import { CAPACITY_AGAIN_MS, shortageOf } from './capacity.ts';
import { type Decision, ignored, stayed } from './decision.ts';
import { type Draft, enter } from './door.ts';
import type { Event } from './event.ts';
import { askForApproval, clear, missingApprovals } from './gate.ts';
import { artifactAt, placingOf } from './placing.ts';
import { stageAt } from './plan.ts';
import { withQuiet } from './quiet.ts';
import { ask, giveUp } from './retreat.ts';
import type { Phase, Rollout } from './rollout.ts';
import { artifactOf, targetsAt, touchedIn } from './step.ts';
import type { Shortage, Trouble } from './trouble.ts';

/** Membership may be this old when an effect on a protected stage is issued. */
export const CLEARANCE_LASTS_MS = 60_000;

/** The first answer of a look may be as old when the last one comes: as a clearance, and what a look for capacity waits first. */
const LOOK_LASTS_MS = CLEARANCE_LASTS_MS + CAPACITY_AGAIN_MS;

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

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
  const next = withQuiet(rollout, phase.at, event.measurements);
  return deployIfReady(next, { ...phase, before: next.quiet.at(-1)?.measurements ?? [] }, event.atMs);
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

/** It waited for capacity for as long as the stage allows: a person is asked, with the numbers. */
export function capacityOverdue(rollout: Rollout, phase: Extract<Phase, { is: 'clearing' }>, nowMs: number): Decision {
  const { waitingFor, shortages } = phase.capacity;
  // Something else is waited for, and is asked for until it answers.
  if (waitingFor.length === 0 && shortages.length === 0) return ignored(rollout, 'capacity was read, and is enough');
  const perInstance = rollout.spec.traffic?.perInstance ?? 0;
  const unread = waitingFor
    .filter((target) => !shortages.some((one) => one.target === target))
    .map((target): Shortage => {
      const detail = rollout.stumble?.effect === 'read-capacity' ? rollout.stumble.detail : '';
      return { target, serving: 0, servingDuring: 0, needed: null, load: null, perInstance, detail };
    });
  return ask(rollout, phase.at, { code: 'short-of-capacity', shortages: [...shortages, ...unread] }, null, nowMs);
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
      capacity: { ...(again.rollout.phase as In<'clearing'>).capacity, shortages: capacity.shortages },
    };
    return { ...again, rollout: { ...again.rollout, phase: held } };
  }
  const { shortSinceMs, round } = phase;
  const anew = { shortSinceMs, round: round + 1, afterMs: 0 };
  const age = nowMs - clearance.atMs;
  if (!(age >= 0 && age <= CLEARANCE_LASTS_MS)) return clear(rollout, at, nowMs, anew);
  const missing = missingApprovals(rollout, at, nowMs, clearance.eligible);
  if (missing > 0) {
    const { eligible } = clearance;
    const kept = rollout.approvals.filter((one) => one.expiresAtMs > nowMs && eligible.includes(one.by));
    const voided = rollout.approvals.length - kept.length;
    return askForApproval({ ...rollout, approvals: kept }, at, nowMs, voided);
  }
  // No answer of this look is older than the look: what came first still holds when what came last is there.
  if (nowMs - phase.sinceMs > LOOK_LASTS_MS) return clear(rollout, at, nowMs, anew);
  const stage = stageAt(rollout.plan, at);
  const targets = targetsAt(rollout, at);
  const drafts: Draft[] = targets.map((target) => ({
    kind: 'deploy',
    target,
    artifact: artifactAt(rollout, at, target) ?? artifactOf(rollout),
    ...placingOf(rollout, at, target),
  }));
  drafts.push({ kind: 'wake', timer: 'deploy-deadline', afterMs: stage.deployDeadlineMs });
  const touched = [...new Set([...rollout.touched, ...targets])];
  const deploying: Phase = { is: 'deploying', sinceMs: nowMs, at, waitingFor: targets, before };
  return enter({ ...rollout, touched }, deploying, drafts, nowMs);
}
