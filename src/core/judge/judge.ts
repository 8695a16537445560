import { formatLimit } from './limit.ts';
import { type Reading, readNow, wasBadBefore } from './reading.ts';
import type { Measurement, Signal } from './signal.ts';
import type { Judgement, SignalMemory, SignalVerdict, Verdict, VerdictReason } from './verdict.ts';

/** The score, 0 to 100, from which a step is healthy, and below which it is degraded. */
const PASS = 95;
const MARGINAL = 75;

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
    if (isKept) before.push([name, one]);
  }
  return { before: Object.fromEntries(before), recent: {}, series: {} };
}

/**
 * Judges a step by its signals at `nowMs`. `healthy` needs positive evidence: a deciding signal that is finite, fresh and
 * within its bounds; every critical signal healthy; every floor of traffic met. What is missing is `error`, never a pass
 * and never harm. The memory that comes back is for the next judgement of the same step.
 */
export function judge(
  signals: readonly Signal[],
  memory: SignalMemory,
  measurements: readonly Measurement[],
  nowMs: number,
  /** `compare`, `rate`: the same signals on what they are held against. */
  _controls: readonly Measurement[] = [],
): { judgement: Judgement; memory: SignalMemory } {
  const recent: [string, SignalMemory['recent'][string]][] = [];
  const judged: Judged[] = signals.map((signal) => {
    const answers = measurementsOf(signal.name, measurements);
    const reading = readNow(signal, answers, nowMs);
    const history = [...(own(memory.recent, signal.name) ?? []), reading.is].slice(-Math.max(1, signal.of));
    recent.push([signal.name, history]);
    const before = own(memory.before, signal.name);
    const outcome = decide(signal, reading, history, wasBadBefore(signal, before));
    return { signal, shown: explain(signal, outcome, answers, before) };
  });
  return {
    judgement: { ...conclude(judged), atMs: nowMs, signals: judged.map((one) => one.shown) },
    memory: { before: memory.before, recent: Object.fromEntries(recent), series: memory.series },
  };
}

type Judged = { signal: Signal; shown: SignalVerdict };

type Outcome = { verdict: Verdict; reason: VerdictReason; detail: string };

/** One signal's verdict: its reading, its own m of n, and whether it was already bad. The order of the rules is the policy. */
function decide(signal: Signal, reading: Reading, history: readonly Reading['is'][], wasBad: boolean): Outcome {
  if (reading.is === 'missing') return { verdict: 'error', reason: reading.reason, detail: '' };
  if (wasBad && reading.is === 'bad') return { verdict: 'inconclusive', reason: 'already-bad-before', detail: '' };
  const failures = history.filter((one) => one === 'bad').length;
  const detail = failures > 0 && signal.of > 1 ? `${failures} of the last ${history.length} out of bounds` : '';
  if (!wasBad && failures >= Math.max(1, signal.failures))
    return { verdict: 'degraded', reason: 'out-of-bounds', detail };
  if (reading.is === 'bad') return { verdict: 'inconclusive', reason: 'too-few-failures', detail };
  return { verdict: reading.is === 'good' ? 'healthy' : 'inconclusive', reason: reading.reason, detail };
}

/** All signals together. Degraded beats error beats inconclusive beats healthy. */
function conclude(judged: readonly Judged[]): Pick<Judgement, 'verdict' | 'score'> {
  // What was already bad says nothing of this step, for or against it.
  const deciding = judged.filter(
    ({ signal, shown }) => signal.role !== 'observe' && shown.reason !== 'already-bad-before',
  );
  const alone = deciding.filter(({ signal }) => decidesAlone(signal));
  const scored = deciding.filter(({ signal }) => !decidesAlone(signal));
  const healthy = weigh(scored, 'healthy');
  const unclear = weigh(scored, 'inconclusive');
  const measured = healthy + unclear + weigh(scored, 'degraded');
  // What is unclear may turn out either way: harm is called when even the best of it is not enough, and health when
  // even the worst of it is.
  const score = measured > 0 ? (100 * healthy) / measured : null;
  const best = measured > 0 ? (100 * (healthy + unclear)) / measured : null;
  if (alone.some(is('degraded')) || (best !== null && best < MARGINAL)) return { verdict: 'degraded', score };

  const isHalfMissing = deciding.some(is('error')) && 2 * weigh(deciding, 'error') >= weigh(deciding);
  if (alone.some(is('error')) || isHalfMissing) return { verdict: 'error', score };

  // Traffic alone is not health: somebody must have measured something good.
  const hasEvidence = deciding.some((one) => is('healthy')(one) && one.signal.kind !== 'requests');
  const passes = hasEvidence && alone.every(is('healthy')) && (scored.length === 0 || isPassing(score, scored));
  return { verdict: passes ? 'healthy' : 'inconclusive', score };
}

/** Scored signals that could not be measured (less than half of the evidence) leave the score to the others. */
function isPassing(score: number | null, scored: readonly Judged[]): boolean {
  return score === null ? scored.every(is('error')) : score >= PASS;
}

/** A floor of traffic holds the step whatever its role: it has no part in a score. */
function decidesAlone(signal: Signal): boolean {
  return signal.role === 'critical' || signal.kind === 'requests';
}

function is(verdict: Verdict): (judged: Judged) => boolean {
  return ({ shown }) => shown.verdict === verdict;
}

function weigh(judged: readonly Judged[], verdict?: Verdict): number {
  return judged.reduce(
    (sum, { signal, shown }) => (verdict === undefined || shown.verdict === verdict ? sum + signal.weight : sum),
    0,
  );
}

function explain(
  signal: Signal,
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
    baseline: null,
    baselineSamples: null,
    p: null,
    shift: null,
    isWeak: false,
    now: finite(measured?.value),
    before: finite(before?.value),
    limit: formatLimit(signal),
    unit: signal.unit,
    samples: finite(measured?.samples),
    takenAtMs: finite(measured?.takenAtMs),
    link: one?.link ?? null,
    detail: one !== undefined && one.value === null ? one.detail : outcome.detail,
  };
}

function measurementsOf(name: string, measurements: readonly Measurement[]): Measurement[] {
  return measurements.filter((one) => one.signal === name);
}

/** A signal may be called `constructor`: only what was put in counts. */
function own<Value>(record: Record<string, Value>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Infinity and NaN do not survive JSON. */
function finite(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
