import { assign } from './assign.ts';
import { type Decision, ignored, stayed, withFacts } from './decision.ts';
import type { Event } from './event.ts';
import { beginStep } from './forward.ts';
import { seenOf } from './partial.ts';
import { isPart } from './pipeline.ts';
import { type Position, stageAt } from './plan.ts';
import type { Artifact } from './release.ts';
import { giveUp } from './retreat.ts';
import type { Phase, Rollout } from './rollout.ts';
import { survey, targetsOf } from './stage.ts';
import { wasEmpty } from './step.ts';
import type { Observation } from './target.ts';
import type { Trouble } from './trouble.ts';

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

export function created(rollout: Rollout, phase: In<'preparing'>, event: Of<'created'>): Decision {
  const waitingFor = phase.waitingFor.filter((target) => target !== event.target);
  const next: Rollout = { ...rollout, stumble: null, phase: { ...phase, waitingFor } };
  return waitingFor.length > 0 ? stayed(next) : survey(next, phase.at, event.atMs);
}

/** Refused for good, or not ready in time: without its environment the stage cannot be. */
export function notCreated(rollout: Rollout, phase: In<'preparing'>, detail: string, nowMs: number): Decision {
  const target = phase.waitingFor[0] ?? '';
  return giveUp(rollout, phase.at, { code: 'environment-failed', target, detail }, null, nowMs);
}

export function surveyed(rollout: Rollout, phase: In<'surveying'>, event: Of<'surveyed'>): Decision {
  const { observation } = event;
  const { target } = observation;
  if (!phase.waitingFor.includes(target)) return ignored(rollout, 'surveyed already');
  const waitingFor = phase.waitingFor.filter((one) => one !== target);
  const observations = [...phase.observations, observation];
  const stage = stageAt(rollout.plan, phase.at);
  const found = uniform(observation);
  const before = whatRanBefore(rollout, target, found);
  const next: Rollout = {
    ...rollout,
    stumble: null,
    phase: { ...phase, waitingFor, observations },
    before: { ...rollout.before, [target]: before },
    found: { ...rollout.found, [target]: found?.digest ?? null },
    seen: { ...rollout.seen, [target]: seenOf(observation, event.atMs) },
    assignment: waitingFor.length > 0 ? rollout.assignment : assign(stage, observations, rollout.seed),
  };
  const decision = waitingFor.length > 0 ? stayed(next) : begin(next, phase.at, event.atMs);
  const isKnown = target in rollout.lastGood || rollout.touched.includes(target);
  if (before === null || isKnown || stage.isEphemeral) return decision;
  // Adopted: it was healthy on every instance before Belay touched it, so a rollback may come back to it.
  return withFacts(decision, [
    { fact: 'good', stage: stage.name, targets: [target], artifact: before, atMs: event.atMs },
  ]);
}

/**
 * Where nothing runs yet the release is deployed as a whole. Where something good ran and nothing is read any more, a
 * stage that would try it on a share first asks: an answer that leaves instances out must not be taken for a first deploy.
 */
function begin(rollout: Rollout, at: Position, nowMs: number): Decision {
  const { steps } = stageAt(rollout.plan, at);
  const isTried = (target: string) => steps.some((step) => isPart(step) && step.targets.includes(target));
  const left = targetsOf(rollout, at)
    .filter((target) => wasEmpty(rollout, target) && isTried(target))
    .flatMap((target): Trouble[] => {
      const digest = rollout.lastGood[target]?.digest;
      return digest === undefined ? [] : [{ code: 'nothing-left', target, digest }];
    });
  const [first] = left;
  return first ? giveUp(rollout, at, first, null, nowMs) : beginStep(rollout, at, nowMs);
}

/** The one version that every instance runs, healthy; null: there is none such. */
function uniform(observation: Observation): Artifact | null {
  const serving = observation.instances.filter((one) => one.role !== 'idle');
  const [first] = serving;
  if (!first?.digest) return null;
  const { digest } = first;
  return serving.every((one) => one.digest === digest && one.isHealthy) ? { digest, sha: '' } : null;
}

/**
 * Belay's own record of what was good wins. A target that it never placed anything on is adopted as it is, when every
 * instance runs one version and is healthy; one that it did, by a release that was not good, has nothing to go back to.
 * Where an earlier stage has touched the target, what is found is what this rollout put there: what ran before that stays.
 */
function whatRanBefore(rollout: Rollout, target: string, found: Artifact | null): Artifact | null {
  if (rollout.touched.includes(target)) return rollout.before[target] ?? null;
  return target in rollout.lastGood ? (rollout.lastGood[target] ?? null) : found;
}
