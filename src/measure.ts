import type { Effect, Look } from './core/effect.ts';
import { isFresh } from './core/judge/reading.ts';
import type { Measurement, Signal } from './core/judge/signal.ts';
import { WANT } from './core/judge/want.ts';
import type { TrafficSpec } from './core/pipeline.ts';
import type { Rollout } from './core/rollout.ts';
import type { Owed } from './engine/ledger.ts';
import type { Performed } from './engine/perform.ts';
import type { Question, Source } from './health/source.ts';

/** What measuring reaches. */
export type Meters = {
  now(): number;
  source(name: string): Source | null;
  /** Where a service runs, when Belay deploys it; null: it does not. */
  targetsOf(service: string): string[] | null;
};

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

/** A source that sees the instances for the first time needs a second look before it has a rate. */
const BEFORE_AGAIN_MS = 1000;
const BEFORE_LOOKS = 4;
const DAY_MS = 86_400_000;
/** What is asked for once is asked for anew each time. */
const ONCE_MS = 1000;
/** As old as a signal may be that says nothing else. */
const LOAD_MAX_AGE_MS = 120_000;

/** The same signals just before the step, on what runs until then. */
export async function measureBefore(
  meters: Meters,
  rollout: Rollout,
  owed: Owed,
  effect: Of<'measure-before'>,
  signal: AbortSignal,
): Promise<Performed> {
  // What ran before is measured as the release would be: it is the one that serves now.
  // Whatever has a baseline is held against it at each look, and has nothing to say of a step that has not begun.
  const signals = effect.signals.filter((one) => one.baseline === null);
  const look = effect.before && { ...effect, signals, now: effect.before, everyMs: ONCE_MS };
  const measurements = look ? await askAll(meters, look, (one) => questionOf(meters, rollout, look, one), signal) : [];
  const isTooSoon = measurements.some((one) => one.value === null && one.missing === 'no-data');
  if (isTooSoon && owed.attempts < BEFORE_LOOKS) return { is: 'later', afterMs: BEFORE_AGAIN_MS, isTry: true };
  return { is: 'event', event: { type: 'measured-before', generation: effect.generation, measurements } };
}

/** One look of a bake: every signal on the release, and those that are compared on their baseline too. */
export async function measureNow(
  meters: Meters,
  rollout: Rollout,
  effect: Of<'measure'>,
  signal: AbortSignal,
): Promise<Performed> {
  const compared = effect.signals.filter((one) => one.baseline !== null);
  const [measurements, controls] = await Promise.all([
    askAll(meters, effect, (one) => questionOf(meters, rollout, effect, one), signal),
    Promise.all(compared.map((one) => measureControl(meters, rollout, effect, one, signal))),
  ]);
  const { generation, round } = effect;
  return { is: 'event', event: { type: 'measured', generation, round, measurements, controls } };
}

/** Requests a second on a target now. A load that was read long ago is not known: the night says nothing of the day. */
export async function readLoad(
  meters: Pick<Meters, 'now' | 'source'>,
  traffic: TrafficSpec,
  of: { service: string; target: string; without: string[] },
  signal: AbortSignal,
): Promise<Measurement> {
  const load = await loadOf(meters, traffic, { ...of, without: [] }, signal);
  // What somebody decided to go on without may serve all the same; where it cannot be asked, the others can.
  const isMissed = load.value === null && of.without.length > 0;
  return isMissed ? loadOf(meters, traffic, of, signal) : load;
}

async function loadOf(
  meters: Pick<Meters, 'now' | 'source'>,
  traffic: TrafficSpec,
  { service, target, without }: { service: string; target: string; without: string[] },
  signal: AbortSignal,
): Promise<Measurement> {
  const nowMs = meters.now();
  const load = await ask(
    meters,
    traffic.source,
    {
      signal: 'load',
      query: traffic.query,
      service,
      targets: [target],
      digest: '',
      beforeDigest: null,
      role: null,
      want: 'number',
      sinceMs: nowMs,
      untilMs: nowMs,
      everyMs: ONCE_MS,
      without,
    },
    signal,
  );
  const isOld = load.value !== null && !isFresh({ maxAgeMs: LOAD_MAX_AGE_MS }, load.takenAtMs, meters.now());
  return isOld ? missing('load', 'stale', 'the load was read too long ago') : load;
}

type Watched = Look & { everyMs: number };

