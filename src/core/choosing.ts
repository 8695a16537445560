import { type Decision, ignored } from './decision.ts';
import { enter } from './door.ts';
import type { Choice } from './event.ts';
import { beginStep, pass } from './forward.ts';
import { clear } from './gate.ts';
import { stageAt, stepAt } from './plan.ts';
import { quietAt } from './quiet.ts';
import { rollBack } from './retreat.ts';
import type { Phase, Rollout } from './rollout.ts';
import { beginStage } from './stage.ts';
import { recordStep, touchedIn } from './step.ts';
import { verify } from './verifying.ts';

/** A choice that goes on in spite of what was found: it needs a reason. */
export type ReasonedChoice = Extract<Choice, 'continue' | 'go-on-without' | 'begin-anyway'>;

export function isReasoned(choice: Choice): choice is ReasonedChoice {
  return choice === 'continue' || choice === 'go-on-without' || choice === 'begin-anyway';
}

/** What a person may choose now. A hold can still be taken back or tried again. */
export function choicesOf(phase: Phase): Choice[] {
  switch (phase.is) {
    case 'deciding':
      return phase.choices;
    case 'holding':
      return phase.choices;
    default:
      return [];
  }
}

/** What still leads out of a hold: whatever passes no step. */
const HOLD_ENDS_BY: Choice[] = ['retry', 'roll-back', 'begin-anyway'];

/** Carries out a choice, a person's or the countdown's. */
export function choose(rollout: Rollout, choice: Choice, by: string, because: string | null, nowMs: number): Decision {
  const { phase } = rollout;
  if (phase.is !== 'deciding' && phase.is !== 'holding') return ignored(rollout, 'nothing to decide');
  const { at } = phase;
  switch (choice) {
    case 'retry': {
      const retried = recordStep(rollout, at, nowMs, 'retried');
      // Nothing of this stage was touched: what runs there may not even have been read yet.
      return touchedIn(rollout, at).length === 0 ? beginStage(retried, at, nowMs) : beginStep(retried, at, nowMs);
    }
    case 'roll-back':
      return rollBack(rollout, at, phase.trouble, phase.judgement, nowMs, null);
    case 'go-on-without':
      return goOnWithout(rollout, phase, by, because ?? '', nowMs);
    case 'begin-anyway':
      return beginShort(rollout, phase, by, because ?? '', nowMs);
    case 'continue':
      return pass(rollout, at, nowMs, 'continued');
    case 'hold':
      return enter(
        rollout,
        {
          is: 'holding',
          sinceMs: nowMs,
          at,
          by,
          because,
          trouble: phase.trouble,
          judgement: phase.judgement,
          choices: phase.choices.filter((one) => HOLD_ENDS_BY.includes(one)),
        },
        [],
        nowMs,
      );
  }
}

/** The step begins without the question for capacity; whatever else must hold before a step is read again. */
function beginShort(
  rollout: Rollout,
  { trouble, at }: Extract<Phase, { is: 'deciding' | 'holding' }>,
  by: string,
  because: string,
  nowMs: number,
): Decision {
  if (trouble.code !== 'short-of-capacity') return ignored(rollout, 'capacity was not asked for');
  const begun = {
    stage: stageAt(rollout.plan, at).name,
    step: stepAt(rollout.plan, at).name,
    by,
    because,
    atMs: nowMs,
  };
  return clear({ ...rollout, begunShort: [...rollout.begunShort, begun] }, at, nowMs);
}

/** The instances that were named are left as they are, and everything else is read back once more. */
function goOnWithout(
  rollout: Rollout,
  phase: Extract<Phase, { is: 'deciding' | 'holding' }>,
  by: string,
  because: string,
  nowMs: number,
): Decision {
  const { trouble, at } = phase;
  if (trouble.code !== 'partial') return ignored(rollout, 'no instance was named');
  const left = trouble.instances.map(({ target, id }) => ({ target, id, by, because, atMs: nowMs }));
  return verify({ ...rollout, without: [...rollout.without, ...left] }, at, quietAt(rollout, at) ?? [], nowMs);
}
