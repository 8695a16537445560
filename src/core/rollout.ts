import type { Approval } from './approval.ts';
import type { Assignment } from './assign.ts';
import type { CheckResult, Choice, LastWatched } from './event.ts';
import type { Measurement } from './judge/signal.ts';
import type { Judgement, SignalMemory, Verdict } from './judge/verdict.ts';
import type { ServiceSpec } from './pipeline.ts';
import type { Plan, Position, Request } from './plan.ts';
import type { Artifact, Participant, Release } from './release.ts';
import type { InstanceRole, Observation } from './target.ts';
import type { Shortage, Trouble } from './trouble.ts';

/** How one check ended on one target. */
export type CheckOutcome = {
  check: string;
  target: string;
  is: 'passed' | 'failed';
  /** It passed after it had failed. */
  isFlaky: boolean;
  tries: number;
  detail: string;
  measures: CheckResult['measures'];
  url: string | null;
};

/** The newest failed try of something that is being tried again; null once it worked. */
export type Stumble = { effect: string; detail: string; attempts: number; sinceMs: number };

export type Phase =
  | { is: 'building'; sinceMs: number }
  | { is: 'queued'; sinceMs: number }
  /** Environments are being made for this release alone. */
  | { is: 'preparing'; sinceMs: number; at: Position; waitingFor: string[] }
  | { is: 'surveying'; sinceMs: number; at: Position; waitingFor: string[]; observations: Observation[] }
  | { is: 'gated'; sinceMs: number; at: Position; voided: number }
  | {
      is: 'clearing';
      sinceMs: number;
      at: Position;
      /** Who of the approvers is still eligible, and when that was read; null: not answered yet. */
      clearance: { eligible: string[]; atMs: number } | null;
      before: Measurement[] | null;
      /** Targets whose capacity was not read yet, and those that are short of it. */
      capacity: { waitingFor: string[]; shortages: Shortage[] };
      /** Since when it waits for capacity; null: it does not. `round` counts the looks. */
      shortSinceMs: number | null;
      round: number;
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
      is: 'checking';
      sinceMs: number;
      at: Position;
      /** Tries that are under way; a try that is not here any more is over, whatever it still answers. */
      running: { check: string; target: string; tryNumber: number }[];
      outcomes: CheckOutcome[];
      before: Measurement[];
    }
  | {
      is: 'baking';
      sinceMs: number;
      at: Position;
      round: number;
      /** Time during which the step was really watched; a jump of the clock or a suspend gives none. */
      observedMs: number;
      /** How long it must be watched: the plan's time, shortened by the steps that passed before. */
      forMs: number;
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
  /** When it began to be watched; null: it did not come so far. */
  watchedFromMs: number | null;
  checks: CheckOutcome[];
};

/** How the signals of a stage were before this rollout touched these targets: what got bad since then is not excused. */
export type Quiet = { stage: string; targets: string[]; measurements: Measurement[] };

/** A step that a person decided, by name and with a reason, to begin though too little would serve while it runs. */
export type BegunShort = { stage: string; step: string; by: string; because: string; atMs: number };

/** An instance that a person decided, by name and with a reason, to go on without. */
export type LeftOut = { target: string; id: string; by: string; because: string; atMs: number };

/**
 * The shape of what is stored. Whoever changes it raises this, fills in what older ones lack (upcast.ts), and brings a
 * migration along, so that an older version refuses the database instead of reading what it does not know.
 */
export const SCHEMA = 3;

/** One release on its way through one pipeline. Plain JSON: it survives a round trip through the database. */
export type Rollout = {
  id: string;
  /** The first shape had none. */
  schema: number;
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
  /** The one digest that every instance of a target ran, healthy, when its stage began; null: there was none. */
  found: Record<string, string | null>;
  /** Known good by target when the lane was given, from Belay's own record. */
  lastGood: Record<string, Artifact | null>;
  /** What the lane wished to run when this rollout started; only a descendant may follow by itself. */
  desiredSha: string | null;
  /** Its digest: what a downgrade is tried with where nothing ran before. */
  desiredDigest: string | null;
  /** Chosen once, so that the instances that were picked at random can be told again. */
  seed: number;
  /** By target of the current stage: the order in which its instances get the release, and how many by the end of each step. */
  assignment: Assignment;
  /** Environments that were made for this release and are not known to be gone. */
  environments: { target: string; isLeaving: boolean }[];
  without: LeftOut[];
  /** Of the current stage, in the order of its steps. */
  quiet: Quiet[];
  /** One that is tried anew is asked about anew. */
  begunShort: BegunShort[];
  /** Checks of the current step. */
  checks: CheckOutcome[];
  watchedFromMs: number | null;
  lastWatched: LastWatched[];
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
