import type { Approval } from './approval.ts';
import type { Choice } from './event.ts';
import type { Measurement } from './judge/signal.ts';
import type { Judgement, SignalMemory, Verdict } from './judge/verdict.ts';
import type { ServiceSpec } from './pipeline.ts';
import type { Plan, Position, Request } from './plan.ts';
import type { Artifact, Participant, Release } from './release.ts';
import type { Instance, InstanceRole } from './target.ts';

/** Why a step or a rollout does not simply go on. Codes; the sentences are made in the views. */
export type Trouble =
  | { code: 'build-failed'; detail: string; url: string | null }
  | { code: 'build-timed-out' }
  | { code: 'unreachable'; target: string; detail: string }
  | { code: 'deploy-failed'; target: string; detail: string }
  | { code: 'deploy-timed-out'; targets: string[] }
  /** Instances that run something else, are not healthy, or could not be read: named. */
  | { code: 'partial'; target: string; instances: Instance[]; expected: number; running: number }
  | { code: 'degraded'; signals: string[] }
  | { code: 'inconclusive'; signals: string[] }
  | { code: 'unmeasurable'; signals: string[] }
  /** Not a descendant of what is desired here. */
  | { code: 'not-a-descendant'; ancestry: string; baseSha: string }
  | { code: 'not-on-default-branch' }
  | { code: 'nothing-to-roll-back-to'; target: string }
  | { code: 'roll-back-failed'; target: string; detail: string }
  | { code: 'rejected'; by: string; because: string }
  | { code: 'approval-expired' }
  | { code: 'asked'; by: string; because: string }
  /** A rollback of the service took the lane. */
  | { code: 'taken-over'; by: string; byRollout: string };

/** The newest failed try of something that is being tried again; null once it worked. */
export type Stumble = { effect: string; detail: string; attempts: number; sinceMs: number };

export type Phase =
  | { is: 'building'; sinceMs: number }
  | { is: 'queued'; sinceMs: number }
  | { is: 'surveying'; sinceMs: number; at: Position; waitingFor: string[] }
  | { is: 'gated'; sinceMs: number; at: Position; voided: number }
  | {
      is: 'clearing';
      sinceMs: number;
      at: Position;
      /** Who of the approvers is still eligible, and when that was read; null: not answered yet. */
      clearance: { eligible: string[]; atMs: number } | null;
      before: Measurement[] | null;
    }
  | { is: 'deploying'; sinceMs: number; at: Position; waitingFor: string[]; before: Measurement[] }
  | {
      is: 'verifying';
      sinceMs: number;
      at: Position;
      waitingFor: string[];
      problems: Record<string, Trouble>;
      before: Measurement[];
    }
  | {
      is: 'baking';
      sinceMs: number;
      at: Position;
      round: number;
      /** Time during which the step was really watched; a jump of the clock or a suspend gives none. */
      observedMs: number;
      lastLookMs: number;
      memory: SignalMemory;
      judgement: Judgement | null;
    }
  | {
      is: 'deciding';
      sinceMs: number;
      at: Position;
      trouble: Trouble;
      judgement: Judgement | null;
      choices: Choice[];
      /** What happens when nobody chooses, and when; null: it waits. */
      countdown: { choice: Choice; atMs: number } | null;
    }
  | {
      is: 'holding';
      sinceMs: number;
      at: Position;
      by: string;
      because: string | null;
      trouble: Trouble;
      judgement: Judgement | null;
      choices: Choice[];
    }
  | {
      is: 'rolling-back';
      sinceMs: number;
      at: Position;
      trouble: Trouble;
      /** By target, newest first: what each goes back to. */
      to: { target: string; artifact: Artifact }[];
      waitingFor: string[];
      verifying: string[];
      /** How often a provider refused for good and was asked anew. */
      round: number;
      judgement: Judgement | null;
    }
  | { is: 'succeeded'; atMs: number }
  | {
      is: 'rolled-back';
      atMs: number;
      trouble: Trouble;
      judgement: Judgement | null;
      /** What runs again, read back on every instance. */
      to: { target: string; artifact: Artifact }[];
    }
  | { is: 'aborted'; atMs: number; trouble: Trouble }
  | { is: 'superseded'; atMs: number; byRollout: string; bySha: string }
  | { is: 'failed'; atMs: number; trouble: Trouble };

export type PhaseName = Phase['is'];

/** The instances of a target in groups of the same kind, as they were read back. */
export type Seen = {
  atMs: number;
  groups: { region: string; digest: string | null; role: InstanceRole; instances: number; healthy: number }[];
};

/** A step that ended, for the thread, the history and the ETA. */
export type StepRecord = {
  stage: string;
  step: string;
  startedAtMs: number;
  endedAtMs: number;
  ended: 'passed' | 'degraded' | 'failed' | 'continued' | 'retried';
  verdict: Verdict | null;
};

/** One release on its way through one pipeline. Plain JSON: it survives a round trip through the database. */
export type Rollout = {
  id: string;
  lane: string;
  kind: 'release' | 'rollback';
  service: string;
  pipeline: string;
  channel: string;
  release: Release;
  artifact: Artifact | null;
  plan: Plan;
  /** Who may do what, as configured when the rollout was created; the stricter of two policies holds. */
  spec: Pick<ServiceSpec, 'name' | 'roles' | 'onCall' | 'repo' | 'branch' | 'traffic'>;
  request: Request;
  createdAtMs: number;
  endedAtMs: number | null;
  /** Grows whenever a phase is entered. */
  generation: number;
  phase: Phase;
  /** What ran on each target before this rollout touched it; null: nothing that could be returned to. */
  before: Record<string, Artifact | null>;
  /** Known good by target when the lane was given, from Belay's own record. */
  lastGood: Record<string, Artifact>;
  /** What the lane wished to run when this rollout started; only a descendant may follow by itself. */
  desiredSha: string | null;
  /** Everybody who took part in anything between what runs and what would run. */
  participants: Participant[];
  /** What was read back last, by target: for people, and for what comes next. */
  seen: Record<string, Seen>;
  /** Targets in the order in which they were first touched. */
  touched: string[];
  approvals: Approval[];
  steps: StepRecord[];
  stepStartedAtMs: number | null;
  stumble: Stumble | null;
  /** The time of the newest event: a clock that goes back behind it voids the approvals. */
  seenAtMs: number;
  /** The last thing that a person did here, so that whoever comes second is told who was first. */
  lastAct: { by: string; name: string; atMs: number } | null;
};

/** Ended for good: nothing is owed any more. */
export function isOver(rollout: Rollout): boolean {
  switch (rollout.phase.is) {
    case 'succeeded':
    case 'rolled-back':
    case 'aborted':
    case 'superseded':
    case 'failed':
      return true;
    default:
      return false;
  }
}

/** Holds its lane: moves, or waits for a person, with the right to touch the targets. */
export function isLive(rollout: Rollout): boolean {
  return !isOver(rollout) && rollout.phase.is !== 'building' && rollout.phase.is !== 'queued';
}
