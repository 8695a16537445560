import { type Decision, ignored, lookedAt, stayed, withFacts } from './decision.ts';
import { type Draft, enter, keyed } from './door.ts';
import type { Look } from './effect.ts';
import type { Event } from './event.ts';
import { pass } from './forward.ts';
import { emptyMemory, judge, rememberBefore } from './judge/judge.ts';
import type { Measurement } from './judge/signal.ts';
import type { StepSpec } from './pipeline.ts';
import { artifactAt } from './placing.ts';
import { type Position, stageAt, stepAt } from './plan.ts';
import { giveUp } from './retreat.ts';
import type { Phase, Rollout } from './rollout.ts';
import { spedUpMs } from './speed-up.ts';
import { artifactOf, beforeOn, signalsAt, targetsAt } from './step.ts';

/** A look that comes later than this many intervals after the last one did not watch the time between (suspend, clock jump). */
const WATCHED_INTERVALS = 1.5;

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;
type Of<Name extends Event['type']> = Extract<Event, { type: Name }>;

/** The step is watched. Where nothing is asked for, its checks were enough, and it passes the moment that they did. */
export function bake(rollout: Rollout, at: Position, before: Measurement[], nowMs: number): Decision {
  const step = stepAt(rollout.plan, at);
  const signals = signalsAt(rollout, at);
  const isJudged = signals.length > 0;
  const forMs = bakeMsOf(rollout, at);
  if (!isJudged && forMs === 0) return pass(rollout, at, nowMs, 'passed');
  const baking: In<'baking'> = {
    is: 'baking',
    sinceMs: nowMs,
    at,
    round: 0,
    observedMs: 0,
    forMs,
    lastLookMs: nowMs,
    memory: isJudged ? rememberBefore(signals, before) : emptyMemory(),
    judgement: null,
  };
  const watched: Rollout = { ...rollout, watchedFromMs: nowMs };
  if (!isJudged) return enter(watched, baking, [nextTick(step, baking)], nowMs);
  const next = enter(watched, baking, [{ kind: 'wake', timer: 'bake-deadline', afterMs: step.bake.deadlineMs }], nowMs);
  return { ...next, effects: [...next.effects, look(next.rollout, baking)] };
}

function look(rollout: Rollout, phase: In<'baking'>) {
  const step = stepAt(rollout.plan, phase.at);
  const targets = targetsAt(rollout, phase.at);
  return keyed(rollout, {
    kind: 'measure',
    round: phase.round,
    targets,
    signals: signalsAt(rollout, phase.at),
    now: artifactAt(rollout, phase.at, targets[0] ?? '') ?? artifactOf(rollout),
    before: beforeOn(rollout, targets),
    sinceMs: phase.sinceMs,
    lastGood: lastGoodOf(rollout, phase.at),
    without: rollout.without.map((one) => one.id),
    everyMs: step.bake.everyMs,
    afterMs: step.bake.everyMs,
  });
}

/** How much of the time since the last look was really watched: none after a clock that went back, little after a jump. */
function watchedMs(step: StepSpec, phase: In<'baking'>, nowMs: number): number {
  return Math.min(Math.max(0, nowMs - phase.lastLookMs), step.bake.everyMs * WATCHED_INTERVALS);
}

function nextTick(step: StepSpec, phase: In<'baking'>): Draft {
  const restMs = Math.max(1, phase.forMs - phase.observedMs);
  return { kind: 'wake', timer: `bake#${phase.round}`, afterMs: Math.min(step.bake.everyMs, restMs) };
}

/** A stage without signals only waits, and its time is observed time too: no jump of the clock ends it early. */
export function ticked(rollout: Rollout, phase: In<'baking'>, nowMs: number): Decision {
  if (signalsAt(rollout, phase.at).length > 0) return ignored(rollout, 'this step is judged by its signals');
  const step = stepAt(rollout.plan, phase.at);
  const observedMs = phase.observedMs + watchedMs(step, phase, nowMs);
  if (observedMs >= phase.forMs) return pass(rollout, phase.at, nowMs, 'passed');
  const next: In<'baking'> = { ...phase, round: phase.round + 1, observedMs, lastLookMs: nowMs };
  const waiting: Rollout = { ...rollout, phase: next };
  return stayed(waiting, [keyed(waiting, nextTick(step, next))]);
}

/** Degraded acts at once; healthy counts only at the end of the observed bake time; all else looks again. */
export function measured(rollout: Rollout, phase: In<'baking'>, event: Of<'measured'>): Decision {
  if (event.round !== phase.round) return ignored(rollout, 'an older look');
  const stage = stageAt(rollout.plan, phase.at);
  const step = stepAt(rollout.plan, phase.at);
  const { judgement, memory } = judge(
    signalsAt(rollout, phase.at),
    phase.memory,
    event.measurements,
    event.atMs,
    event.controls,
    { groups: stage.groups, isUnderWay: phase.observedMs + watchedMs(step, phase, event.atMs) < phase.forMs },
  );
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
  if (judgement.verdict === 'healthy' && next.observedMs >= phase.forMs) {
    return withFacts(pass(looked, phase.at, event.atMs, 'passed'), seen);
  }
  return stayed(looked, [look(looked, next)], seen);
}

/** The last good rollout at the same step, for what is held against it after as much time. */
function lastGoodOf(rollout: Rollout, at: Position): Look['lastGood'] {
  const stage = stageAt(rollout.plan, at).name;
  const step = stepAt(rollout.plan, at).name;
  const last = rollout.lastWatched.find((one) => one.stage === stage && one.step === step);
  return last ? { artifact: last.artifact, sinceMs: last.sinceMs } : null;
}

/** How long a step is watched, by the waves of its stage that passed before it. One that was continued in spite of the evidence shortens nothing. */
export function bakeMsOf(rollout: Pick<Rollout, 'plan' | 'steps'>, at: Position): number {
  const stage = stageAt(rollout.plan, at);
  const step = stepAt(rollout.plan, at);
  const passed = stage.steps
    .slice(0, at.step)
    .filter((one) => one.kind === 'wave')
    .filter((one) =>
      rollout.steps.some((ran) => ran.stage === stage.name && ran.step === one.name && ran.ended === 'passed'),
    );
  return spedUpMs(stage, step, passed.length);
}

/** The bake's deadline: what could not be told or not be measured goes as the stage says, never forward. */
export function bakeOverdue(rollout: Rollout, phase: In<'baking'>, nowMs: number): Decision {
  const isUnmeasured = phase.judgement === null || phase.judgement.verdict === 'error';
  const verdict = isUnmeasured ? 'error' : 'inconclusive';
  const signals = (phase.judgement?.signals ?? []).filter((one) => one.verdict === verdict).map((one) => one.signal);
  const trouble = { code: isUnmeasured ? ('unmeasurable' as const) : ('inconclusive' as const), signals };
  return giveUp(rollout, phase.at, trouble, phase.judgement, nowMs);
}
