import { isOver, type Rollout } from './rollout.ts';
import { touchedIn } from './step.ts';

/** What should happen on a lane now: one rollout may start, those that a newer green one makes pointless end. */
export type LaneMove = { start: string | null; supersede: { id: string; byRollout: string; bySha: string }[] };

/**
 * One rollout at a time on a lane; the newest green release runs, those in between are superseded with a reason (G8).
 * A rollout that waits at a gate or holds for a hotfix gives way to a newer green one instead of keeping the lane.
 * `rollouts`: all of the lane that are not over.
 */
export function nextInLane(rollouts: Rollout[]): LaneMove {
  const open = rollouts.filter((one) => !isOver(one) && one.kind === 'release');
  const newest = open.filter((one) => one.phase.is === 'queued').sort(newestFirst)[0];
  if (!newest) return { start: null, supersede: [] };
  const isBusy = rollouts.some((one) => occupies(one) && !(givesWay(one) && isNewer(newest, one)));
  const supersede = open
    .filter((one) => one.id !== newest.id && isNewer(newest, one) && givesWay(one))
    .map((one) => ({ id: one.id, byRollout: newest.id, bySha: newest.release.sha }));
  return { start: isBusy ? null : newest.id, supersede };
}

/** Started and not over: it may have effects on the targets. */
export function occupies(rollout: Rollout): boolean {
  return !isOver(rollout) && rollout.phase.is !== 'building' && rollout.phase.is !== 'queued';
}

/** Superseding it leaves no half-finished work behind, or a newer release is what it waits for. */
export function givesWay(rollout: Rollout): boolean {
  switch (rollout.phase.is) {
    case 'building':
    case 'queued':
    case 'holding':
      return true;
    case 'gated':
      return touchedIn(rollout, rollout.phase.at).length === 0;
    default:
      return false;
  }
}

function isNewer(a: Rollout, b: Rollout): boolean {
  return newestFirst(a, b) < 0;
}

/** By the commit's place on the default branch, then by the order in which they were asked for. */
function newestFirst(a: Rollout, b: Rollout): number {
  return (
    b.release.mergedAtMs - a.release.mergedAtMs ||
    (a.release.id < b.release.id ? 1 : a.release.id > b.release.id ? -1 : 0) ||
    (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
  );
}
