import type { Impossible } from './outlook.ts';
import type { Role } from './principal.ts';

/** Why something was not done, from a closed list; the sentence is made where it is shown. */
export type Refusal =
  | { code: 'not-allowed'; action: string; needs: Role[] }
  | { code: 'not-a-member'; standing: 'guest' | 'external' | 'bot' | 'deactivated' | 'unknown' }
  | { code: 'not-linked' }
  | { code: 'participant'; part: string }
  /** The button belongs to an older state; `by` and `atMs` say who was first, when known. */
  | { code: 'too-late'; by: string | null; atMs: number | null; now: string }
  | { code: 'already-approved'; atMs: number }
  /** The approval was given for another artifact, plan or policy. */
  | { code: 'binding-changed' }
  | { code: 'choice-not-offered'; choice: string; offered: string[] }
  | { code: 'reason-missing' }
  | { code: 'nothing-to-roll-back-to' }
  | { code: 'never-healthy-here'; digest: string }
  | { code: 'is-over'; phase: string }
  /** What runs on a target that drifted cannot be made what is recorded. */
  | {
      code: 'not-acceptable';
      why: 'nothing-runs' | 'left-behind' | 'unreadable' | 'many-versions' | 'no-rule';
    }
  /** A rollout has half-finished work where this would have to take its place. */
  | { code: 'work-under-way'; service: string; sha: string; stage: string }
  /** The stage or the target is no longer in the configuration. */
  | { code: 'not-configured'; target: string }
  | { code: 'plan-impossible'; problem: Impossible };

/** The refusals that a person meets most often name who could do it instead: see `whoCan` in authorize. */
export type RefusalCode = Refusal['code'];
