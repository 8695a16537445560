import { arrange } from './arrange.ts';
import type { PlanFacts } from './facts.ts';
import { canonical } from './json.ts';
import { type Impossible, impossibleIn, loadsOf, type Outlook, outlookOf } from './outlook.ts';
import type { ApprovalRule, BuildSpec, ServiceSpec, StageSpec, StepSpec } from './pipeline.ts';
import type { Principal } from './principal.ts';
import { isReviewed, type Release } from './release.ts';

/** A stage as this release will go through it. `approvals` already counts what a missing review costs. */
export type PlannedStage = Omit<StageSpec, 'approvals'> & { approvals: ApprovalRule | null };

/** Everything that a rollout will do, as a value: printed, shown, hashed before anything happens. */
export type Plan = {
  service: string;
  pipeline: string;
  sha: string;
  build: BuildSpec;
  stages: PlannedStage[];
  onCall: string;
  channel: string;
  /** What is known of how it will go. No part of the hash: it is read again when a stage begins, and binds nobody. */
  outlook: Outlook;
  /** sha256 over the canonical JSON of all that will be done, in its order. An approval is bound to it. */
  hash: string;
  /** sha256 over the service's policy (stages, roles): a weaker policy voids approvals given under the stricter one. */
  policyHash: string;
};

/** Hashes are made outside the core, which has no cryptography: sha256 in hexadecimal. */
export type Hash = (text: string) => string;

export type PlanProblem =
  | { code: 'unknown-stage'; found: string; known: string[] }
  | { code: 'no-stages' }
  | Impossible;

/** `because` of a stage that asks for one approval more. */
export const EXTRA_APPROVAL_WITHOUT_REVIEW = 1;

/**
 * The plan of a release through a service's stages, up to and including `upTo` (null: all).
 * A direct push or a missing review costs one approval more on every protected stage (S3). `facts`: what was read of the
 * targets; null: nothing, so that regional waves stay as they were written and no plan is known to be impossible.
 */
export function planOf(
  service: ServiceSpec,
  release: Release,
  upTo: string | null,
  hash: Hash,
  facts: PlanFacts | null = null,
): Plan | PlanProblem {
  const last = upTo === null ? service.stages.length - 1 : service.stages.findIndex((stage) => stage.name === upTo);
  if (service.stages.length === 0) return { code: 'no-stages' };
  if (last < 0 && upTo !== null) {
    return { code: 'unknown-stage', found: upTo, known: service.stages.map((stage) => stage.name) };
  }
  const extra = isReviewed(release) ? 0 : EXTRA_APPROVAL_WITHOUT_REVIEW;
  const chosen = service.stages.slice(0, last + 1).map((stage) => arrange(stage, loadsOf(facts)));
  const impossible = facts && impossibleIn(chosen, facts);
  if (impossible) return impossible;
  const stages = chosen.map((stage) => ({
    ...stage,
    approvals: stage.approvals && { ...stage.approvals, required: stage.approvals.required + extra },
  }));
  const body = {
    service: service.name,
    pipeline: service.pipeline,
    sha: release.sha,
    build: service.build,
    stages,
    onCall: service.onCall,
    channel: service.channel,
    policyHash: hash(canonical({ stages: service.stages, roles: service.roles })),
  };
  return { ...body, outlook: outlookOf(service, stages, facts), hash: hash(canonical(body)) };
}

export function isPlanProblem(value: Plan | PlanProblem): value is PlanProblem {
  return 'code' in value;
}

export type Position = { stage: number; step: number };

export function stageAt(plan: Plan, position: Position): PlannedStage {
  const stage = plan.stages[position.stage];
  if (!stage) throw new Error(`The plan has no stage ${position.stage}`);
  return stage;
}

export function stepAt(plan: Plan, position: Position): StepSpec {
  const step = stageAt(plan, position).steps[position.step];
  if (!step) throw new Error(`Stage ${position.stage} has no step ${position.step}`);
  return step;
}

/** The step after this one, in this stage or the next; null after the last. */
export function nextPosition(plan: Plan, position: Position): Position | null {
  if (position.step + 1 < stageAt(plan, position).steps.length) {
    return { stage: position.stage, step: position.step + 1 };
  }
  return position.stage + 1 < plan.stages.length ? { stage: position.stage + 1, step: 0 } : null;
}

/** Who asked for a rollout, and why. */
export type Request = { by: Principal; name: string; because: string | null; upTo: string | null };