function questionOf(meters: Meters, rollout: Rollout, look: Watched, signal: Signal): Question {
  const { neighbour } = signal;
  return {
    signal: signal.name,
    query: signal.query,
    service: neighbour?.service ?? rollout.service,
    // A neighbour is watched wherever it runs; of one that Belay does not deploy no more is known than where we do.
    targets: (neighbour && meters.targetsOf(neighbour.service)) ?? look.targets,
    // What a neighbour runs is not known here.
    digest: neighbour ? '' : look.now.digest,
    beforeDigest: neighbour ? null : (look.before?.digest ?? null),
    role: null,
    want: WANT[signal.kind],
    sinceMs: look.sinceMs,
    untilMs: meters.now(),
    everyMs: look.everyMs,
    without: look.without,
  };
}

/** The same signal on what it is held against. */
async function measureControl(
  meters: Meters,
  rollout: Rollout,
  look: Watched,
  one: Signal,
  signal: AbortSignal,
): Promise<Measurement> {
  const question = questionOf(meters, rollout, look, one);
  const { baseline } = one;
  const old = look.before?.digest;
  switch (baseline?.is) {
    case 'fresh':
    case 'current':
      if (!one.neighbour && old === undefined) return missing(one.name, 'no-data', 'it is not known what ran before');
      return ask(
        meters,
        one.source,
        {
          ...question,
          digest: one.neighbour ? '' : (old ?? ''),
          role: baseline.is === 'fresh' ? 'baseline' : 'stable',
        },
        signal,
      );
    case 'last-good': {
      if (!look.lastGood) return missing(one.name, 'no-data', 'no good rollout of this step is recorded yet');
      const { artifact, sinceMs } = look.lastGood;
      const untilMs = sinceMs + (question.untilMs - look.sinceMs);
      const digest = one.neighbour ? '' : artifact.digest;
      return ask(meters, one.source, { ...question, digest, sinceMs, untilMs }, signal);
    }
    case 'earlier': {
      const days = await Promise.all(
        baseline.daysAgo.map((days) => {
          const { sinceMs, untilMs } = question;
          const then = { sinceMs: sinceMs - days * DAY_MS, untilMs: untilMs - days * DAY_MS };
          // Other versions ran then: the query must not name one.
          return ask(meters, one.source, { ...question, digest: '', beforeDigest: null, ...then }, signal);
        }),
      );
      return together(one.name, days);
    }
    default:
      return missing(one.name, 'bad-query', 'nothing is said of what it is held against');
  }
}

/** Several days as one baseline: a day that could not be read makes it partial. */
function together(name: string, days: Measurement[]): Measurement {
  const read = days.filter((one) => one.value !== null);
  const unread = days.find((one) => one.value === null);
  const [first] = read;
  if (!first) return unread ?? missing(name, 'no-data', 'no earlier day is asked for');
  if (unread) return missing(name, 'partial', `only ${read.length} of ${days.length} days could be read`);
  const points = read.flatMap((one) => one.points ?? [one.value]);
  const counts = read.map((one) => one.counts).filter((one) => one !== undefined);
  return {
    ...first,
    value: points.reduce((sum, one) => sum + one, 0) / points.length,
    points,
    ...(counts.length === read.length
      ? {
          counts: {
            failed: counts.reduce((sum, one) => sum + one.failed, 0),
            total: counts.reduce((sum, one) => sum + one.total, 0),
          },
        }
      : {}),
  };
}

async function askAll(
  meters: Meters,
  look: Watched,
  question: (signal: Signal) => Question,
  signal: AbortSignal,
): Promise<Measurement[]> {
  return Promise.all(look.signals.map((one) => ask(meters, one.source, question(one), signal)));
}

async function ask(
  meters: Pick<Meters, 'source'>,
  name: string,
  question: Question,
  signal: AbortSignal,
): Promise<Measurement> {
  const source = meters.source(name);
  if (!source) return missing(question.signal, 'unreachable', `There is no source called ${name} in belay.yml`);
  try {
    return await source.measure(question, signal);
  } catch (error) {
    return missing(question.signal, 'unreachable', error instanceof Error ? error.message : String(error));
  }
}

function missing(
  signal: string,
  code: 'unreachable' | 'no-data' | 'partial' | 'stale' | 'bad-query',
  detail: string,
): Measurement {
  return { signal, link: null, value: null, missing: code, detail };
}
