import { type Position, stageAt, stepAt } from './plan.ts';
import type { Artifact } from './release.ts';
import type { Rollout, StepRecord, Trouble } from './rollout.ts';
import { instancesFor, type Observation } from './target.ts';

/** A read-back that is not as wished is repeated this often until the deadline. */
export const OBSERVE_EVERY_MS = 1000;

/** The artifact of a rollout that has one: every phase after the build. */
export function artifactOf(rollout: Rollout): Artifact {
  if (!rollout.artifact) throw new Error(`Rollout ${rollout.id} has no artifact in phase ${rollout.phase.is}`);
  return rollout.artifact;
}

/**
 * What is wrong with a target after a deploy; null: every instance that should run the artifact does, healthy, and
 * every other one could be read.
 */
export function partialOf(observation: Observation, digest: string, share: number): Trouble | null {
  const { instances, target } = observation;
  const running = instances.filter((one) => one.digest === digest && one.isHealthy).length;
  const expected = instancesFor(share, instances.length);
  const wrong = instances.filter(
    (one) => one.digest === null || (one.digest === digest && !one.isHealthy) || (share === 1 && one.digest !== digest),
  );
  if (instances.length > 0 && running >= expected && wrong.length === 0) return null;
  return { code: 'partial', target, instances: wrong, expected, running };
}

/** The targets of this stage that the rollout has touched, newest first. */
export function touchedIn(rollout: Rollout, at: Position): string[] {
  const targets = stageAt(rollout.plan, at).steps.flatMap((step) => step.targets);
  return rollout.touched.filter((target) => targets.includes(target)).reverse();
}

/** Every touched target has something known to return to. */
export function canRollBack(rollout: Rollout, at: Position): boolean {
  const touched = touchedIn(rollout, at);
  return touched.length > 0 && touched.every((target) => rollout.before[target] != null);
}

/** Adds the step that ended to the rollout's history; a step that is tried again replaces what it was. */
export function recordStep(rollout: Rollout, at: Position, nowMs: number, ended: StepRecord['ended']): Rollout {
  const stage = stageAt(rollout.plan, at).name;
  const step = stepAt(rollout.plan, at).name;
  const judgement = 'judgement' in rollout.phase ? rollout.phase.judgement : null;
  const record: StepRecord = {
    stage,
    step,
    startedAtMs: rollout.stepStartedAtMs ?? nowMs,
    endedAtMs: nowMs,
    ended,
    verdict: judgement?.verdict ?? null,
  };
  const others = rollout.steps.filter((one) => one.stage !== stage || one.step !== step);
  return { ...rollout, steps: [...others, record] };
}
