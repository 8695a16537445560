import type { Strategy } from '../target.ts';
import {
  chosenOf,
  clearing,
  fresh,
  freshBaselines,
  missingRegions,
  relabelling,
  removal,
  runsWished,
  wantedCount,
} from './chains.ts';
import { exchange } from './exchange.ts';
import { type Ground, type NewId, type Placed, type Plan, type Planned, usualOnes, type Wish } from './ground.ts';
import { exchangeAlone } from './rolling.ts';

/** In place when something beside serves meanwhile, otherwise a new one first: there are never fewer than usual. */
const IN_PLACE = { maxSurge: 0, maxUnavailable: 1 };
const NEW_FIRST = { maxSurge: 1, maxUnavailable: 0 };

/** A share of the traffic goes to instances beside the old ones; the last step replaces those and removes what was beside. */
export function weight(ground: Ground, wish: Wish<Extract<Strategy, { is: 'weight' }>>, newId: NewId): Planned {
  if (wish.share < 1) return { plan: besides(ground, wish, newId) };
  const beside = besideOf(ground, wish);
  // On a way back what is beside runs something else: it is what hurts, and goes first.
  if (beside.length === 0) return exchangeAlone(ground, wish, NEW_FIRST, newId);
  const exchanged = exchange(ground, wish, IN_PLACE, newId);
  if ('impossible' in exchanged) return exchanged;
  return {
    plan: [
      [[{ do: 'split', split: null }]],
      [
        ...clearing(ground, wish, (one) => beside.includes(one)),
        ...relabelling(ground, wish, [...usualOnes(ground), ...beside], chosenOf(ground, wish)),
      ],
      ...exchanged.plan,
      beside.map((one) => removal(one, wish.strategy.drainMs)),
    ],
  };
}

/** As many instances beside the usual ones as the share is, with that share of the traffic. */
export function besides(ground: Ground, wish: Wish, newId: NewId): Plan {
  const wanted = wantedCount(ground, wish);
  const stay = besideOf(ground, wish).slice(0, wanted);
  const started = missingRegions(ground, stay, wanted - stay.length);
  const all = [...stay, ...started.map((region) => ({ region }))];
  return [
    // Before they come in: none of them ever gets more than its share.
    [[{ do: 'split', split: { digest: wish.digest, share: wish.share } }]],
    [
      ...clearing(ground, wish, (one) => stay.includes(one)),
      ...relabelling(ground, wish, [...usualOnes(ground), ...stay], stay),
    ],
    [...started.map((region) => fresh(wish, region, newId, true)), ...freshBaselines(wish, all, newId)],
  ];
}

/** Those beside that run the artifact already. */
export function besideOf(ground: Ground, wish: Wish): Placed[] {
  return ground.instances.filter(
    (one) => one.isBeside && one.role !== 'baseline' && one.isServing && runsWished(ground, wish, one),
  );
}
