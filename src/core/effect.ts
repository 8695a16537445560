import type { CheckSpec } from './check.ts';
import type { Signal } from './judge/signal.ts';
import type { Artifact } from './release.ts';
import type { Phase } from './rollout.ts';
import type { Strategy } from './target.ts';

/** What a person is asked or told; the views turn it into words. */
export type Announcement = 'waiting' | 'failed' | 'finished';

/**
 * A call that changes or reads something outside, in the imperative. Its key is fixed by the state that issued it, so
 * that trying it again is harmless.
 */
export type Effect = { key: string; generation: number; afterMs: number } & (
  | { kind: 'watch-build'; repo: string; sha: string; check: string | null }
  /** Makes the target for this release alone; removed when the stage is over, however it ends. */
  | { kind: 'create'; target: string }
  | { kind: 'remove'; target: string; round: number }
  | { kind: 'survey'; target: string }
  /** How much serves, how much will while the change is under way, and how much is asked of it. */
  | { kind: 'read-capacity'; target: string; share: number; strategy: Strategy; round: number }
  | ({ kind: 'measure-before' } & Look)
  | { kind: 'clear'; repo: string; branch: string; baseSha: string | null; headSha: string; approvers: string[] }
  | ({ kind: 'deploy'; target: string; artifact: Artifact } & Placing)
  | { kind: 'observe'; target: string; round: number }
  | { kind: 'check'; check: CheckSpec; target: string; tryNumber: number }
  | ({ kind: 'measure'; round: number; everyMs: number } & Look)
  /** `round`: a terminal failure was answered by trying anew, under a new key. */
  | { kind: 'roll-back'; target: string; artifact: Artifact; strategy: Strategy; round: number }
  | { kind: 'wake'; timer: string }
  /** Broadcast in the thread. Survives the end of its phase: what happened stays true. */
  | { kind: 'announce'; what: Announcement; phase: Phase }
  /** Ask the person on call by name. */
  | { kind: 'page'; who: string; phase: Phase; round: number }
);

/** How the instances of a target get an artifact: as `ChangeRequest` of the providers has it. */
export type Placing = {
  share: number;
  instances: string[] | null;
  strategy: Strategy;
  isCanary: boolean;
  baseline: Artifact | null;
};

/** What is measured: signals, on what runs now, held against what ran before or another time. */
export type Look = {
  targets: string[];
  signals: Signal[];
  now: Artifact;
  before: Artifact | null;
  /** When the step began to be watched: what happened before says nothing of it. */
  sinceMs: number;
  /** The last good rollout of the same step: what it was, and when it began to be watched; null: there is none. */
  lastGood: { artifact: Artifact; sinceMs: number } | null;
  /** Instances that a person decided to go on without: what they do says nothing of the step. */
  without: string[];
};

export type EffectKind = Effect['kind'];

export type MutatingKind = 'deploy' | 'roll-back' | 'create' | 'remove';

/** The effects that change a target, one at a time, each under a growing fence. */
export function isMutating(effect: Effect): effect is Extract<Effect, { kind: MutatingKind }> {
  return ['deploy', 'roll-back', 'create', 'remove'].includes(effect.kind);
}

/** What leaving a phase does not cancel: what tells people, and the removal of what was made for one release. */
export const OUTLIVES_PHASE = ['announce', 'page', 'remove'] as const satisfies EffectKind[];

/** Effects that leaving a phase cancels. */
export function endsWithPhase(effect: Effect): boolean {
  return !OUTLIVES_PHASE.some((kind) => kind === effect.kind);
}
