import type { Json } from './json.ts';
import type { Signal } from './judge/signal.ts';
import type { Principal, Role } from './principal.ts';

/** What a step waits for while it watches: observed time, judged every `everyMs`, at most until `deadlineMs` have passed. */
export type BakeSpec = { forMs: number; everyMs: number; deadlineMs: number };

export type StepSpec = {
  name: string;
  kind: 'all' | 'canary' | 'wave';
  targets: string[];
  /** The share of each target's instances that get the release, above 0 to 1. */
  share: number;
  bake: BakeSpec;
  /** Degraded: roll back at once, or ask the on-call engineer. A canary always rolls back. */
  onDegraded: 'rollback' | 'ask';
};

export type ApprovalRule = { required: number; expireMs: number };

export type StageSpec = {
  name: string;
  /** Protected: nothing is deployed here without approvals. */
  isProtected: boolean;
  approvals: ApprovalRule | null;
  steps: StepSpec[];
  signals: Signal[];
  /** A target that does not answer `done` by then is a failed deploy. */
  deployDeadlineMs: number;
  /** Instances that do not all run the release, healthy, by then are a partial rollout. */
  verifyDeadlineMs: number;
  /** How long on-call has before the default of a decision happens; null: no default, it waits. */
  decideWithinMs: number | null;
  defaultDecision: 'roll-back' | null;
};

export type BuildSpec = {
  /** The check run that must be green on the merge commit; null: every check run and status. */
  check: string | null;
  deadlineMs: number;
};

export type Person = {
  name: string;
  principal: Principal;
  githubId: number | null;
  githubLogin: string | null;
};

/** A service as it was configured: everything that a rollout of it needs, as plain data. */
export type ServiceSpec = {
  name: string;
  pipeline: string;
  repo: string;
  branch: string;
  /** Slack channel id. */
  channel: string;
  build: BuildSpec;
  /** Name of a configured provider. */
  provider: string;
  /** What the provider wants to know of each target, checked by the provider's own schema. */
  targets: Record<string, Json>;
  stages: StageSpec[];
  /** Roles by `principalKey`; an empty list is nobody. */
  roles: Record<Exclude<Role, 'viewer'>, string[]>;
  /** `principalKey` of the person who is asked when Belay cannot decide alone. */
  onCall: string;
};

/** `service/pipeline`: one rollout at a time moves here. */
export function laneOf(service: { name: string; pipeline: string }): string {
  return `${service.name}/${service.pipeline}`;
}
