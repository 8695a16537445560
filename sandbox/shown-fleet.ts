import type { Fleet } from './fleet/fleet.ts';
import type { Releases } from './releases.ts';
import type { FleetState } from './slack/page/outlook.ts';

/** How often the failures of a target are counted anew, in milliseconds. */
const COUNT_EVERY_MS = 2_000;

type Mark = { atMs: number; failed: number; perSecond: number };

/** The fleet as the page shows it: versions by the pull request that made them. */
export function shownFleet(fleet: Fleet, releases: Releases): () => FleetState {
  const marks = new Map<string, Mark>();

  function failedPerSecond(target: string, failed: number): number {
    const nowMs = Date.now();
    const mark = marks.get(target) ?? { atMs: nowMs, failed, perSecond: 0 };
    marks.set(target, mark);
    const ageMs = nowMs - mark.atMs;
    if (ageMs < COUNT_EVERY_MS) return mark.perSecond;
    const perSecond = (1000 * (failed - mark.failed)) / ageMs;
    marks.set(target, { atMs: nowMs, failed, perSecond });
    return perSecond;
  }

  return () => ({
    targets: fleet.state().targets.map(({ target, instances, rps, failed }) => ({
      name: target,
      requestsPerSecond: rps,
      failedPerSecond: failedPerSecond(target, failed),
      instances: instances.map(({ id, digest, role, isHealthy, isServing }) => ({
        name: id,
        version: releases.nameOf(digest),
        healthy: isHealthy,
        state: role === 'idle' ? 'idle' : !isServing ? 'replaced' : role === 'stable' ? 'serving' : role,
      })),
    })),
  });
}
