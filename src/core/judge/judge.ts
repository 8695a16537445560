import { conclude, type Judged } from './conclude.ts';
import { formatLimit } from './limit.ts';
import { type Look, lookAtAll, measurementsOf, own } from './look.ts';
import { besideBadBefore, type Reading, wasBadBefore } from './reading.ts';
import type { Series } from './series.ts';
import type { Measurement, Signal } from './signal.ts';
import type { Judgement, SignalMemory, SignalVerdict, Verdict, VerdictReason } from './verdict.ts';

/** What a step remembers when it has measured nothing yet. */
export function emptyMemory(): SignalMemory {
  return { before: {}, recent: {}, series: {} };
}

/** A new memory that holds what was measured before the step began, for these signals and no others. */
export function rememberBefore(signals: readonly Signal[], measurements: readonly Measurement[]): SignalMemory {
  const before: [string, Measurement][] = [];
  for (const { name } of signals) {
    const [one, ...more] = measurementsOf(name, measurements);
    // Two answers to one question are none, and what is not finite does not survive the database.
    const isKept = one !== undefined && more.length === 0 && (one.value === null || Number.isFinite(one.value));
    if (isKept) before.push([name, withoutPoints(one)]);
  }
  return { before: Object.fromEntries(before), recent: {}, series: {} };
}

/**
 * What is known of the step. `groups`: what each group of signals weighs. `isUnderWay`: it will be looked at again before it
 * may pass, so that a comparison must be surer of harm than at the end.
 */
type Watched = { groups?: Readonly<Record<string, number>>; isUnderWay?: boolean };

/**
 * Judges a step by its signals at `nowMs`. `healthy` needs positive evidence: a deciding signal that is finite, fresh and
 * within its bounds, or no different from its baseline; every critical signal healthy; every floor of traffic met. What is
 * missing is `error`, never a pass and never harm. `controls`: the compared signals on what they are held against. The
 * memory that comes back is for the next judgement of the same step.
 */
export function judge(
  signals: readonly Signal[],
  memory: SignalMemory,
  measurements: readonly Measurement[],
  nowMs: number,
  controls: readonly Measurement[] = [],
  { groups = {}, isUnderWay = false }: Watched = {},
): { judgement: Judgement; memory: SignalMemory } {
  const recent: [string, SignalMemory['recent'][string]][] = [];
  const series: [string, Series][] = [];
  const looks = lookAtAll(signals, memory, { now: measurements, controls }, nowMs, isUnderWay);
  const judged = looks.map((found): Judged => {
    const { signal } = found;
    const before = own(memory.before, signal.name);
    const answers = measurementsOf(signal.name, measurements);
    const look = { ...found, reading: beside(found, answers[0], before) };
    const history = [...(own(memory.recent, signal.name) ?? []), look.reading.is].slice(-Math.max(1, signal.of));
    recent.push([signal.name, history]);
    const numbers = look.series ?? own(memory.series, signal.name);
    if (numbers) series.push([signal.name, numbers]);
    return { signal, shown: explain(look, decide(look, history), answers, before) };
  });
  return {
    judgement: { ...conclude(judged, groups), atMs: nowMs, signals: judged.map((one) => one.shown) },
    memory: { before: memory.before, recent: Object.fromEntries(recent), series: Object.fromEntries(series) },
  };
}

type Outcome = { verdict: Verdict; reason: VerdictReason; detail: string };

/** What a look says once it is known what was measured before the step. */
function beside({ signal, reading }: Look, now: Measurement | undefined, before: Measurement | undefined): Reading {
  if (!wasBadBefore(signal, before) || now === undefined || now.value === null) return reading;
  return besideBadBefore(signal, reading, now.value, before?.value ?? Number.NaN);
}

/** One signal's verdict: its reading and its own m of n. The order of the rules is the policy. */
function decide({ signal, reading }: Look, history: readonly Reading['is'][]): Outcome {
  const own = reading.detail ?? '';
  if (reading.is === 'missing') return { verdict: 'error', reason: reading.reason, detail: own };
  if (reading.reason === 'already-bad-before') return { verdict: 'inconclusive', reason: reading.reason, detail: own };
  const failures = history.filter((one) => one === 'bad').length;
  const counted = failures > 0 && signal.of > 1 ? `${failures} of the last ${history.length} out of bounds` : '';
  const detail = [own, counted].filter((part) => part !== '').join('; ');
  if (failures >= Math.max(1, signal.failures)) {
    // What it was degraded by may have been an earlier look; the reason is the last one that was bad.
    const reason = reading.is === 'bad' ? reading.reason : LAST_BAD[signal.kind];
    return { verdict: 'degraded', reason, detail };
  }
  if (reading.is === 'bad') return { verdict: 'inconclusive', reason: 'too-few-failures', detail };
  return { verdict: reading.is === 'good' ? 'healthy' : 'inconclusive', reason: reading.reason, detail };
}

const LAST_BAD: Record<Signal['kind'], VerdictReason> = {
  threshold: 'out-of-bounds',
  check: 'out-of-bounds',
  requests: 'out-of-bounds',
  compare: 'worse',
  rate: 'worse',
  alert: 'firing',
};

function explain(
  { signal, difference }: Look,
  outcome: Outcome,
  answers: readonly Measurement[],
  before: Measurement | undefined,
): SignalVerdict {
  const one = answers.length === 1 ? answers[0] : undefined;
  const measured = one !== undefined && one.value !== null ? one : null;
  return {
    signal: signal.name,
    verdict: outcome.verdict,
    reason: outcome.reason,
    role: signal.role,
    neighbour: signal.neighbour,
    group: signal.group,
    now: finite(difference?.canary.level ?? measured?.value),
    before: finite(before?.value),
    baseline: finite(difference?.baseline.level),
    baselineSamples: finite(difference?.baseline.samples),
    p: finite(difference?.p),
    shift: finite(difference?.relativeShift),
    interval: difference?.interval ?? null,
    effect: finite(difference?.cles),
    isWeak: difference?.isWeak ?? false,
    limit: formatLimit(signal),
    unit: signal.unit,
    samples: finite(difference?.canary.samples ?? measured?.samples),
    takenAtMs: finite(measured?.takenAtMs),
    link: one?.link ?? null,
    detail: outcome.detail,
  };
}

/** The points of before are held against nothing, and would be carried through every look. */
function withoutPoints(measurement: Measurement): Measurement {
  if (measurement.value === null) return measurement;
  const { points: _points, counts: _counts, ...kept } = measurement;
  return kept;
}

/** Infinity and NaN do not survive JSON. */
function finite(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
