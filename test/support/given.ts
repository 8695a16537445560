import assert from 'node:assert/strict';
import type { CheckSpec } from '../../src/core/check.ts';
import { createRollout } from '../../src/core/create.ts';
import { decide } from '../../src/core/decide.ts';
import type { Decision, Fact } from '../../src/core/decision.ts';
import { type Effect, endsWithPhase } from '../../src/core/effect.ts';
import type { Ancestry, CheckResult, Choice, Event } from '../../src/core/event.ts';
import type { Measurement, Signal } from '../../src/core/judge/signal.ts';
import type { ServiceSpec } from '../../src/core/pipeline.ts';
import { artifactAt } from '../../src/core/placing.ts';
import { isPlanProblem, planOf, type Request, stepAt } from '../../src/core/plan.ts';
import type { Actor } from '../../src/core/principal.ts';
import type { Artifact, Release } from '../../src/core/release.ts';
import { isOver, type Phase, type PhaseName, type Rollout } from '../../src/core/rollout.ts';
import { instancesFor, type Observation } from '../../src/core/target.ts';
import { actor, aRelease, aService, type PersonName } from './service.ts';
import { sha256 } from './store.ts';

export const START_MS = 1_700_000_000_000;

/** What ran everywhere before Belay knew the service. */
export const FIRST: Artifact = { digest: 'sha256:first', sha: '' };

export const artifactFor = (release: Release): Artifact => ({ digest: `sha256:${release.sha}`, sha: release.sha });

/** What the world answers while a rollout is driven; everything is well unless told otherwise. */
export type World = {
  /** What each signal shows: healthy, harmful, between the bounds, or not measured at all. */
  health: 'good' | 'bad' | 'unclear' | 'none';
  ancestry: Ancestry;
  isOnBranch: boolean;
  /** Who of the approvers is still one when asked again; null: all of them. */
  eligible: string[] | null;
  /** Instances on each target, and what the first of them runs after a deploy; null: what was asked for. */
  instances: number;
  oddOne: { digest: string | null; isHealthy: boolean } | null;
  /** Targets on which nothing serves when they are surveyed. */
  empty: string[];
  /** What a survey finds. */
  before: { digest: string | null; isHealthy: boolean };
  /** What Belay's own record says was good, by target, and what the lane wishes to run. */
  lastGood: Record<string, Artifact | null>;
  desiredSha: string | null;
  /** Requests a second on each target, and how many instances serve while a step runs; null: not read, all of them. */
  load: number | null;
  servingDuring: number | null;
  /** How each try of a check ends: the first, the second, … ; the last one stands for the rest. */
  checks: ('passed' | 'failed')[];
};

export const GOOD_WORLD: World = {
  health: 'good',
  ancestry: 'ahead',
  isOnBranch: true,
  eligible: null,
  instances: 10,
  oddOne: null,
  empty: [],
  before: { digest: FIRST.digest, isHealthy: true },
  lastGood: {},
  desiredSha: null,
  load: null,
  servingDuring: null,
  checks: ['passed'],
};

const VALUES = { good: 0.001, bad: 0.5, unclear: 0.02 };

/** An event that is complete once it is known when and on which rollout it happens. */
export type When = (rollout: Rollout, nowMs: number) => Event;

/** A rollout, the time, what it still owes, and what came of the last event. Every `when` gives a new one. */
export class Scene {
  readonly rollout: Rollout;
  readonly nowMs: number;
  readonly owed: Effect[];
  readonly last: Decision;
  /** Every fact that was recorded on the way, oldest first. */
  readonly facts: Fact[];

  constructor(last: Decision, nowMs: number, owed: Effect[], facts: Fact[]) {
    this.rollout = last.rollout;
    this.nowMs = nowMs;
    this.owed = owed;
    this.last = last;
    this.facts = facts;
  }

  get phase(): Phase {
    return this.rollout.phase;
  }

  get answer(): Decision['answer'] {
    return this.last.answer;
  }

  get effects(): Effect[] {
    return this.last.effects;
  }

  /** The effects of one kind that the last event asked for. */
  asked<Kind extends Effect['kind']>(kind: Kind): Extract<Effect, { kind: Kind }>[] {
    return this.effects.filter((one): one is Extract<Effect, { kind: Kind }> => one.kind === kind);
  }

  /** The phase, or fails and says where the rollout is instead. */
  in<Name extends PhaseName>(name: Name): Extract<Phase, { is: Name }> {
    if (!isIn(this.phase, name)) throw new Error(`expected ${name}, found ${JSON.stringify(this.phase)}`);
    return this.phase;
  }

  later(ms: number): Scene {
    return new Scene(this.last, this.nowMs + ms, this.owed, this.facts);
  }

