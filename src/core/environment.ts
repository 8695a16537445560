import { type Decision, ignored, stayed } from './decision.ts';
import { type Draft, keyed } from './door.ts';
import type { Event } from './event.ts';
import type { Rollout } from './rollout.ts';

type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

/** A removal that was refused for good is asked for anew after this long: nothing is left behind. */
export const REMOVE_AGAIN_MS = 60_000;

/** What was made for this release alone is gone. This may come long after the rollout has ended. */
export function removed(rollout: Rollout, event: Of<'removed'>): Decision {
  const isAwaited = rollout.environments.some((one) => one.target === event.target && one.isLeaving);
  if (!isAwaited) return ignored(rollout, 'no environment that is being removed');
  const environments = rollout.environments.filter((one) => one.target !== event.target);
  return stayed({ ...rollout, environments });
}

/** The platform refuses to remove it: the person on call is told once, and it goes on trying. */
export function notRemoved(rollout: Rollout, event: Of<'remove-failed'>): Decision {
  const { target, round } = event;
  if (!rollout.environments.some((one) => one.target === target && one.isLeaving)) {
    return ignored(rollout, 'no environment that is being removed');
  }
  const stumble = {
    effect: 'remove',
    detail: event.detail,
    attempts: round + 1,
    sinceMs: rollout.stumble?.sinceMs ?? event.atMs,
  };
  const next: Rollout = { ...rollout, stumble };
  const again: Draft = { kind: 'remove', target, round: round + 1, afterMs: REMOVE_AGAIN_MS };
  const page: Draft = { kind: 'page', who: rollout.spec.onCall, phase: rollout.phase, round: round + 1 };
  return stayed(
    next,
    (round === 0 ? [again, page] : [again]).map((draft) => keyed(next, draft)),
  );
}
