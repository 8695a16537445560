import type { Decision } from './decision.ts';
import { type Draft, enter } from './door.ts';
import { type Position, stageAt } from './plan.ts';
import type { Rollout } from './rollout.ts';

/** The targets of a stage, each once. */
export function targetsOf(rollout: Rollout, at: Position): string[] {
  return [...new Set(stageAt(rollout.plan, at).steps.flatMap((step) => step.targets))];
}

/** A stage begins by making what is for this release alone, and by reading what runs there: what a rollback returns to. */
export function beginStage(rollout: Rollout, at: Position, nowMs: number): Decision {
  const stage = stageAt(rollout.plan, at);
  if (!stage.isEphemeral) return survey(rollout, at, nowMs);
  const targets = targetsOf(rollout, at);
  const others = rollout.environments.filter((one) => !targets.includes(one.target));
  // Made from here on, whatever is heard of it: a call without an answer may have had its effect.
  const environments = [...others, ...targets.map((target) => ({ target, isLeaving: false }))];
  const drafts: Draft[] = targets.map((target) => ({ kind: 'create', target }));
  drafts.push({ kind: 'wake', timer: 'prepare-deadline', afterMs: stage.deployDeadlineMs });
  return enter(
    { ...rollout, environments },
    { is: 'preparing', sinceMs: nowMs, at, waitingFor: targets },
    drafts,
    nowMs,
  );
}

/** Reads what runs on every target of the stage. */
export function survey(rollout: Rollout, at: Position, nowMs: number): Decision {
  const targets = targetsOf(rollout, at);
  const drafts: Draft[] = targets.map((target) => ({ kind: 'survey', target }));
  drafts.push({ kind: 'wake', timer: 'survey-deadline', afterMs: stageAt(rollout.plan, at).verifyDeadlineMs });
  return enter(rollout, { is: 'surveying', sinceMs: nowMs, at, waitingFor: targets, observations: [] }, drafts, nowMs);
}