  /** The same scene with parts of its rollout replaced. */
  but(over: Partial<Rollout>): Scene {
    return new Scene({ ...this.last, rollout: { ...this.rollout, ...over } }, this.nowMs, this.owed, this.facts);
  }

  when(...events: (When | Event)[]): Scene {
    return events.reduce<Scene>((scene, event) => scene.#after(event), this);
  }

  #after(event: When | Event): Scene {
    const happened = typeof event === 'function' ? event(this.rollout, this.nowMs) : event;
    const frozen = JSON.stringify(this.rollout);
    const decision = decide(JSON.parse(frozen) as Rollout, happened);
    // The first law, proved by every test: what is decided survives the database.
    assert.deepEqual(JSON.parse(JSON.stringify(decision)), decision);
    const hasMoved = decision.rollout.generation !== this.rollout.generation;
    const kept = this.owed.filter((one) => !hasMoved || !endsWithPhase(one));
    const owed = [...kept, ...decision.effects].filter((one) => !isAnsweredBy(one, happened));
    return new Scene(decision, happened.atMs, owed, [...this.facts, ...decision.facts]);
  }

  /** Answers the oldest effect that waits for the world; null: only people and timers are left. */
  answerOne(world: Partial<World> = {}): Scene | null {
    for (const effect of this.owed) {
      const event = answerTo(this.rollout, effect, this.nowMs, { ...GOOD_WORLD, ...world });
      if (event) return this.when(event);
    }
    return null;
  }

  /** Lets the world answer, Ben and Bo approve and the lane start, until the phase (of that step) is reached. */
  until(name: PhaseName, step: string | null = null, world: Partial<World> = {}): Scene {
    let scene: Scene = this;
    for (let turns = 0; turns < 500; turns += 1) {
      const isStep = step === null || ('at' in scene.phase && stepAt(scene.rollout.plan, scene.phase.at).name === step);
      if (scene.phase.is === name && isStep) return scene;
      const next = isOver(scene.rollout) ? null : scene.#onwards(world);
      if (!next) break;
      scene = next;
    }
    throw new Error(`never ${name}${step ? ` of ${step}` : ''}: stopped at ${JSON.stringify(scene.phase)}`);
  }

  #onwards(world: Partial<World>): Scene | null {
    const { is } = this.phase;
    if (is === 'queued') return this.when(started({ ...GOOD_WORLD, ...world }));
    if (is === 'gated') {
      const isFirst = !this.rollout.approvals.some((one) => one.name === 'ben');
      return this.when(approvedBy(isFirst ? 'ben' : 'bo'));
    }
    if (is === 'deciding' || is === 'holding') return null;
    return this.answerOne(world);
  }
}

function isIn<Name extends PhaseName>(phase: Phase, name: Name): phase is Extract<Phase, { is: Name }> {
  return phase.is === name;
}

function isAnsweredBy(effect: Effect, event: Event): boolean {
  if (!('generation' in event) || event.generation !== effect.generation) return false;
  switch (event.type) {
    case 'built':
    case 'build-failed':
      return effect.kind === 'watch-build';
    case 'surveyed':
      return effect.kind === 'survey' && effect.target === event.observation.target;
    case 'cleared':
      return effect.kind === 'clear';
    case 'measured-before':
      return effect.kind === 'measure-before';
    case 'deployed':
    case 'deploy-failed':
      return effect.kind === 'deploy' && effect.target === event.target;
    case 'observed':
      return effect.kind === 'observe' && effect.target === event.observation.target && effect.round === event.round;
    case 'created':
      return effect.kind === 'create' && effect.target === event.target;
    case 'removed':
      return effect.kind === 'remove' && effect.target === event.target;
    case 'capacity-read':
      return effect.kind === 'read-capacity' && effect.target === event.capacity.target;
    case 'checked':
      return (
        effect.kind === 'check' &&
        effect.check.name === event.check &&
        effect.target === event.target &&
        effect.tryNumber === event.tryNumber
      );
    case 'measured':
      return effect.kind === 'measure' && effect.round === event.round;
    case 'rolled-back':
    case 'roll-back-failed':
      return effect.kind === 'roll-back' && effect.target === event.target && effect.afterMs === 0;
    case 'woke':
      return effect.kind === 'wake' && effect.timer === event.timer;
    default:
      return false;
  }
}

