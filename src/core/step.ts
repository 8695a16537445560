import type { LastWatched } from './event.ts';
import type { Signal } from './judge/signal.ts';
import { isJudgedIn, isPart } from './pipeline.ts';
import { type Position, stageAt, stepAt } from './plan.ts';
import type { Artifact } from './release.ts';
import type { Rollout, StepRecord } from './rollout.ts';

/** A read-back that is not as wished is repeated this often until the deadline. */
export const OBSERVE_EVERY_MS = 1000;

/** The artifact of a rollout that has one: every phase after the build. */
export function artifactOf(rollout: Rollout): Artifact {
  if (!rollout.artifact) throw new Error(`Rollout ${rollout.id} has no artifact in phase ${rollout.phase.is}`);
  return rollout.artifact;
}

/**
 * The signals that say anything of this step: what is compared needs something to be compared with. Where none would be
 * left all stay, and hold the step: nothing passes unjudged.
 */
export function signalsAt(rollout: Pick<Rollout, 'plan'>, at: Position): Signal[] {
  const { signals } = stageAt(rollout.plan, at);
  const step = stepAt(rollout.plan, at);
  const judged = signals.filter((signal) => isJudgedIn(signal, step));
  return judged.length > 0 ? judged : signals;
}

/**
 * The targets that a step changes. Where nothing served when the stage began no share can be taken: such a target is left
 * out until the step that takes all of it, its first deploy.
 */
export function targetsAt(rollout: Pick<Rollout, 'plan' | 'assignment'>, at: Position): string[] {
  const step = stepAt(rollout.plan, at);
  if (!isPart(step)) return step.targets;
  const later = stageAt(rollout.plan, at).steps.slice(at.step + 1);
  const isTakenLater = (target: string) => later.some((one) => one.targets.includes(target));
  return step.targets.filter((target) => !wasEmpty(rollout, target) || !isTakenLater(target));
}

/** It was read when the stage began, and nothing served there. A target may be called `toString`. */
export function wasEmpty({ assignment }: Pick<Rollout, 'assignment'>, target: string): boolean {
  return Object.hasOwn(assignment, target) && assignment[target]?.order.length === 0;
}

/** What ran before on the first of these targets of which it is known: what the step is held against. */
export function beforeOn(rollout: Pick<Rollout, 'before'>, targets: string[]): Artifact | null {
  return targets.map((target) => rollout.before[target] ?? null).find((one) => one !== null) ?? null;
}

/**
 * The targets of this stage that the rollout has touched, newest first. An environment that was made for this release
 * alone is never gone back on: it is removed.
 */
export function touchedIn(rollout: Rollout, at: Position): string[] {
  const stage = stageAt(rollout.plan, at);
  if (stage.isEphemeral) return [];
  const targets = stage.steps.flatMap((step) => step.targets);
  return rollout.touched.filter((target) => targets.includes(target)).reverse();
}

/** Every touched target has something known to return to. */
export function canRollBack(rollout: Rollout, at: Position): boolean {
  const touched = touchedIn(rollout, at);
  return touched.length > 0 && touched.every((target) => rollout.before[target] != null);
}

/** Where a rollout was watched, and from when: what the next one's `last-good` baselines are read from. */
export function watchedIn(rollout: Rollout): LastWatched[] {
  return rollout.steps.flatMap(({ stage, step, ended, watchedFromMs: sinceMs }) =>
    ended === 'passed' && sinceMs !== null ? [{ stage, step, artifact: artifactOf(rollout), sinceMs }] : [],
  );
}

/** Did a person decide to begin this step with too little capacity? Then it is not asked for. */
export function isBegunShort(rollout: Rollout, at: Position): boolean {
  return rollout.begunShort.some((one) => isOf(one, rollout, at));
}

/** A step that begins anew is one that nobody has decided anything of. */
export function withoutBegunShort(rollout: Rollout, at: Position): Rollout {
  return { ...rollout, begunShort: rollout.begunShort.filter((one) => !isOf(one, rollout, at)) };
}

function isOf(one: { stage: string; step: string }, { plan }: Rollout, at: Position): boolean {
  return one.stage === stageAt(plan, at).name && one.step === stepAt(plan, at).name;
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
    watchedFromMs: rollout.watchedFromMs,
    checks: rollout.checks,
  };
  const others = rollout.steps.filter((one) => !isOf(one, rollout, at));
  return { ...rollout, steps: [...others, record] };
}
