import type { Event } from './event.ts';
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
