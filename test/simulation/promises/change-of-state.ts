import { type Position, stageAt, stepAt } from '../../../src/core/plan.ts';
import type { Phase, Rollout, StepRecord } from '../../../src/core/rollout.ts';
import type { Universe } from '../universe.ts';

/** One decision about a rollout as it is written, and the time at which it was made. */
export type ChangeOfState = { before: Rollout; after: Rollout; universe: Universe };

export type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;

export function hasMoved({ before, after }: Pick<ChangeOfState, 'before' | 'after'>): boolean {
  return before.generation !== after.generation;
}

/** The step that this decision ended well, where it did. */
export function passedIn({ before, after }: Pick<ChangeOfState, 'before' | 'after'>): StepRecord | null {
  if (!hasMoved({ before, after }) || !('at' in before.phase)) return null;
  return after.steps.find((one) => one.ended === 'passed' && !before.steps.includes(one) && isNew(one, before)) ?? null;
}

function isNew(record: StepRecord, before: Rollout): boolean {
  return !before.steps.some(
    (one) => one.stage === record.stage && one.step === record.step && one.endedAtMs === record.endedAtMs,
  );
}

/** `r1/staging/all`: a step of a rollout, however often it is tried. */
export function nameOf(rollout: Rollout, at: Position): string {
  return `${rollout.id}/${stageAt(rollout.plan, at).name}/${stepAt(rollout.plan, at).name}`;
}
