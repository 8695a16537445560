import type { CheckSpec } from '../core/check.ts';
import type { Json } from '../core/json.ts';
import type { Signal } from '../core/judge/signal.ts';
import type { BakeSpec, Person, ServiceSpec, StageSpec, StepSpec } from '../core/pipeline.ts';
import { principalKey } from '../core/principal.ts';
import type { CheckFile, ServiceFile, SignalFile, StageFile } from './service-schema.ts';

const DEFAULT_EVERY_MS = 30_000;
const DEFAULT_PATIENCE_MS = 30 * 60_000;

/** A checked service file as the core wants it. `targets`, queries and `checks` are what their kinds' schemas made of them. */
export function serviceSpec(
  file: ServiceFile,
  people: readonly Person[],
  targets: Record<string, Json>,
  queryOf: (signal: SignalFile) => Json,
  checks: ReadonlyMap<CheckFile, CheckSpec>,
): ServiceSpec {
  const key = (name: string): string => {
    const person = people.find((one) => one.name === name);
    if (!person) throw new Error(`${name} is not one of the people`);
    return principalKey(person.principal);
  };
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
    places: Object.fromEntries(
      Object.keys(targets).map((target) => [target, { region: target, country: null, ring: null }]),
    ),
    traffic: null,
    trafficCycleMs: null,
    neighbours: [],
    driftEveryMs: null,
    stages: file.stages.map((stage) => ({
      ...stageSpec(stage, [...file.signals, ...stage.signals], queryOf),
      checks: stage.checks.flatMap((one) => checks.get(one) ?? []),
    })),
    roles: {
      deployer: keys(file.roles.deployers),
      approver: keys(file.roles.approvers),
      'on-call': keys(file.roles.onCall),
      admin: keys(file.roles.admins),
    },
    onCall: key(file.onCall),
  };
}

function stageSpec(
  stage: StageFile,
  signals: SignalFile[],
  queryOf: (signal: SignalFile) => Json,
): Omit<StageSpec, 'checks'> {
  return {
    name: stage.name,
    isProtected: stage.protected,
    approvals: stage.approvals ? { required: stage.approvals.required, expireMs: stage.approvals.expire } : null,
    steps: stepsOf(stage),
    signals: signals.map((signal) => signalSpec(signal, queryOf(signal))),
    strategy: { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 30_000 },
    isolation: null,
    isEphemeral: false,
    order: 'as-written',
    regionsAtOnce: [],
    speedUp: null,
    groups: {},
    onInconclusive: 'ask',
    onError: 'ask',
    capacityDeadlineMs: DEFAULT_PATIENCE_MS,
    deployDeadlineMs: stage.deployDeadline,
    verifyDeadlineMs: stage.verifyDeadline,
    decideWithinMs: stage.decide?.within ?? null,
    defaultDecision: stage.decide?.default ?? null,
  };
}

/** A step as it is without more being said. */
const RELEASE_ALONE = { count: null, deploys: 'release', hasBaseline: false } as const;

/** The groups of targets that go together, in order; one group when the stage is a single step. */
export function wavesOf(stage: StageFile): string[][] {
  if (stage.waves) return stage.waves;
  const targets = stage.targets ?? [];
  return stage.canary ? targets.map((target) => [target]) : [targets];
}

function stepsOf(stage: StageFile): StepSpec[] {
  const waves = wavesOf(stage);
  const bake = bakeSpec(stage.bake);
  const { onDegraded } = stage;
  const canary: StepSpec[] = stage.canary
    ? [
        {
          name: 'canary',
          kind: 'canary',
          targets: waves.flat(),
          share: stage.canary.share,
          ...RELEASE_ALONE,
          bake: bakeSpec(stage.canary.bake),
          onDegraded: stage.canary.onDegraded,
        },
      ]
    : [];
  if (!stage.canary && !stage.waves) {
    return [{ name: 'all', kind: 'all', targets: waves.flat(), share: 1, ...RELEASE_ALONE, bake, onDegraded }];
  }
  return [
    ...canary,
    ...waves.map((targets, index): StepSpec => {
      return { name: `wave ${index + 1}`, kind: 'wave', targets, share: 1, ...RELEASE_ALONE, bake, onDegraded };
    }),
  ];
}

/** With its defaults: judged every 30 s, on-call is asked when it is not healthy half an hour after it should have been. */
export function bakeSpec(bake: StageFile['bake']): BakeSpec {
  return {
    forMs: bake.for,
    everyMs: bake.every ?? Math.min(DEFAULT_EVERY_MS, bake.for),
    deadlineMs: bake.deadline ?? bake.for + DEFAULT_PATIENCE_MS,
  };
}

function signalSpec(signal: SignalFile, query: Json): Signal {
  return {
    name: signal.name,
    kind: signal.kind,
    neighbour: null,
    baseline: null,
    comparison: null,
    group: null,
    source: signal.source,
    query,
    healthyWhen: signal.healthyWhen ?? { min: 1 },
    degradedWhen: signal.degradedWhen ?? null,
    role: signal.role,
    weight: signal.weight ?? 1,
    failures: signal.failures,
    of: signal.of ?? signal.failures,
    minSamples: signal.minSamples,
    maxAgeMs: signal.maxAge,
    unit: signal.unit,
  };
}
