import type { Rollout } from '../../core/rollout.ts';

/** Fewer than this say nothing about how long it usually takes. */
const ENOUGH = 5;

/** How long releases of the same stages took that succeeded, waiting for people included; null: too few of them. */
export function etaOf(rollout: Rollout, history: Rollout[]): { p50Ms: number; p90Ms: number } | null {
  const stages = (one: Rollout) => one.plan.stages.map((stage) => stage.name).join('\n');
  const took = history
    .filter((one) => one.phase.is === 'succeeded' && one.kind === rollout.kind && stages(one) === stages(rollout))
    .map((one) => (one.endedAtMs ?? Number.NaN) - one.createdAtMs)
    .filter((ms) => ms >= 0)
    .sort((a, b) => a - b);
  if (took.length < ENOUGH) return null;
  const at = (share: number) => took[Math.min(took.length - 1, Math.ceil(share * took.length) - 1)] ?? 0;
  return { p50Ms: at(0.5), p90Ms: at(0.9) };
}
