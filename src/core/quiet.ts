import type { Measurement } from './judge/signal.ts';
import { type Position, stageAt } from './plan.ts';
import type { Quiet, Rollout } from './rollout.ts';
import { targetsAt } from './step.ts';

/**
 * How the signals were before this rollout touched the targets of the step; null: it has not touched them yet, so that
 * they can still be measured. Otherwise a step that is tried again, or comes after the canary, would be excused by what
 * the release itself did: it was bad before.
 */
export function quietAt(rollout: Rollout, at: Position): Measurement[] | null {
  const targets = targetsAt(rollout, at);
  if (!targets.some((target) => rollout.touched.includes(target))) return null;
  return (
    kept(rollout, at).findLast((one) => one.targets.some((target) => targets.includes(target)))?.measurements ?? null
  );
}

/**
 * Keeps what was measured before the step. A neighbour may have been hurt by the steps before it, on whichever target: of
 * it, what was measured before the first one holds.
 */
export function withQuiet(rollout: Rollout, at: Position, measurements: Measurement[]): Rollout {
  const { name: stage, signals } = stageAt(rollout.plan, at);
  const targets = targetsAt(rollout, at);
  const isOwn = ({ signal }: Measurement) => signals.some((one) => one.name === signal && one.neighbour === null);
  const others = kept(rollout, at).filter((one) => one.targets.join() !== targets.join());
  const [first] = others;
  const quiet: Quiet = {
    stage,
    targets,
    measurements: first
      ? [...measurements.filter(isOwn), ...first.measurements.filter((one) => !isOwn(one))]
      : measurements,
  };
  return { ...rollout, quiet: [...others, quiet] };
}

function kept(rollout: Rollout, at: Position): Quiet[] {
  const { name } = stageAt(rollout.plan, at);
  return rollout.quiet.filter((one) => one.stage === name);
}
