import type { Strategy } from '../target.ts';
import {
  chosenOf,
  clearing,
  fresh,
  freshBaselines,
  missingRegions,
  relabelling,
  runsWished,
  swap,
  wantedCount,
} from './chains.ts';
import { type Ground, type NewId, type Planned, usualOnes, type Wish } from './ground.ts';

/** One new instance after the other, each before its old one goes. Nothing is ever changed in place. */
export function replace(ground: Ground, wish: Wish<Extract<Strategy, { is: 'replace' }>>, newId: NewId): Planned {
  const chosen = chosenOf(ground, wish);
  const changing = chosen.filter((one) => !one.isServing || !runsWished(ground, wish, one));
  const missing = missingRegions(ground, usualOnes(ground), wantedCount(ground, wish) - chosen.length);
  const [first, ...others] = [
    ...missing.map((region) => fresh(wish, region, newId, false)),
    // What does not serve anyway goes first.
    ...changing.sort((a, b) => Number(a.isServing) - Number(b.isServing)).map((one) => swap(wish, one, newId)),
  ];
  return {
    plan: [
      [[{ do: 'split', split: null }]],
      [...clearing(ground, wish, () => false), ...relabelling(ground, wish, usualOnes(ground), chosen)],
      [...(first ? [first] : []), ...freshBaselines(wish, chosen, newId)],
      ...others.map((chain) => [chain]),
    ],
  };
}
