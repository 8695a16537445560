import type { StageSpec, StepSpec } from './pipeline.ts';

/**
 * How long a step is watched once so many waves of its stage have passed: each divides the time by the stage's factor, down
 * to its floor. No step gets longer by this, and only waves get shorter.
 */
export function spedUpMs(
  stage: Pick<StageSpec, 'speedUp'>,
  step: Pick<StepSpec, 'kind' | 'bake'>,
  wavesPassed: number,
): number {
  const { forMs } = step.bake;
  if (!stage.speedUp || step.kind !== 'wave') return forMs;
  const { factor, floorMs } = stage.speedUp;
  return Math.min(forMs, Math.max(floorMs, Math.round(forMs / factor ** wavesPassed)));
}
