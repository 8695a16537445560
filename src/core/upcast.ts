import { seedOf } from './assign.ts';
import type { Effect, Look } from './effect.ts';
import type { Signal } from './judge/signal.ts';
import type { Judgement, SignalVerdict } from './judge/verdict.ts';
import type { StepSpec } from './pipeline.ts';
import { type Plan, type PlannedStage, stepAt } from './plan.ts';
import { type Phase, type Rollout, SCHEMA, type StepRecord } from './rollout.ts';
import { type Instance, USUAL_STRATEGY } from './target.ts';
import type { Stray, Trouble } from './trouble.ts';

// What an older version wrote is typed as what it becomes, and only ever laid over what it may lack: what is stored wins,
// so that doing it twice is doing it once. What is filled in is how that version behaved.

type In<Name extends Phase['is']> = Extract<Phase, { is: Name }>;

const SIGNAL = { neighbour: null, baseline: null, comparison: null, group: null } satisfies Partial<Signal>;

const STEP = { isRegional: false, count: null, deploys: 'release', hasBaseline: false } satisfies Partial<StepSpec>;

const STAGE = {
  strategy: USUAL_STRATEGY,
  isolation: null,
  isEphemeral: false,
  checks: [],
  order: 'as-written',
  regionsAtOnce: [],
  speedUp: null,
  groups: {},
  onInconclusive: 'ask',
  onError: 'ask',
  capacityDeadlineMs: 1_800_000,
} satisfies Partial<PlannedStage>;

const PLAN = { outlook: { stages: [], unknown: [{ code: 'not-asked' }] } } satisfies Partial<Plan>;

const SIGNAL_VERDICT = {
  neighbour: null,
  group: null,
  baseline: null,
  baselineSamples: null,
  p: null,
  shift: null,
  interval: null,
  effect: null,
  isWeak: false,
} satisfies Partial<SignalVerdict>;

const RECORD = { watchedFromMs: null, checks: [] } satisfies Partial<StepRecord>;

const CLEARING = {
  capacity: { waitingFor: [], shortages: [] },
  shortSinceMs: null,
  round: 0,
} satisfies Partial<In<'clearing'>>;

const ROLLOUT = {
  found: {},
  desiredDigest: null,
  assignment: {},
  environments: [],
  without: [],
  quiet: [],
  begunShort: [],
  checks: [],
  watchedFromMs: null,
  lastWatched: [],
  seen: {},
} satisfies Partial<Rollout>;

const PLACING = { instances: null, strategy: USUAL_STRATEGY, isCanary: false, baseline: null };
const ROLL_BACK = { strategy: USUAL_STRATEGY };
/** Since ever: the signals of that time ask for no time of their own. */
const LOOK = { sinceMs: 0, lastGood: null, without: [] } satisfies Partial<Look>;

/**
 * A rollout as it was stored, by this version or an older one, in the shape of this one. Its plan keeps the hash that it
 * had: the approvals that were given to it stay bound to it. One that has this shape already comes back as it is.
 */
export function upcastRollout(stored: Rollout): Rollout {
  if (stored.schema === SCHEMA) return stored;
  const plan = { ...PLAN, ...stored.plan, stages: stored.plan.stages.map(upcastStage) };
  const upcast = upcastPhase(stored.phase);
  const isBaking = upcast.is === 'baking';
  return {
    ...ROLLOUT,
    ...(isBaking ? { watchedFromMs: upcast.sinceMs } : {}),
    ...{ seed: seedOf(stored.id) },
    ...stored,
    schema: SCHEMA,
    plan,
    spec: { ...{ traffic: null }, ...stored.spec },
    phase: isBaking ? { ...{ forMs: stepAt(plan, upcast.at).bake.forMs }, ...upcast } : upcast,
    steps: stored.steps.map((one) => ({ ...RECORD, ...one })),
  };
}

/** The same for what is owed to the world. */
export function upcastEffect(stored: Effect): Effect {
  switch (stored.kind) {
    case 'deploy':
      return { ...PLACING, ...stored };
    case 'roll-back':
      return { ...ROLL_BACK, ...stored };
    case 'measure-before':
      return isLook(stored) ? stored : { ...LOOK, ...stored, signals: stored.signals.map(upcastSignal) };
    case 'measure': {
      if (isLook(stored)) return stored;
      return { ...LOOK, ...{ everyMs: stored.afterMs }, ...stored, signals: stored.signals.map(upcastSignal) };
    }
    case 'announce':
    case 'page':
      return { ...stored, phase: upcastPhase(stored.phase) };
    default:
      return stored;
  }
}

/** Nothing is read as often as a look, with as many signals: one of this version is left alone. */
function isLook(stored: Look): boolean {
  return Object.hasOwn(stored, 'without');
}

function upcastSignal(stored: Signal): Signal {
  return { ...SIGNAL, ...stored };
}

function upcastStage(stored: PlannedStage): PlannedStage {
  return {
    ...STAGE,
    ...stored,
    steps: stored.steps.map((one) => ({ ...STEP, ...one })),
    signals: stored.signals.map(upcastSignal),
  };
}

function upcastPhase(stored: Phase): Phase {
  switch (stored.is) {
    case 'surveying':
      return { ...{ observations: [] }, ...stored };
    case 'clearing':
      return { ...CLEARING, ...stored };
    case 'verifying': {
      const problems = Object.entries(stored.problems).map(([target, trouble]) => [target, upcastTrouble(trouble)]);
      return { ...stored, problems: Object.fromEntries(problems) };
    }
    case 'baking': {
      const memory = { ...{ series: {} }, ...stored.memory };
      return { ...stored, memory, judgement: upcastJudgement(stored.judgement) };
    }
    case 'deciding':
    case 'holding':
    case 'rolling-back':
    case 'rolled-back':
      return { ...stored, trouble: upcastTrouble(stored.trouble), judgement: upcastJudgement(stored.judgement) };
    case 'aborted':
    case 'failed':
      return { ...stored, trouble: upcastTrouble(stored.trouble) };
    default:
      return stored;
  }
}

function upcastJudgement(stored: Judgement | null): Judgement | null {
  return stored && { ...stored, signals: stored.signals.map((one) => ({ ...SIGNAL_VERDICT, ...one })) };
}

/** A partial rollout named its instances as they were read back; what is wrong with each follows from that. */
function upcastTrouble(stored: Trouble): Trouble {
  if (stored.code !== 'partial') return stored;
  const instances: (Stray | Instance)[] = stored.instances;
  return { ...stored, instances: instances.map((one) => ('is' in one ? one : strayOf(one, stored.target))) };
}

function strayOf({ id, region, digest, isHealthy }: Instance, target: string): Stray {
  const is = digest === null ? 'unreadable' : isHealthy ? 'other-version' : 'unhealthy';
  return { id, target, region, digest, is };
}
