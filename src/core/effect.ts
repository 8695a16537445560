import type { Signal } from './judge/signal.ts';
import type { Artifact } from './release.ts';
import type { Phase } from './rollout.ts';

/** What a person is asked or told; the views turn it into words. */
export type Announcement = 'waiting' | 'failed' | 'finished';

/**
 * A call that changes or reads something outside, in the imperative. Its key is fixed by the state that issued it, so
 * that trying it again is harmless.
 */
export type Effect = { key: string; generation: number; afterMs: number } & (
  | { kind: 'watch-build'; repo: string; sha: string; check: string | null }
  | { kind: 'survey'; target: string }
  | { kind: 'measure-before'; targets: string[]; signals: Signal[]; now: Artifact; before: Artifact | null }
  | { kind: 'clear'; repo: string; branch: string; baseSha: string | null; headSha: string; approvers: string[] }
  | { kind: 'deploy'; target: string; artifact: Artifact; share: number }
  | { kind: 'observe'; target: string; round: number }
  | { kind: 'measure'; round: number; targets: string[]; signals: Signal[]; now: Artifact; before: Artifact | null }
  /** `round`: a terminal failure was answered by trying anew, under a new key. */
  | { kind: 'roll-back'; target: string; artifact: Artifact; round: number }
  | { kind: 'wake'; timer: string }
  /** Broadcast in the thread. Survives the end of its phase: what happened stays true. */
  | { kind: 'announce'; what: Announcement; phase: Phase }
  /** Ask the person on call by name. */
  | { kind: 'page'; who: string; phase: Phase; round: number }
);

export type EffectKind = Effect['kind'];

/** The effects that change a target, one at a time, each under a growing fence. */
export function isMutating(effect: Effect): effect is Extract<Effect, { kind: 'deploy' | 'roll-back' }> {
  return effect.kind === 'deploy' || effect.kind === 'roll-back';
}

/** Effects that leaving a phase cancels; what tells people is kept. */
export function endsWithPhase(effect: Effect): boolean {
  return effect.kind !== 'announce' && effect.kind !== 'page';
}
