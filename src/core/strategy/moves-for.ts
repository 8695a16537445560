import { assertNever } from '../assert.ts';
import { blueGreen } from './blue-green.ts';
import { planOf } from './chains.ts';
import type { Ground, NewId, Planned, Wish } from './ground.ts';
import { replace } from './replace.ts';
import { rolling } from './rolling.ts';
import { symlink } from './symlink.ts';
import { weight } from './weight.ts';

/**
 * What a platform does to get a target to what is wished, move by move. Pure: the plan can be printed, and how much will
 * serve meanwhile is known before anything happens. Promises: drained before it ends; never more beside or fewer serving
 * than the strategy allows, whatever order the chains of a batch take; a canary's baselines come in together with it, and
 * are gone with the next change.
 */
export function movesFor(ground: Ground, wish: Wish, newId: NewId): Planned {
  const planned = byStrategy(ground, wish, newId);
  return 'plan' in planned ? { plan: planOf(planned.plan) } : planned;
}

function byStrategy(ground: Ground, wish: Wish, newId: NewId): Planned {
  const { strategy } = wish;
  switch (strategy.is) {
    case 'rolling':
      return rolling(ground, { ...wish, strategy }, newId);
    case 'weight':
      return weight(ground, { ...wish, strategy }, newId);
    case 'blue-green':
      return blueGreen(ground, { ...wish, strategy }, newId);
    case 'replace':
      return replace(ground, { ...wish, strategy }, newId);
    case 'symlink':
      return symlink(ground, { ...wish, strategy }, newId);
    default:
      return assertNever(strategy, 'This strategy');
  }
}
