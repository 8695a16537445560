import type { DriftCase } from '../core/drift-case.ts';
import type { Event } from '../core/event.ts';
import type { Impossible } from '../core/outlook.ts';
import type { Past } from '../core/past.ts';
import type { ServiceSpec } from '../core/pipeline.ts';
import type { Plan } from '../core/plan.ts';
import type { Actor } from '../core/principal.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Artifact, Release } from '../core/release.ts';
import type { Rollout } from '../core/rollout.ts';

/** What came of asking; `rollout` is the state after it, committed. */
export type Outcome =
  | { is: 'accepted'; rollout: Rollout }
  | { is: 'refused'; refusal: Refusal; rollout: Rollout | null };

/** Why what somebody typed is not a release that may ship, or not a way on which it could. */
export type RefProblem =
  | { code: 'unknown-service'; found: string; nearest: string | null; known: string[] }
  | { code: 'unknown-stage'; found: string; nearest: string | null; known: string[] }
  | { code: 'unknown-ref'; found: string; nearest: string | null }
  | { code: 'ambiguous-ref'; found: string }
  | { code: 'not-on-default-branch'; found: string }
  | { code: 'source-unreachable'; detail: string }
  | Impossible;

/** What is recorded as running on a target. */
export type Placement = { stage: string; target: string; artifact: Artifact; rolloutId: string; atMs: number };

export type DeployRequest = {
  service: string;
  release: Release;
  upTo: string | null;
  actor: Actor;
  because: string | null;
};

export type RollbackRequest = {
  service: string;
  /** null: the last protected stage. */
  stage: string | null;
  /** null: the last good version before what runs now. A full sha or digest otherwise. */
  to: string | null;
  actor: Actor;
  because: string;
};

/** What somebody wants done about a drift. */
export type DriftAnswer =
  | { act: 'fix' }
  | { act: 'accept'; because: string }
  | { act: 'ignore'; because: string; untilMs: number };

/** The same with whose answer it is, and which state of which drift they saw. */
export type DriftRequest = {
  service: string;
  target: string;
  number: number;
  generation: number;
  actor: Actor;
} & DriftAnswer;

export type DriftOutcome =
  | { is: 'accepted'; known: DriftCase }
  | { is: 'refused'; refusal: Refusal; known: DriftCase | null };

/**
 * What Slack asks of Belay. Every promise resolves after the commit; a failed commit rejects, and is shown as an error
 * with no effect. All that changes anything goes through `authorize` behind it.
 */
export interface Desk {
  services(): ServiceSpec[];
  rollout(id: string): Promise<Rollout | null>;
  /** Not over, newest first; null: of every service. `limit`: no more than that many. */
  live(service: string | null, limit?: number): Promise<Rollout[]>;
  /** Over or not, newest first. */
  history(service: string | null, limit: number): Promise<Rollout[]>;
  /** What is recorded of what a rollback of the stage that it is in would put back. */
  past(rollout: Rollout): Promise<Past[]>;
  placements(service: string): Promise<Placement[]>;
  /** The versions that a rollback of this stage could go to, newest first. */
  rollbackChoices(
    service: string,
    stage: string | null,
  ): Promise<{ artifact: Artifact; atMs: number; title: string }[]>;
  /** A branch, tag, full sha or `#pr` → the release, with facts read from GitHub now; null ref: the default branch's head. */
  resolve(service: string, ref: string | null): Promise<Release | RefProblem>;
  /** Reads what runs on the targets first: takes seconds at most. */
  plan(service: string, release: Release, upTo: string | null): Promise<Plan | RefProblem>;
  deploy(request: DeployRequest): Promise<Outcome>;
  rollback(request: RollbackRequest): Promise<Outcome>;
  submit(rolloutId: string, event: Event): Promise<Outcome>;
  /** What is known of a target between deploys; null: it was never looked at. */
  drift(service: string, target: string): Promise<DriftCase | null>;
  /** Of every target of a service that was looked at, drifted or not. */
  drifts(service: string): Promise<DriftCase[]>;
  decideDrift(request: DriftRequest): Promise<DriftOutcome>;
  now(): number;
}
