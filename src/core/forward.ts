import { type Decision, type Fact, ignored, lookedAt, stayed, withFacts } from './decision.ts';
import { type Draft, enter, keyed } from './door.ts';
import type { Event } from './event.ts';
import { beginStep } from './gate.ts';
import { emptyMemory, judge, rememberBefore } from './judge/judge.ts';
import type { StepSpec } from './pipeline.ts';
import { nextPosition, type Position, stageAt, stepAt } from './plan.ts';
import type { Artifact } from './release.ts';
import { giveUp } from './retreat.ts';
import type { Phase, Rollout, StepRecord } from './rollout.ts';
import { artifactOf, OBSERVE_EVERY_MS, partialOf, recordStep } from './step.ts';
import type { Observation } from './target.ts';

/** A look that comes later than this many intervals after the last one did not watch the time between (suspend, clock jump). */
const WATCHED_INTERVALS = 1.5;

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

/** A stage begins by reading what runs there now: what a rollback would return to. */
export function beginStage(rollout: Rollout, at: Position, nowMs: number): Decision {
  const stage = stageAt(rollout.plan, at);
  const targets = [...new Set(stage.steps.flatMap((step) => step.targets))];
  const effects: Draft[] = targets.map((target) => ({ kind: 'survey', target }));
  effects.push({ kind: 'wake', timer: 'survey-deadline', afterMs: stage.verifyDeadlineMs });
  return enter(rollout, { is: 'surveying', sinceMs: nowMs, at, waitingFor: targets }, effects, nowMs);
}

export function surveyed(rollout: Rollout, phase: In<'surveying'>, event: Of<'surveyed'>): Decision {
  const { observation } = event;
  if (!phase.waitingFor.includes(observation.target)) return ignored(rollout, 'surveyed already');
  const { target } = observation;
  const waitingFor = phase.waitingFor.filter((one) => one !== target);
  const before = whatRanBefore(rollout, observation);
  const next: Rollout = {
    ...rollout,
    stumble: null,
    phase: { ...phase, waitingFor },
    before: { ...rollout.before, [target]: before },
  };
  const decision = waitingFor.length > 0 ? stayed(next) : beginStep(next, phase.at, event.atMs);
  if (before === null || rollout.lastGood[target]) return decision;
  // Adopted: it was healthy on every instance before Belay touched it, so a rollback may come back to it.
  const stage = stageAt(rollout.plan, phase.at).name;
  return withFacts(decision, [{ fact: 'good', stage, targets: [target], artifact: before, atMs: event.atMs }]);
}

/** Belay's own record of what was good wins; otherwise one version, healthy on every instance, is adopted as it is. */
function whatRanBefore(rollout: Rollout, observation: Observation): Artifact | null {
  const recorded = rollout.lastGood[observation.target];
  if (recorded) return recorded;
  const [first, ...others] = observation.instances;
  if (!first?.digest || !first.isHealthy) return null;
  const isUniform = others.every((one) => one.digest === first.digest && one.isHealthy);
  return isUniform ? { digest: first.digest, sha: '' } : null;
}

export function deployed(rollout: Rollout, phase: In<'deploying'>, event: Of<'deployed'>): Decision {
  const waitingFor = phase.waitingFor.filter((target) => target !== event.target);
  const next: Rollout = { ...rollout, stumble: null, phase: { ...phase, waitingFor } };
  if (waitingFor.length > 0) return stayed(next);
  const stage = stageAt(rollout.plan, phase.at);
  const { targets } = stepAt(rollout.plan, phase.at);
  const drafts: Draft[] = targets.map((target) => ({ kind: 'observe', target, round: 0 }));
  drafts.push({ kind: 'wake', timer: 'verify-deadline', afterMs: stage.verifyDeadlineMs });
  const verifying: Phase = {
    is: 'verifying',
    sinceMs: event.atMs,
    at: phase.at,
    waitingFor: targets,
    problems: {},
    before: phase.before,
  };
  return enter(next, verifying, drafts, event.atMs);
}

export function observedWhileVerifying(rollout: Rollout, phase: In<'verifying'>, event: Of<'observed'>): Decision {
  const { observation } = event;
  const { target } = observation;
  if (!phase.waitingFor.includes(target)) return ignored(rollout, 'verified already');
  const step = stepAt(rollout.plan, phase.at);
  const artifact = artifactOf(rollout);
  const problem = partialOf(observation, artifact.digest, step.share);
  if (problem) {
    const next: Rollout = {
      ...rollout,
      stumble: null,
      phase: { ...phase, problems: { ...phase.problems, [target]: problem } },
    };
    const again: Draft = { kind: 'observe', target, round: event.round + 1, afterMs: OBSERVE_EVERY_MS };
    return stayed(next, [keyed(next, again)]);
  }
  const waitingFor = phase.waitingFor.filter((one) => one !== target);
  const { [target]: _solved, ...problems } = phase.problems;
  const next: Rollout = { ...rollout, stumble: null, phase: { ...phase, waitingFor, problems } };
  const placed: Fact = {
    fact: 'placed',
    stage: stageAt(rollout.plan, phase.at).name,
    target,
    artifact,
    config: null,
    without: [],
    atMs: event.atMs,
  };
  const decision = waitingFor.length > 0 ? stayed(next) : bake(next, phase, event.atMs);
  return step.share === 1 ? withFacts(decision, [placed]) : decision;
}

