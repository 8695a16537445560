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
  const next: Rollout = { ...rollout, phase, generation: rollout.generation + 1, stumble: null };
  if (isOver(next)) next.endedAtMs = nowMs;
  return {
    rollout: next,
    effects: [...drafts, ...told(next)].map((draft) => keyed(next, draft)),
    facts: [],
    answer: { is: 'changed' },
  };
}

/** An effect of the phase that the rollout is in, under a key that the state alone determines. */
export function keyed(rollout: Rollout, draft: Draft): Effect {
  const detail = 'target' in draft ? draft.target : 'timer' in draft ? draft.timer : 'what' in draft ? draft.what : '';
  const round = 'round' in draft ? `#${draft.round}` : '';
  const key = `${rollout.id}/${rollout.generation}/${draft.kind}${detail && `/${detail}`}${round}`;
  return { afterMs: 0, ...draft, key, generation: rollout.generation } as Effect;
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
