import type { Decision } from './decision.ts';
import type { Effect } from './effect.ts';
import { isOver, type Phase, type Rollout } from './rollout.ts';

type WithoutKey<E> = E extends Effect ? Omit<E, 'key' | 'generation' | 'afterMs'> & { afterMs?: number } : never;

/** An effect before the door has given it its key. */
export type Draft = WithoutKey<Effect>;

/**
 * The one door between phases: the generation grows, so that whatever the last phase still owed is cancelled and its
 * late answers change nothing; people are told; an end is dated.
 */
export function enter(rollout: Rollout, phase: Phase, drafts: Draft[], nowMs: number): Decision {
  const entered: Rollout = { ...rollout, phase, generation: rollout.generation + 1, stumble: null };
  if (isOver(entered)) entered.endedAtMs = nowMs;
  const leaving = environmentsLeft(entered);
  const environments = entered.environments.map((one) =>
    leaving.includes(one.target) ? { ...one, isLeaving: true } : one,
  );
  const next: Rollout = leaving.length > 0 ? { ...entered, environments } : entered;
  const removals: Draft[] = leaving.map((target) => ({ kind: 'remove', target, round: 0 }));
  return {
    rollout: next,
    effects: [...drafts, ...removals, ...told(next)].map((draft) => keyed(next, draft)),
    facts: [],
    answer: { is: 'changed' },
  };
}

/**
 * What was made for this release alone and is not needed any more: the stage is over, however it ended. Owed here, at the
 * one door, so that no way out of a stage can forget it.
 */
function environmentsLeft({ phase, plan, environments }: Rollout): string[] {
  const stage = 'at' in phase ? plan.stages[phase.at.stage] : undefined;
  const needed = stage?.isEphemeral ? stage.steps.flatMap((step) => step.targets) : [];
  return environments.filter((one) => !one.isLeaving && !needed.includes(one.target)).map((one) => one.target);
}

/** An effect of the phase that the rollout is in, under a key that the state alone determines. */
export function keyed(rollout: Rollout, draft: Draft): Effect {
  const detail = detailOf(draft);
  const round = 'round' in draft ? `#${draft.round}` : 'tryNumber' in draft ? `#${draft.tryNumber}` : '';
  const key = `${rollout.id}/${rollout.generation}/${draft.kind}${detail && `/${detail}`}${round}`;
  return { afterMs: 0, ...draft, key, generation: rollout.generation } as Effect;
}

function detailOf(draft: Draft): string {
  if ('check' in draft && 'target' in draft) return `${draft.target}/${draft.check.name}`;
  if ('target' in draft) return draft.target;
  return 'timer' in draft ? draft.timer : 'what' in draft ? draft.what : '';
}

/** Broadcasts are for three moments only: it waits for you, it failed, it finished. A page goes to one person. */
function told(rollout: Rollout): Draft[] {
  const { phase } = rollout;
  switch (phase.is) {
    case 'gated':
      return [{ kind: 'announce', what: 'waiting', phase }];
    case 'deciding':
      return [
        { kind: 'announce', what: 'waiting', phase },
        { kind: 'page', who: rollout.spec.onCall, phase, round: 0 },
      ];
    case 'rolling-back':
    case 'failed':
      return [{ kind: 'announce', what: 'failed', phase }];
    case 'succeeded':
    case 'rolled-back':
    case 'aborted':
      return [{ kind: 'announce', what: 'finished', phase }];
    default:
      return [];
  }
}
