import type { Rollout } from '../../src/core/rollout.ts';
import type { Observation } from '../../src/core/target.ts';
import type { AnswerEvent, Performed } from '../../src/engine/perform.ts';

/** What is broken on purpose, in the world around the engine or at its borders; the product knows of none of them. */
export type PlantedBug =
  | 'no-fence'
  | 'result-before-intent'
  | 'key-changed-at-each-try'
  | 'acknowledge-before-commit'
  | 'early-measurement-swallowed'
  /** `!(x > max)` lets a number pass that is none. */
  | 'not-a-number-passes'
  | 'last-series-wins'
  /** All time since the step began counts as watched. */
  | 'wall-clock-bake'
  /** Nobody notices that the clock was set back. */
  | 'set-back-unnoticed'
  /** Nor that it was set forward, or that the machine slept. */
  | 'set-forward-unnoticed'
  /** Healthy once is enough, before the time is over. */
  | 'early-promotion'
  | 'partial-counted-as-done'
  /** What was built last is deployed, and not what was approved. */
  | 'newest-instead-of-approved'
  /** The answer comes before the environment is gone. */
  | 'environment-left-behind';

/** A rollout as a core with the bug would have it. */
export function asLoaded(bug: PlantedBug | null, rollout: Rollout, nowMs: number): Rollout {
  const { phase } = rollout;
  if (phase.is !== 'baking') return rollout;
  switch (bug) {
    case 'wall-clock-bake': {
      const observedMs = Math.max(phase.observedMs, nowMs - phase.sinceMs);
      return { ...rollout, phase: { ...phase, observedMs } };
    }
    case 'early-promotion':
      return { ...rollout, phase: { ...phase, forMs: 0 } };
    default:
      return rollout;
  }
}

/** An answer as a core with the bug would understand it. */
export function asUnderstood(bug: PlantedBug | null, performed: Performed, rollout: Rollout): Performed {
  if (bug !== 'partial-counted-as-done' || performed.is !== 'event' || performed.event.type !== 'observed') {
    return performed;
  }
  const { event } = performed;
  const understood: AnswerEvent = { ...event, observation: withoutStrays(event.observation, rollout) };
  return { is: 'event', event: understood };
}

/** Planted: whatever is not as wished is not counted. */
function withoutStrays(observation: Observation, { phase, artifact, found }: Rollout): Observation {
  const isBack = phase.is === 'rolling-back';
  const back = isBack ? phase.to.find((one) => one.target === observation.target)?.artifact : undefined;
  const known = isBack ? [back?.digest] : [artifact?.digest, found[observation.target]];
  const instances = observation.instances.filter(
    (one) => one.isHealthy && known.includes(one.digest ?? '') && one.config === observation.config,
  );
  return { ...observation, instances };
}
