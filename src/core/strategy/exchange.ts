import { chosenOf, fresh, inPlace, missingRegions, runsWished, swap, wantedCount } from './chains.ts';
import { type Ground, type NewId, type Plan, type Planned, usualOnes, type Wish } from './ground.ts';

/** How many may be more than usual, and how many fewer, while instances are exchanged. */
export type Room = { maxSurge: number; maxUnavailable: number };

/**
 * Exchanges the chosen ones, batch by batch: as many new ones beside as there is room for, as many in place as may be
 * missing. What does not serve anyway goes first, since it costs nothing. Impossible when so many others are down that
 * nothing may be taken out.
 */
export function exchange(ground: Ground, wish: Wish, room: Room, newId: NewId): Planned {
  const chosen = chosenOf(ground, wish);
  const changing = chosen.filter((one) => !one.isServing || !runsWished(ground, wish, one));
  const down = changing.filter((one) => !one.isServing);
  const up = changing.filter((one) => one.isServing);
  const downElsewhere = usualOnes(ground).filter((one) => !one.isServing && !changing.includes(one));
  const inPlaceAtOnce = Math.max(0, room.maxUnavailable - downElsewhere.length);
  const atOnce = room.maxSurge + inPlaceAtOnce;
  if (up.length > 0 && atOnce === 0) {
    const names = downElsewhere.map((one) => one.id).join(', ');
    return { impossible: `${names} does not serve, and no more than ${room.maxUnavailable} may be missing` };
  }
  const isMissing = missingRegions(ground, usualOnes(ground), wantedCount(ground, wish) - chosen.length);
  const plan: Plan = [
    isMissing.map((region) => fresh(wish, region, newId, false)),
    down.map((one) => inPlace(ground, wish, one)),
  ];
  for (let at = 0; at < up.length; at += atOnce) {
    const batch = up.slice(at, at + atOnce);
    plan.push(batch.map((one, lane) => (lane < room.maxSurge ? swap(wish, one, newId) : inPlace(ground, wish, one))));
  }
  return { plan };
}
