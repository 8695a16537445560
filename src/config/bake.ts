import type { BakeSpec } from '../core/pipeline.ts';
import type { BakeFile } from './rollout-schema.ts';

const DEFAULT_FOR_MS = 10 * 60_000;
const DEFAULT_EVERY_MS = 30_000;
const DEFAULT_PATIENCE_MS = 30 * 60_000;

/**
 * With its defaults: ten minutes, or a canary's whole traffic cycle; judged every 30 s; on-call is asked when it is not
 * healthy half an hour after it should have been.
 */
export function bakeSpec(bake: BakeFile, trafficCycleMs: number | null = null): BakeSpec {
  const forMs = bake.for ?? Math.max(DEFAULT_FOR_MS, trafficCycleMs ?? 0);
  return {
    forMs,
    everyMs: bake.every ?? Math.min(DEFAULT_EVERY_MS, forMs),
    deadlineMs: bake.deadline ?? forMs + DEFAULT_PATIENCE_MS,
  };
}
