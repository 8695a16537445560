import type { Strategy } from '../target.ts';
import type { Ground, NewId, Planned, Wish } from './ground.ts';
import { exchangeAlone } from './rolling.ts';

/** On each host: the release beside the old one, the link switched, then the service started anew from it. */
export function symlink(ground: Ground, wish: Wish<Extract<Strategy, { is: 'symlink' }>>, newId: NewId): Planned {
  return exchangeAlone(ground, wish, { maxSurge: 0, maxUnavailable: wish.strategy.maxUnavailable }, newId);
}
