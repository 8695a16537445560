import { occupies } from '../../../src/core/lane.ts';
import type { Rollout } from '../../../src/core/rollout.ts';
import { Violation } from './violation.ts';

/** T6: one rollout at a time on a lane. */
export function checkLanes(rollouts: Rollout[]): void {
  const busy = rollouts.filter(occupies);
  if (busy.length > 1) throw new Violation('T6', `${busy.map((one) => `${one.id} ${one.phase.is}`)} share a lane`);
}

/** T7: what succeeded is never older than what succeeded before it. */
export function checkOrder(rollouts: Rollout[]): void {
  const shipped = rollouts
    .filter((one) => one.phase.is === 'succeeded' && one.kind === 'release')
    .sort((a, b) => (a.endedAtMs ?? 0) - (b.endedAtMs ?? 0) || (a.id < b.id ? -1 : 1));
  for (const [index, one] of shipped.entries()) {
    const before = shipped[index - 1];
    if (before && before.release.mergedAtMs > one.release.mergedAtMs && before.endedAtMs !== one.endedAtMs) {
      throw new Violation('T7', `${one.release.title} shipped after ${before.release.title}`);
    }
  }
}