function bake(rollout: Rollout, phase: In<'verifying'>, nowMs: number): Decision {
  const stage = stageAt(rollout.plan, phase.at);
  const step = stepAt(rollout.plan, phase.at);
  const isJudged = stage.signals.length > 0;
  const baking: In<'baking'> = {
    is: 'baking',
    sinceMs: nowMs,
    at: phase.at,
    round: 0,
    observedMs: 0,
    lastLookMs: nowMs,
    memory: isJudged ? rememberBefore(stage.signals, phase.before) : emptyMemory(),
    judgement: null,
  };
  if (!isJudged) return enter(rollout, baking, [nextTick(step, baking)], nowMs);
  const next = enter(rollout, baking, [{ kind: 'wake', timer: 'bake-deadline', afterMs: step.bake.deadlineMs }], nowMs);
  return { ...next, effects: [...next.effects, look(next.rollout, baking)] };
}

function look(rollout: Rollout, phase: In<'baking'>) {
  const step = stepAt(rollout.plan, phase.at);
  return keyed(rollout, {
    kind: 'measure',
    round: phase.round,
    targets: step.targets,
    signals: stageAt(rollout.plan, phase.at).signals,
    now: artifactOf(rollout),
    before: rollout.before[step.targets[0] ?? ''] ?? null,
    sinceMs: phase.sinceMs,
    lastGood: null,
    everyMs: step.bake.everyMs,
    afterMs: step.bake.everyMs,
  });
}

/** How much of the time since the last look was really watched: none after a clock that went back, little after a jump. */
function watchedMs(step: StepSpec, phase: In<'baking'>, nowMs: number): number {
  return Math.min(Math.max(0, nowMs - phase.lastLookMs), step.bake.everyMs * WATCHED_INTERVALS);
}

function nextTick(step: StepSpec, phase: In<'baking'>): Draft {
  const restMs = Math.max(1, step.bake.forMs - phase.observedMs);
  return { kind: 'wake', timer: `bake#${phase.round}`, afterMs: Math.min(step.bake.everyMs, restMs) };
}

/** A stage without signals only waits, and its time is observed time too: no jump of the clock ends it early. */
export function ticked(rollout: Rollout, phase: In<'baking'>, nowMs: number): Decision {
  if (stageAt(rollout.plan, phase.at).signals.length > 0) return ignored(rollout, 'this step is judged by its signals');
  const step = stepAt(rollout.plan, phase.at);
  const observedMs = phase.observedMs + watchedMs(step, phase, nowMs);
  if (observedMs >= step.bake.forMs) return pass(rollout, phase.at, nowMs, 'passed');
  const next: In<'baking'> = { ...phase, round: phase.round + 1, observedMs, lastLookMs: nowMs };
  const waiting: Rollout = { ...rollout, phase: next };
  return stayed(waiting, [keyed(waiting, nextTick(step, next))]);
}

/** Degraded acts at once; healthy counts only at the end of the observed bake time; all else looks again. */
export function measured(rollout: Rollout, phase: In<'baking'>, event: Of<'measured'>): Decision {
  if (event.round !== phase.round) return ignored(rollout, 'an older look');
  const stage = stageAt(rollout.plan, phase.at);
  const step = stepAt(rollout.plan, phase.at);
  const { judgement, memory } = judge(stage.signals, phase.memory, event.measurements, event.atMs, event.controls);
  const next: In<'baking'> = {
    ...phase,
    round: phase.round + 1,
    observedMs: phase.observedMs + (judgement.verdict === 'error' ? 0 : watchedMs(step, phase, event.atMs)),
    lastLookMs: event.atMs,
    memory,
    judgement,
  };
  const looked: Rollout = { ...rollout, stumble: null, phase: next };
  const seen = [lookedAt(rollout, phase.at, phase.round, judgement)];
  if (judgement.verdict === 'degraded') {
    const signals = judgement.signals.filter((one) => one.verdict === 'degraded').map((one) => one.signal);
    return withFacts(giveUp(looked, phase.at, { code: 'degraded', signals }, judgement, event.atMs), seen);
  }
  if (judgement.verdict === 'healthy' && next.observedMs >= step.bake.forMs) {
    return withFacts(pass(looked, phase.at, event.atMs, 'passed'), seen);
  }
  return stayed(looked, [look(looked, next)], seen);
}

/** A step is over and the rollout goes on: to the next step, the next stage, or its good end. */
export function pass(rollout: Rollout, at: Position, nowMs: number, ended: StepRecord['ended']): Decision {
  const recorded = recordStep(rollout, at, nowMs, ended);
  const next = nextPosition(rollout.plan, at);
  const stage = stageAt(rollout.plan, at);
  const artifact = artifactOf(rollout);
  const facts: Fact[] = [];
  // Continued against the judge's advice is not a version to come back to.
  const isGood = recorded.steps.every((one) => one.stage !== stage.name || one.ended === 'passed');
  if (next?.stage !== at.stage && isGood) {
    const targets = [...new Set(stage.steps.flatMap((step) => step.targets))];
    facts.push({ fact: 'good', stage: stage.name, targets, artifact, atMs: nowMs });
  }
  if (next === null) {
    facts.push({ fact: 'desired', artifact, atMs: nowMs });
    return withFacts(enter(recorded, { is: 'succeeded', atMs: nowMs }, [], nowMs), facts);
  }
  const decision = next.stage === at.stage ? beginStep(recorded, next, nowMs) : beginStage(recorded, next, nowMs);
  return withFacts(decision, facts);
}
