import type { Decision } from './decision.ts';
import type { Event } from './event.ts';
import { ask } from './retreat.ts';
import type { Phase, Rollout } from './rollout.ts';
import type { Shortage } from './trouble.ts';

/** Capacity that is not enough is looked at again after this long. */
export const CAPACITY_AGAIN_MS = 15_000;

/**
 * Why a step may not begin on a target; null: what serves while it runs can bear the load, or nobody said what an
 * instance can bear. A load that could not be read is not enough evidence.
 */
export function shortageOf(read: Extract<Event, { type: 'capacity-read' }>): Shortage | null {
  const { capacity, load, perInstance, detail } = read;
  if (perInstance === null) return null;
  const { target, serving, servingDuring } = capacity;
  const isRead = load !== null && Number.isFinite(load) && load >= 0 && perInstance > 0;
  const needed = isRead ? Math.ceil(load / perInstance - 1e-9) : null;
  if (needed !== null && servingDuring >= needed) return null;
  return { target, serving, servingDuring, needed, load: isRead ? load : null, perInstance, detail };
}

/** It waited for capacity for as long as the stage allows: a person is asked, with the numbers. */
export function capacityOverdue(rollout: Rollout, phase: Extract<Phase, { is: 'clearing' }>, nowMs: number): Decision {
  const { waitingFor, shortages } = phase.capacity;
  const perInstance = rollout.spec.traffic?.perInstance ?? 0;
  const unread = waitingFor
    .filter((target) => !shortages.some((one) => one.target === target))
    .map((target): Shortage => {
      const detail = rollout.stumble?.detail ?? '';
      return { target, serving: 0, servingDuring: 0, needed: null, load: null, perInstance, detail };
    });
  return ask(rollout, phase.at, { code: 'short-of-capacity', shortages: [...shortages, ...unread] }, null, nowMs);
}