/** What a world answers to one effect; null: a timer, or something that tells people. */
export function answerTo(rollout: Rollout, effect: Effect, nowMs: number, world: World): Event | null {
  const { generation } = effect;
  const atMs = nowMs + effect.afterMs;
  switch (effect.kind) {
    case 'watch-build':
      return { type: 'built', atMs, generation, artifact: artifactFor(rollout.release), url: null };
    case 'survey': {
      const length = world.empty.includes(effect.target) ? 0 : world.instances;
      const instances = Array.from({ length }, (_, index) => instance(index, world.before));
      return { type: 'surveyed', atMs, generation, observation: observation(effect.target, instances) };
    }
    case 'measure-before':
      return { type: 'measured-before', atMs, generation, measurements: measured(effect.signals, 'good', atMs) };
    case 'clear': {
      const { ancestry, isOnBranch: defaultBranchHasHead } = world;
      const eligible = effect.approvers.filter((one) => world.eligible === null || world.eligible.includes(one));
      return { type: 'cleared', atMs, generation, ancestry, eligible, defaultBranchHasHead };
    }
    case 'deploy':
      return { type: 'deployed', atMs, generation, target: effect.target };
    case 'roll-back':
      return { type: 'rolled-back', atMs, generation, target: effect.target };
    case 'observe':
      return {
        type: 'observed',
        atMs,
        generation,
        round: effect.round,
        observation: seen(rollout, effect.target, world),
      };
    case 'measure': {
      const measurements = measured(effect.signals, world.health, atMs);
      const compared = effect.signals.filter((one) => one.baseline !== null);
      const controls = measured(compared, 'good', atMs);
      return { type: 'measured', atMs, generation, round: effect.round, measurements, controls };
    }
    case 'create':
    case 'remove':
      return { type: effect.kind === 'create' ? 'created' : 'removed', atMs, generation, target: effect.target };
    case 'read-capacity': {
      const { instances, load } = world;
      const servingDuring = world.servingDuring ?? instances;
      const capacity = { target: effect.target, instances, serving: instances, servingDuring };
      const perInstance = rollout.spec.traffic?.perInstance ?? null;
      return { type: 'capacity-read', atMs, generation, round: effect.round, capacity, load, perInstance, detail: '' };
    }
    case 'check': {
      const { check, target, tryNumber } = effect;
      const is = world.checks[tryNumber - 1] ?? world.checks.at(-1) ?? 'passed';
      const result: CheckResult = { is, detail: is === 'passed' ? '' : 'HTTP 500', measures: [], url: null };
      return { type: 'checked', atMs, generation, check: check.name, target, tryNumber, result };
    }
    case 'wake':
    case 'announce':
    case 'page':
      return null;
  }
}

function seen(rollout: Rollout, target: string, world: World): Observation {
  const { phase } = rollout;
  const isBack = phase.is === 'rolling-back';
  const forward = 'at' in phase ? artifactAt(rollout, phase.at, target) : rollout.artifact;
  const goal = isBack ? phase.to.find((one) => one.target === target)?.artifact : forward;
  const share = !isBack && 'at' in phase ? stepAt(rollout.plan, phase.at).share : 1;
  const changed = instancesFor(share, world.instances);
  const instances = Array.from({ length: world.instances }, (_, index) => {
    const digest = index < changed ? (goal?.digest ?? null) : FIRST.digest;
    return instance(index, index === 0 && world.oddOne ? world.oddOne : { digest, isHealthy: true });
  });
  return observation(target, instances);
}

function instance(
  index: number,
  runs: { digest: string | null; isHealthy: boolean },
): Observation['instances'][number] {
  return { id: `i-${index}`, region: 'eu', config: null, role: 'stable', metricsUrl: null, ...runs };
}

export function observation(target: string, instances: Observation['instances']): Observation {
  return { target, instances, weights: {}, generation: null, config: null };
}

export function measured(signals: Signal[], health: World['health'], atMs: number): Measurement[] {
  return signals.map((signal) =>
    health === 'none'
      ? { signal: signal.name, link: null, value: null, missing: 'no-data', detail: '' }
      : { signal: signal.name, link: null, value: VALUES[health], samples: 1000, takenAtMs: atMs },
  );
}

export const started =
  (world: Pick<World, 'lastGood' | 'desiredSha'> = GOOD_WORLD): When =>
  (rollout, atMs) => ({
    type: 'started',
    atMs,
    desiredSha: world.desiredSha,
    desiredDigest: world.desiredSha === null ? null : `sha256:${world.desiredSha}`,
    participants: rollout.release.participants,
    lastGood: world.lastGood,
    lastWatched: [],
  });

const who = (one: PersonName | Actor): Actor => (typeof one === 'string' ? actor(one) : one);

export const approvedBy =
  (one: PersonName | Actor): When =>
  ({ generation }, atMs) => ({ type: 'approved', atMs, generation, actor: who(one) });

