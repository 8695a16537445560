import type { Approval } from './approval.ts';
import type { Effect } from './effect.ts';
import type { Choice } from './event.ts';
import type { Judgement, Verdict } from './judge/verdict.ts';
import { type Position, stageAt, stepAt } from './plan.ts';
import type { Refusal } from './refusal.ts';
import type { Artifact } from './release.ts';
import type { Rollout } from './rollout.ts';
import type { Trouble } from './trouble.ts';

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
  /**
   * Read back on every instance of the target. `config`: the checksum that all of them had; null: not known. `without`:
   * the instances that a named person decided to go on without.
   */
  | {
      fact: 'placed';
      stage: string;
      target: string;
      artifact: Artifact;
      config: string | null;
      without: string[];
      atMs: number;
    }
  /** A downgrade failed before production: this release is never rolled back, in whichever rollout it travels. */
  | { fact: 'roll-forward-only'; because: Trouble; atMs: number }
  /** Every step of the stage passed: a rollback may come back to this. */
  | { fact: 'good'; stage: string; targets: string[]; artifact: Artifact; atMs: number }
  /** What the lane wishes to run from now on. */
  | { fact: 'desired'; artifact: Artifact; atMs: number }
  /** One judged look at a step: what a picture is drawn from. `sinceMs`: when the step began to be watched. */
  | {
      fact: 'looked';
      stage: string;
      step: string;
      round: number;
      sinceMs: number;
      atMs: number;
      signals: SignalLook[];
    };

/** `baseline`: what it was held against at that time, or what was measured before the step; null: neither. */
export type SignalLook = { signal: string; now: number | null; baseline: number | null; verdict: Verdict };

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

/** The look that came to this judgement, to be kept. */
export function lookedAt(rollout: Rollout, at: Position, round: number, judgement: Judgement): Fact {
  return {
    fact: 'looked',
    stage: stageAt(rollout.plan, at).name,
    step: stepAt(rollout.plan, at).name,
    round,
    sinceMs: 'sinceMs' in rollout.phase ? rollout.phase.sinceMs : judgement.atMs,
    atMs: judgement.atMs,
    signals: judgement.signals.map(({ signal, now, baseline, before, verdict }) => {
      return { signal, now, baseline: baseline ?? before, verdict };
    }),
  };
}
