import type { Strategy } from '../target.ts';
import { chosenOf, clearing, freshBaselines, relabelling } from './chains.ts';
import { exchange, type Room } from './exchange.ts';
import { type Ground, type NewId, type Planned, usualOnes, type Wish } from './ground.ts';

/** Instance by instance, each drained before it ends. With surge a new instance comes first; without, in place. */
export function rolling(ground: Ground, wish: Wish<Extract<Strategy, { is: 'rolling' }>>, newId: NewId): Planned {
  return exchangeAlone(ground, wish, wish.strategy, newId);
}

/** An exchange that leaves nothing beside the usual ones but the baselines that are wished. */
export function exchangeAlone(ground: Ground, wish: Wish, room: Room, newId: NewId): Planned {
  const chosen = chosenOf(ground, wish);
  const exchanged = exchange(ground, wish, room, newId);
  if ('impossible' in exchanged) return exchanged;
  const [missing = [], down = [], ...batches] = exchanged.plan;
  const [first = [], ...others] = batches;
  const leftovers = [...clearing(ground, wish, () => false), ...relabelling(ground, wish, usualOnes(ground), chosen)];
  const baselines = freshBaselines(wish, chosen, newId);
  // Together with the canary: what both have seen is the same time.
  return { plan: [[[{ do: 'split', split: null }]], leftovers, missing, down, [...first, ...baselines], ...others] };
}
