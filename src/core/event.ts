import type { Measurement } from './judge/signal.ts';
import type { Actor } from './principal.ts';
import type { Artifact, Participant } from './release.ts';
import type { Capacity, Observation } from './target.ts';

/**
 * `continue` passes the step in spite of the evidence. `go-on-without`: the instances that were named are left as they
 * are. `begin-anyway`: the step begins though too little would serve while it runs. Each by a named person with a reason.
 */
export type Choice = 'retry' | 'roll-back' | 'continue' | 'go-on-without' | 'begin-anyway' | 'hold';

export type CheckResult = {
  is: 'passed' | 'failed';
  detail: string;
  /** What a load test measured, say, each with its limit in words. */
  measures: { name: string; value: number; limit: string; isWithin: boolean }[];
  url: string | null;
};

/** Where the last good rollout of the lane was watched at the same step: what a `last-good` baseline is read from. */
export type LastWatched = { stage: string; step: string; artifact: Artifact; sinceMs: number };

/** How two commits are related on the default branch: what GitHub's compare says of `base…head`. */
export type Ancestry = 'ahead' | 'identical' | 'behind' | 'diverged';

/**
 * What happened, in the past tense. The event carries the time; `generation` is the rollout's generation that an answer
 * or a click belongs to: one of an older generation changes nothing.
 */
export type Event = { atMs: number } & ( // the lane
  | {
      type: 'started';
      desiredSha: string | null;
      desiredDigest: string | null;
      participants: Participant[];
      lastGood: Record<string, Artifact | null>;
      lastWatched: LastWatched[];
    }
  | { type: 'superseded'; byRollout: string; bySha: string }
  | { type: 'taken-over'; byRollout: string; by: string }
  | { type: 'built'; generation: number; artifact: Artifact; url: string | null }
  | { type: 'build-failed'; generation: number; detail: string; url: string | null }
  | { type: 'created'; generation: number; target: string }
  | { type: 'create-failed'; generation: number; target: string; detail: string }
  /** The environment is gone. Valid in every state, also after the end. */
  | { type: 'removed'; generation: number; target: string }
  | { type: 'remove-failed'; generation: number; target: string; round: number; detail: string }
  | { type: 'surveyed'; generation: number; observation: Observation }
  /** `load`: requests a second on the target now; null: not measured. `perInstance`: what one instance can bear. */
  | {
      type: 'capacity-read';
      generation: number;
      round: number;
      capacity: Capacity;
      load: number | null;
      perInstance: number | null;
      detail: string;
    }
  /** The same signals just before the step, on what ran until then. */
  | { type: 'measured-before'; generation: number; measurements: Measurement[] }
  | { type: 'cleared'; generation: number; ancestry: Ancestry; eligible: string[]; defaultBranchHasHead: boolean }
  | { type: 'deployed'; generation: number; target: string }
  | { type: 'deploy-failed'; generation: number; target: string; detail: string }
  | { type: 'observed'; generation: number; round: number; observation: Observation }
  | { type: 'checked'; generation: number; check: string; target: string; tryNumber: number; result: CheckResult }
  /** `controls`: the same signals on what they are held against. */
  | { type: 'measured'; generation: number; round: number; measurements: Measurement[]; controls: Measurement[] }
  | { type: 'rolled-back'; generation: number; target: string }
  | { type: 'roll-back-failed'; generation: number; target: string; detail: string }
  /** An effect could not be carried out this time and will be tried again: shown, never judged. */
  | { type: 'stumbled'; generation: number; effect: string; detail: string; attempts: number }
  /** A timer that an effect asked for. */
  | { type: 'woke'; generation: number; timer: string }
  | { type: 'approved'; generation: number; actor: Actor }
  | { type: 'rejected'; generation: number; actor: Actor; because: string }
  | { type: 'decided'; generation: number; actor: Actor; choice: Choice; because: string | null }
  | { type: 'countdown-stopped'; generation: number; actor: Actor }
  /** No generation: a rollback is valid in every state. `to`: null is what ran before this rollout. */
  | { type: 'rollback-requested'; actor: Actor; because: string; to: Artifact | null }
  | { type: 'aborted'; actor: Actor; because: string }
  /** The clock of the machine was set, or the machine slept: it shows so much more than time has passed. Below 0: less. */
  | { type: 'clock-leapt'; byMs: number }
);

export type EventType = Event['type'];
