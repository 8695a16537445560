import { assertNever } from '../assert.ts';
import type { Capacity, InstanceRole } from '../target.ts';
import { type Chain, type Ground, type Move, type Placed, type Planned, usualCount } from './ground.ts';
import { movesFor } from './moves-for.ts';

/** The ground after one move, as it goes when nothing fails. */
export function play(ground: Ground, move: Move): Ground {
  const change = (id: string, part: Partial<Placed>): Ground => ({
    ...ground,
    instances: ground.instances.map((one) => (one.id === id ? { ...one, ...part } : one)),
  });
  const { config } = ground;
  switch (move.do) {
    case 'start': {
      const { id, region, digest, role, isBeside } = move;
      const started = { id, region, digest, config, role, isBeside, isHealthy: true, isServing: false };
      return { ...ground, instances: [...ground.instances, started] };
    }
    case 'link':
      return ground;
    case 'restart':
      return change(move.id, { digest: move.digest, config, role: move.role, isHealthy: true, isServing: false });
    case 'admit':
      return change(move.id, { isServing: true });
    case 'drain':
      return change(move.id, { isServing: false });
    case 'stop':
      return { ...ground, instances: ground.instances.filter((one) => one.id !== move.id) };
    case 'label':
      return change(move.id, { role: move.role });
    case 'split':
      return { ...ground, split: move.split };
    case 'switch':
      return { ...ground, split: null, instances: ground.instances.map((one) => switched(one, move.to)) };
    default:
      return assertNever(move, 'This move');
  }
}

function switched(one: Placed, to: string[]): Placed {
  const serves = to.includes(one.id);
  const role: InstanceRole = serves ? 'stable' : 'idle';
  return { ...one, role, isServing: serves, isBeside: false };
}

/** How much serves now, and how much will at least while this change is carried out. */
export function capacityOf(
  target: string,
  ground: Ground,
  change: Pick<Parameters<typeof movesFor>[1], 'share' | 'strategy'>,
): Capacity {
  const there = ground.instances.filter((one) => one.role !== 'idle');
  const serving = servingOf(ground);
  // Of a version that runs nowhere yet: nothing can be left as it is.
  const wish = { ...change, digest: '', instances: null, isCanary: false, baseline: null, isWayBack: false };
  let made = 0;
  const planned = movesFor(ground, wish, () => `planned ${++made}`);
  return {
    target,
    instances: Math.max(there.length, usualCount(ground)),
    serving,
    servingDuring: leastServing(ground, planned),
  };
}

/** The fewest that serve at any time, whatever order the chains of a batch take. */
export function leastServing(ground: Ground, planned: Planned): number {
  let least = servingOf(ground);
  if ('impossible' in planned) return least;
  let now = ground;
  for (const batch of planned.plan) {
    const before = servingOf(now);
    const losses = batch.map((chain) => before - lowestOf(now, chain));
    least = Math.min(least, before - losses.reduce((sum, loss) => sum + loss, 0));
    for (const move of batch.flat()) now = play(now, move);
  }
  return Math.max(0, least);
}

function lowestOf(ground: Ground, chain: Chain): number {
  let lowest = servingOf(ground);
  let now = ground;
  for (const move of chain) {
    now = play(now, move);
    lowest = Math.min(lowest, servingOf(now));
  }
  return lowest;
}

function servingOf(ground: Ground): number {
  return ground.instances.filter((one) => one.isServing).length;
}
