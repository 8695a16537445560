import type { Strategy } from '../target.ts';
import { clearing, missingRegions, relabelling, runsWished } from './chains.ts';
import { type Chain, type Ground, type NewId, type Planned, usualCount, usualOnes, type Wish } from './ground.ts';
import { besides } from './weight.ts';

/**
 * All instances anew, then one switch; the old colour stays idle for a while. While it does, the way back is the switch
 * alone. A share of less than all is that many of the new colour beside, with that share of the traffic.
 */
export function blueGreen(ground: Ground, wish: Wish<Extract<Strategy, { is: 'blue-green' }>>, newId: NewId): Planned {
  if (wish.share < 1) return { plan: besides(ground, wish, newId) };
  const current = usualOnes(ground);
  const isThere = current.filter((one) => one.isServing && runsWished(ground, wish, one));
  if (isThere.length === usualCount(ground) && current.length === isThere.length) {
    const leftovers = clearing(ground, wish, (one) => one.role === 'idle' && !wish.isWayBack);
    return { plan: [[[{ do: 'split', split: null }]], [...leftovers, ...relabelling(ground, wish, current, [])]] };
  }
  const usual = new Set(current);
  const reused = ground.instances.filter(
    (one) => !usual.has(one) && one.role !== 'baseline' && runsWished(ground, wish, one),
  );
  const started: Chain[] = missingRegions(ground, reused, usualCount(ground)).map((region) => [
    { do: 'start', id: newId(region), region, digest: wish.digest, role: 'stable', isBeside: true },
  ]);
  const to = [
    ...reused.map((one) => one.id),
    ...started.flat().flatMap((move) => (move.do === 'start' ? move.id : [])),
  ];
  const { keepMs, drainMs } = wish.strategy;
  const isKept = keepMs > 0 && !wish.isWayBack;
  const old = current.map(
    (one): Chain => [
      { do: 'drain', id: one.id, drainMs },
      { do: 'stop', id: one.id },
    ],
  );
  return {
    plan: [
      clearing(ground, wish, (one) => reused.includes(one)),
      started,
      [[{ do: 'switch', to, keepMs: isKept ? keepMs : 0 }]],
      isKept ? [] : old,
    ],
  };
}