export const rejectedBy =
  (one: PersonName | Actor, because = 'not today'): When =>
  ({ generation }, atMs) => ({ type: 'rejected', atMs, generation, actor: who(one), because });

export const decidedBy =
  (one: PersonName | Actor, choice: Choice, because: string | null = null): When =>
  ({ generation }, atMs) => ({ type: 'decided', atMs, generation, actor: who(one), choice, because });

export const countdownStoppedBy =
  (one: PersonName | Actor): When =>
  ({ generation }, atMs) => ({ type: 'countdown-stopped', atMs, generation, actor: who(one) });

export const rollbackBy =
  (one: PersonName | Actor, because = 'it hurts', to: Artifact | null = null): When =>
  (_rollout, atMs) => ({ type: 'rollback-requested', atMs, actor: who(one), because, to });

export const abortedBy =
  (one: PersonName | Actor, because = 'not needed'): When =>
  (_rollout, atMs) => ({ type: 'aborted', atMs, actor: who(one), because });

export const supersededBy =
  (byRollout: string): When =>
  (_rollout, atMs) => ({ type: 'superseded', atMs, byRollout, bySha: 'f'.repeat(40) });

/** The timer that the rollout's phase owes under this name, when its time has come. */
export const woke =
  (timer: string): When =>
  ({ generation }, atMs) => ({ type: 'woke', atMs, generation, timer });

/** The newest release as it sets out; by a merge unless somebody asked for it. */
export function rollout(
  over: { service?: ServiceSpec; release?: Release; request?: Partial<Request>; id?: string; nowMs?: number } = {},
): Scene {
  const { service = aService(), release = aRelease(1), id = 'rollout-1', nowMs = START_MS } = over;
  const request: Request = { by: { kind: 'belay' }, name: 'a merge', because: null, upTo: null, ...over.request };
  const plan = planOf(service, release, request.upTo, sha256);
  if (isPlanProblem(plan)) throw new Error(`no plan: ${plan.code}`);
  const decision = createRollout({ id, service, release, plan, request, nowMs });
  return new Scene(decision, nowMs, decision.effects, decision.facts);
}

/** Staging is made for one release alone. */
export function withEnvironment(): ServiceSpec {
  const service = aService();
  return { ...service, stages: service.stages.map((stage) => ({ ...stage, isEphemeral: stage.name === 'staging' })) };
}

export const SMOKE: CheckSpec = { name: 'smoke', kind: 'http', options: {}, deadlineMs: 60_000, retries: 1 };

/** Production has a check that each step must pass. */
export function withChecks(): ServiceSpec {
  const service = aService();
  const checks = (name: string) => (name === 'production' ? [SMOKE] : []);
  return { ...service, stages: service.stages.map((stage) => ({ ...stage, checks: checks(stage.name) })) };
}

/** The world in one line: a rollout that has just reached this phase, in production where that makes a difference. */
export function rolloutAt(name: PhaseName, over: Parameters<typeof rollout>[0] & { step?: string } = {}): Scene {
  const start = rollout(over);
  const step = over.step ?? null;
  switch (name) {
    case 'building':
    case 'queued':
    case 'preparing':
      return rollout({ service: withEnvironment(), ...over }).until(name, step);
    case 'checking':
      return rollout({ service: withChecks(), ...over }).until(name, step ?? 'canary');
    case 'surveying':
    case 'gated':
    case 'succeeded':
      return start.until(name, step);
    case 'clearing':
    case 'deploying':
    case 'verifying':
    case 'baking':
      return start.until(name, step ?? 'canary');
    case 'deciding':
      return start.until('baking', step ?? 'wave 1').until('deciding', null, { health: 'bad' });
    case 'holding':
      return rolloutAt('deciding', over).when(decidedBy('cho', 'hold', 'a fix is on its way'));
    case 'rolling-back':
      return start.until('baking', step ?? 'canary').until('rolling-back', null, { health: 'bad' });
    case 'rolled-back':
      return rolloutAt('rolling-back', over).until('rolled-back');
    case 'aborted':
      return start.until('gated').when(rejectedBy('ben'));
    case 'superseded':
      return start.until('gated').when(supersededBy('rollout-2'));
    case 'failed':
      return start.when(woke('build-deadline'));
  }
}

export const PHASES: PhaseName[] = [
  'building',
  'queued',
  'preparing',
  'surveying',
  'gated',
  'clearing',
  'deploying',
  'verifying',
  'checking',
  'baking',
  'deciding',
  'holding',
  'rolling-back',
  'succeeded',
  'rolled-back',
  'aborted',
  'superseded',
  'failed',
];

export const OVER: PhaseName[] = ['succeeded', 'rolled-back', 'aborted', 'superseded', 'failed'];
