import type { CheckSpec } from '../../src/core/check.ts';
import type { Signal } from '../../src/core/judge/signal.ts';
import type { ServiceSpec, StageSpec, StepSpec } from '../../src/core/pipeline.ts';
import type { Strategy } from '../../src/core/target.ts';
import { aService, aSignal, aStage, aStep } from '../support/service.ts';
import type { Random } from './random.ts';

/** How many instances each target has, by region. */
export const REGIONS: Record<string, Record<string, number>> = {
  staging: { eu: 2 },
  eu: { dublin: 2, paris: 2 },
  us: { us: 3 },
};

export const FIRST_DIGEST = 'sha256:first';
export const CONFIG = 'config:1';

/** What one instance can bear, in requests a second. */
export const PER_INSTANCE = 100;

export function optionsOf(target: string) {
  return { regions: REGIONS[target] ?? { somewhere: 1 }, digest: FIRST_DIGEST, config: CONFIG };
}

const SMOKE: CheckSpec = { name: 'smoke', kind: 'smoke', options: {}, deadlineMs: 20_000, retries: 1 };

const STRATEGIES: Strategy[] = [
  { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 30_000 },
  { is: 'rolling', maxSurge: 1, maxUnavailable: 0, drainMs: 30_000 },
  { is: 'weight', drainMs: 30_000 },
  { is: 'blue-green', keepMs: 600_000, drainMs: 30_000 },
  { is: 'replace', drainMs: 30_000 },
  { is: 'symlink', maxUnavailable: 1, drainMs: 30_000 },
];

/** The service of one universe: each has other stages, waves, signals and ways of getting from one version to the next. */
export function simulatedService(random: Random): ServiceSpec {
  const service = aService();
  const approvals = random.pick([1, 1, 2]);
  const hasTraffic = random.chance(0.4);
  return {
    ...service,
    targets: Object.fromEntries(Object.keys(REGIONS).map((target) => [target, optionsOf(target)])),
    traffic: hasTraffic ? { source: 'load', query: {}, perInstance: PER_INSTANCE } : null,
    driftEveryMs: 60_000,
    stages: [staging(random), production(random, approvals)],
  };
}

function staging(random: Random): StageSpec {
  const isEphemeral = random.chance(0.35);
  const checks = random.chance(0.4) ? [SMOKE] : [];
  const isJudged = checks.length === 0 || random.chance(0.6);
  const all = aStep({ onDegraded: random.pick(['ask', 'rollback']) });
  const upAndDown: StepSpec[] = [
    { ...all, name: 'upgrade', kind: 'upgrade' },
    { ...all, name: 'downgrade', kind: 'downgrade', deploys: 'before' },
    { ...all, name: 'upgrade again', kind: 'upgrade' },
  ];
  return aStage({
    isEphemeral,
    checks,
    capacityDeadlineMs: 120_000,
    signals: isJudged ? [errors(random)] : [],
    steps: !isEphemeral && random.chance(0.2) ? upAndDown : [all],
  });
}

const BY_REGION: Partial<StepSpec>[] = [
  { name: 'wave 1', targets: ['us'], isRegional: true },
  { name: 'wave 2', targets: ['eu'], isRegional: true },
];
const BY_SHARE: Partial<StepSpec>[] = [
  { name: '25 %', targets: ['eu', 'us'], share: 0.25 },
  { name: '60 %', targets: ['eu', 'us'], share: 0.6 },
  { name: 'all', targets: ['eu', 'us'] },
];
const BY_COUNT: Partial<StepSpec>[] = [
  { name: '4 instances', targets: ['eu', 'us'], count: 4 },
  { name: 'all', targets: ['eu', 'us'] },
];

/** As a service file could have them: what changes a whole target at once knows no parts, and a weight no counts. */
function stepsOf(random: Random, strategy: Strategy): StepSpec[] {
  const onDegraded = random.pick(['ask', 'rollback'] as const);
  const waves = (parts: Partial<StepSpec>[]) => parts.map((one) => aStep({ kind: 'wave', onDegraded, ...one }));
  if (strategy.is === 'blue-green' || strategy.is === 'replace') return waves(BY_REGION);
  const hasBaseline = random.chance(0.4);
  const canary = aStep({ name: 'canary', kind: 'canary', targets: ['eu', 'us'], share: 0.1, hasBaseline });
  return [
    canary,
    ...waves(random.pick(strategy.is === 'weight' ? [BY_REGION, BY_SHARE] : [BY_REGION, BY_SHARE, BY_COUNT])),
  ];
}

function production(random: Random, required: number): StageSpec {
  const strategy = random.pick(STRATEGIES);
  return aStage({
    name: 'production',
    isProtected: true,
    approvals: { required, expireMs: 14_400_000 },
    steps: stepsOf(random, strategy),
    signals: signalsOf(random),
    checks: random.chance(0.2) ? [SMOKE] : [],
    strategy,
    speedUp: random.pick([null, { factor: 2, floorMs: 4000 }]),
    onInconclusive: random.pick(['ask', 'ask', 'rollback']),
    onError: random.pick(['ask', 'ask', 'rollback']),
    capacityDeadlineMs: 120_000,
    decideWithinMs: 600_000,
    defaultDecision: 'roll-back',
  });
}

function errors(random: Random): Signal {
  return aSignal(random.pick([{}, {}, { failures: 2, of: 3 }]));
}

function signalsOf(random: Random): Signal[] {
  const more: Signal[] = [
    aSignal({ name: 'latency', role: random.pick(['scored', 'observe']), unit: 'ms' }),
    aSignal({ name: 'traffic', kind: 'requests', healthyWhen: { min: 100 }, degradedWhen: null, unit: 'req' }),
    aSignal({ name: 'payments errors', neighbour: { service: 'payments', is: 'downstream' } }),
    aSignal({ name: 'probe', kind: 'check', healthyWhen: {}, degradedWhen: null }),
  ];
  return [errors(random), ...more.filter(() => random.chance(0.4))];
}
