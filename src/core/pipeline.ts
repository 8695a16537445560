import type { CheckSpec } from './check.ts';
import type { Json } from './json.ts';
import type { Neighbour, Signal } from './judge/signal.ts';
import type { Principal, Role } from './principal.ts';
import type { Strategy } from './target.ts';

/** What a step waits for while it watches: observed time, judged every `everyMs`, at most until `deadlineMs` have passed. */
export type BakeSpec = { forMs: number; everyMs: number; deadlineMs: number };

/**
 * One wave of a stage. `share` and `count` are cumulative: how many run the release once the step is done, those of
 * earlier steps included.
 */
export type StepSpec = {
  name: string;
  kind: 'all' | 'canary' | 'wave' | 'upgrade' | 'downgrade';
  targets: string[];
  /** The share of each target's instances that run the release then, above 0 to 1. */
  share: number;
  /** One of several that finish a region each: which goes first, and how many together, is for the plan to say. */
  isRegional: boolean;
  /** Instead of a share: so many instances of all the step's targets together; null: `share` says. */
  count: number | null;
  /** What is deployed: the release, or what ran before it (a downgrade, to see that it works). */
  deploys: 'release' | 'before';
  /** Starts fresh instances of the old version beside the canary, as many, labelled `baseline`. */
  hasBaseline: boolean;
  bake: BakeSpec;
  /** Degraded: roll back at once, or ask the on-call engineer. A canary always rolls back. */
  onDegraded: 'rollback' | 'ask';
};

/**
 * Whether a signal says anything of a step. What is held against the old version needs some of it to run: `fresh` beside
 * a canary that starts it anew, `current` while the step leaves instances on it.
 */
export function isJudgedIn(
  signal: Pick<Signal, 'baseline'>,
  step: Pick<StepSpec, 'hasBaseline' | 'share' | 'count'>,
): boolean {
  switch (signal.baseline?.is) {
    case 'fresh':
      return step.hasBaseline;
    case 'current':
      return isPart(step);
    default:
      return true;
  }
}

/** Whether a step leaves instances of its targets as they are. */
export function isPart({ share, count }: Pick<StepSpec, 'share' | 'count'>): boolean {
  return share < 1 || count !== null;
}

export type ApprovalRule = { required: number; expireMs: number };

export type StageSpec = {
  name: string;
  /** Protected: nothing is deployed here without approvals. */
  isProtected: boolean;
  approvals: ApprovalRule | null;
  steps: StepSpec[];
  signals: Signal[];
  strategy: Strategy;
  /**
   * `full`: talks to staging only. `partial`: talks to production, so health that gets worse is always taken back.
   * null: it is production, or says nothing.
   */
  isolation: 'full' | 'partial' | null;
  /** Its targets are made for one release, and removed after. */
  isEphemeral: boolean;
  /** What must pass after each step was read back, before it is watched. */
  checks: CheckSpec[];
  /** Regional waves: as they were written, or the region with the least traffic first. */
  order: 'as-written' | 'least-traffic-first';
  /** How many regional waves go together: the first, the second, … ; the last one stands for the rest. Empty: one. */
  regionsAtOnce: number[];
  /** Each bake is divided by `factor` for every step of the stage that passed before it, down to `floorMs`. */
  speedUp: { factor: number; floorMs: number } | null;
  /** What each group of signals weighs in the score; in all at most 100. */
  groups: Record<string, number>;
  /** At the bake's deadline: what could not be told, or not be measured. Never promoted. */
  onInconclusive: 'rollback' | 'ask';
  onError: 'rollback' | 'ask';
  /** Too little capacity for this long: the person on call is asked. */
  capacityDeadlineMs: number;
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

/** Where a target is, and for whom: what waves are made by. */
export type Place = { region: string; country: string | null; ring: string | null };

/** How the load of a target is read, in requests a second, and how much of it one instance can bear. */
export type TrafficSpec = { source: string; query: Json; perInstance: number | null };

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
  places: Record<string, Place>;
  /** null: not known, so that nothing is ordered by it and no capacity is asked for. */
  traffic: TrafficSpec | null;
  /** The time in which traffic has shown all that it does; null: not said. A canary bakes no shorter. */
  trafficCycleMs: number | null;
  neighbours: Neighbour[];
  /** How often what runs is compared with what is recorded, between deploys; null: never. */
  driftEveryMs: number | null;
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
