import type { CheckSpec } from '../core/check.ts';
import type { Json } from '../core/json.ts';
import { usualComparison } from '../core/judge/comparison.ts';
import type { Baseline, Bound, Comparison, Neighbour, Signal } from '../core/judge/signal.ts';
import type { Person, ServiceSpec, StageSpec, StepSpec } from '../core/pipeline.ts';
import { principalKey } from '../core/principal.ts';
import { USUAL_STRATEGY } from '../core/target.ts';
import { placesOf } from './places.ts';
import type { CheckFile, ServiceFile, StageFile } from './service-schema.ts';
import type { SignalFile } from './signal-schema.ts';
import { stepsOf } from './waves.ts';

/** What the kinds' schemas made of the queries and the checks. */
export type Asked = {
  query(signal: SignalFile): Json;
  traffic: Json;
  checks: ReadonlyMap<CheckFile, CheckSpec>;
};

/** A checked service file as the core wants it. `targets` and `asked` are what their kinds' schemas made of them. */
export function serviceSpec(
  file: ServiceFile,
  people: readonly Person[],
  targets: Record<string, Json>,
  asked: Asked,
): ServiceSpec {
  const key = (name: string): string => {
    const person = people.find((one) => one.name === name);
    if (!person) throw new Error(`${name} is not one of the people`);
    return principalKey(person.principal);
  };
  const places = placesOf(file);
  const keys = (names: string[]) => [...new Set(names.map(key))];
  return {
    name: file.service,
    pipeline: file.pipeline,
    repo: file.repo,
    branch: file.branch,
    channel: file.channel,
    build: { check: file.build.check ?? null, deadlineMs: file.build.deadline },
    provider: file.provider,
    targets,
    places,
    traffic: file.traffic
      ? { source: file.traffic.source, query: asked.traffic, perInstance: file.traffic.perInstance ?? null }
      : null,
    trafficCycleMs: file.trafficCycle ?? null,
    neighbours: neighboursOf(file),
    driftEveryMs: file.drift === 'off' ? null : file.drift.every,
    stages: file.stages.map((stage) =>
      stageSpec(stage, stepsOf(stage, places, file.trafficCycle ?? null), file, asked),
    ),
    roles: {
      deployer: keys(file.roles.deployers),
      approver: keys(file.roles.approvers),
      'on-call': keys(file.roles.onCall),
      admin: keys(file.roles.admins),
    },
    onCall: key(file.onCall),
  };
}

function stageSpec(stage: StageFile, steps: StepSpec[], file: ServiceFile, asked: Asked): StageSpec {
  const { rollout } = stage;
  const signals = [...file.signals, ...stage.signals];
  return {
    name: stage.name,
    isProtected: stage.protected,
    approvals: stage.approvals ? { required: stage.approvals.required, expireMs: stage.approvals.expire } : null,
    steps,
    signals: signals.map((signal) => signalSpec(signal, neighboursOf(file), asked.query(signal))),
    strategy: rollout?.strategy ?? USUAL_STRATEGY,
    isolation: stage.isolation ?? null,
    isEphemeral: stage.environment === 'ephemeral',
    checks: stage.checks.flatMap((one) => asked.checks.get(one) ?? []),
    order: rollout?.order ?? 'as-written',
    regionsAtOnce: rollout ? [rollout.regionsAtOnce].flat() : [],
    speedUp: rollout?.speedUp ? { factor: rollout.speedUp.factor, floorMs: rollout.speedUp.floor } : null,
    groups: file.groups,
    onInconclusive: stage.onInconclusive,
    onError: stage.onError,
    capacityDeadlineMs: stage.capacityDeadline,
    deployDeadlineMs: stage.deployDeadline,
    verifyDeadlineMs: stage.verifyDeadline,
    decideWithinMs: stage.decide?.within ?? null,
    defaultDecision: stage.decide?.default ?? null,
  };
}

export function isCompared({ kind }: Pick<SignalFile, 'kind'>): boolean {
  return kind === 'compare' || kind === 'rate';
}

/**
 * Requests on each side before a rate may pass: with fewer, a canary that fails one in ten may have failed none yet. Harm
 * is seen before (6 of 30 against 1 of 1,000).
 */
const RATE_SAMPLES = 100;

/**
 * How many bad looks count, of how many. A comparison is looked at again and again while it grows: what seems worse by
 * chance mostly does so once.
 */
export function lookedBackOn(signal: Pick<SignalFile, 'kind' | 'failures' | 'of'>): { failures: number; of: number } {
  const usual = isCompared(signal) ? { failures: 2, of: 3 } : { failures: 1, of: 1 };
  if (signal.failures === undefined && signal.of === undefined) return usual;
  const failures = signal.failures ?? Math.min(usual.failures, signal.of ?? usual.failures);
  return { failures, of: signal.of ?? failures };
}

/** A signal as the core wants it, with what is usual where nothing is written. */
export function signalSpec(signal: SignalFile, neighbours: readonly Neighbour[], query: Json): Signal {
  const { direction, tolerance, confidence, minEffect, spread } = signal;
  const usual = usualComparison(signal.role);
  const comparison: Comparison = {
    direction: direction ?? usual.direction,
    tolerance: tolerance ?? usual.tolerance,
    confidence: confidence ?? usual.confidence,
    minEffect: minEffect ?? usual.minEffect,
    spread: spread ?? usual.spread,
  };
  return {
    name: signal.name,
    kind: signal.kind,
    neighbour: neighbours.find((one) => one.service === signal.neighbour) ?? null,
    baseline: isCompared(signal) ? baselineOf(signal) : null,
    comparison: isCompared(signal) ? comparison : null,
    group: signal.group ?? null,
    source: signal.source,
    query,
    healthyWhen: signal.healthyWhen ?? HEALTHY[signal.kind],
    degradedWhen: signal.degradedWhen ?? null,
    role: signal.role,
    weight: signal.weight ?? 1,
    ...lookedBackOn(signal),
    minSamples: signal.minSamples ?? (signal.kind === 'rate' ? RATE_SAMPLES : 0),
    maxAgeMs: signal.maxAge,
    unit: signal.unit,
  };
}

/** What is healthy where nothing is written: the other kinds must say it, or have no bounds. */
const HEALTHY: Record<Signal['kind'], Bound> = {
  check: { min: 1 },
  alert: { max: 0 },
  threshold: {},
  requests: {},
  compare: {},
  rate: {},
};

export function baselineOf({ baseline }: Pick<SignalFile, 'baseline'>): Baseline {
  if (baseline === undefined) return { is: 'current' };
  return typeof baseline === 'string' ? { is: baseline } : { is: 'earlier', daysAgo: baseline.earlier };
}

export function neighboursOf({ neighbours }: ServiceFile): Neighbour[] {
  return [
    ...neighbours.upstream.map((service): Neighbour => ({ service, is: 'upstream' })),
    ...neighbours.downstream.map((service): Neighbour => ({ service, is: 'downstream' })),
  ];
}
