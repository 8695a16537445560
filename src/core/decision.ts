import type { Approval } from './approval.ts';
import type { Effect } from './effect.ts';
import type { Choice } from './event.ts';
import type { Refusal } from './refusal.ts';
import type { Artifact } from './release.ts';
import type { Rollout } from './rollout.ts';

/** A fact that gets a row of its own, in the transaction of the decision that made it. */
export type Fact =
  | { fact: 'approval'; stage: string; verdict: 'approved' | 'rejected'; approval: Approval; because: string | null }
  | {
      fact: 'decision';
      by: string;
      name: string;
      choice: Choice | 'rollback' | 'abort';
      because: string | null;
      atMs: number;
    }
  /** Read back on every instance of the target. */
  | { fact: 'placed'; stage: string; target: string; artifact: Artifact; atMs: number }
  /** Every step of the stage passed: a rollback may come back to this. */
  | { fact: 'good'; stage: string; targets: string[]; artifact: Artifact; atMs: number }
  /** What the lane wishes to run from now on. */
  | { fact: 'desired'; artifact: Artifact; atMs: number };

/** What came of one event. `ignored` and `refused` change nothing, and are recorded. */
export type Decision = {
  rollout: Rollout;
  effects: Effect[];
  facts: Fact[];
  answer: { is: 'changed' } | { is: 'ignored'; why: string } | { is: 'refused'; refusal: Refusal };
};

export function ignored(rollout: Rollout, why: string): Decision {
  return { rollout, effects: [], facts: [], answer: { is: 'ignored', why } };
}

export function refused(rollout: Rollout, refusal: Refusal): Decision {
  return { rollout, effects: [], facts: [], answer: { is: 'refused', refusal } };
}

/** The state changed within its phase. */
export function stayed(rollout: Rollout, effects: Effect[] = [], facts: Fact[] = []): Decision {
  return { rollout, effects, facts, answer: { is: 'changed' } };
}

export function withFacts(decision: Decision, facts: Fact[]): Decision {
  return { ...decision, facts: [...facts, ...decision.facts] };
}
