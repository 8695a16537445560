import { z } from 'zod';
import type { Measurement } from '../core/judge/signal.ts';
import { isEarlier, measured, missing } from './answer.ts';
import { createAskOnce, sameInterval } from './ask-once.ts';
import { whyNotCounts } from './counts.ts';
import { durationMs, tokenField, urlField } from './fields.ts';
import { numberOf, type OneNumber, pointsOf, readSeries, type Series } from './prometheus-answer.ts';
import {
  type PrometheusQuery,
  prometheusPoints,
  prometheusQuerySchema,
  SHORTEST_STEP_MS,
  whyNotBesidePrometheus,
  whyNotPrometheus,
} from './prometheus-query.ts';
import { fillIn } from './promql.ts';
import { readText } from './read-text.ts';
import type { Question, Source, SourceContext, SourceKind } from './source.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;
/** Answers that are kept for who asks the same within an interval. */
const MAX_KEPT = 500;
/** About so many points are asked for, never more than ten times as many. */
const POINTS = 60;
const MOST_POINTS = 600;
/** A whole number of these is asked for, so that steps that began at different times ask the same. */
const BLOCK = 16;
const STEPS_MS = [15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200].map((s) => s * 1000);

const schema = z.strictObject({
  url: urlField.describe(
    'Where Prometheus (or Thanos, Mimir, VictoriaMetrics) answers, such as https://prometheus.example.com',
  ),
  token: tokenField,
  timeoutMs: z.int().min(1).max(120_000).default(10_000).describe('How long one query may take, in milliseconds.'),
});

type Options = z.output<typeof schema>;
type Range = { startMs: number; endMs: number; stepMs: number };
/** `at`: when it is asked about; null: now, by the server's clock. */
type When = { at: number | null } | Range;

/** Numbers, points and counts from a Prometheus server, by PromQL. */
export const prometheus: SourceKind<Options, PrometheusQuery> = {
  kind: 'prometheus',
  title: 'A Prometheus server, asked in PromQL',
  remembers: true,
  schema,
  querySchema: prometheusQuerySchema,
  whyNot: whyNotPrometheus,
  whyNotBeside: whyNotBesidePrometheus,
  points: prometheusPoints,
  create: createPrometheusSource,
};

function createPrometheusSource(options: Options, context: SourceContext): Source {
  const base = options.url.replace(/[?#].*$/, '').replace(/\/+$/, '');
  const askOnce = createAskOnce<Series>(MAX_KEPT, (series) => series.ok);

  /** Asks once what many ask in the same interval. */
  async function ask(promql: string, when: When, question: Question, signal: AbortSignal): Promise<Series> {
    const filled = fillIn(promql, question);
    if (!filled.ok) return { ok: false, missing: filled.reason, detail: filled.detail };
    const parameters = new URLSearchParams({ query: filled.promql, timeout: `${options.timeoutMs}ms` });
    const isRange = 'stepMs' in when;
    if (isRange) {
      parameters.set('start', String(when.startMs / 1000));
      parameters.set('end', String(when.endMs / 1000));
      parameters.set('step', String(when.stepMs / 1000));
    } else if (when.at !== null) parameters.set('time', String(when.at / 1000));
    const path = isRange ? 'query_range' : 'query';
    const nowMs = context.now();
    // The end of a range that ends now is not part of what is asked: who joins gets the points of the same interval.
    const isUntilNow = isRange && !isEarlier(question, nowMs);
    return askOnce(
      isUntilNow ? JSON.stringify([filled.promql, when.endMs - when.startMs, when.stepMs]) : `${path}?${parameters}`,
      {
        nowMs,
        keepMs: question.everyMs,
        isFresh: sameInterval(question, nowMs),
        signal,
        given: { ok: false, missing: 'unreachable', detail: 'nobody waited for the answer' },
      },
      async (shared) => {
        const answer = await readText({
          fetch: context.fetch,
          url: `${base}/api/v1/${path}?${parameters}`,
          headers: { accept: 'application/json', ...(options.token && { authorization: `Bearer ${options.token}` }) },
          timeoutMs: options.timeoutMs,
          maxBytes: MAX_ANSWER_BYTES,
          signal: shared,
        });
        return answer.ok ? readSeries(answer.status, answer.text) : answer;
      },
    );
  }

  /** Where a person sees the same graph. */
  function linkTo(promql: string, question: Question, range: string): string {
    const filled = fillIn(promql, question);
    const parameters = new URLSearchParams({ 'g0.expr': filled.ok ? filled.promql : promql, 'g0.tab': '0' });
    parameters.set('g0.range_input', range);
    if (isEarlier(question, context.now())) {
      parameters.set('g0.end_input', new Date(question.untilMs).toISOString().slice(0, 19).replace('T', ' '));
    }
    return `${base}/graph?${parameters}`;
  }

  async function measureNumber(
    query: Extract<PrometheusQuery, { promql: string }>,
    question: Question,
    signal: AbortSignal,
  ): Promise<Measurement> {
    const { range } = query;
    const atMs = isEarlier(question, context.now()) ? question.untilMs : null;
    const endMs = alignedEnd(atMs ?? context.now(), range ? durationMs(range.every) : 0);
    const when: When = range
      ? { startMs: endMs - durationMs(range.last), endMs, stepMs: durationMs(range.every) }
      : { at: atMs };
    const link = linkTo(query.promql, question, range?.last ?? '1h');
    const read = numberOf(await ask(query.promql, when, question, signal), range?.take ?? 'last');
    if (!read.ok) return missing(question, read.missing, read.detail, link);
    return withSamples(query.samples, { at: atMs }, question, signal, (samples) =>
      measured(question, { ...read, samples }, link),
    );
  }

  async function measurePoints(
    query: Extract<PrometheusQuery, { promql: string }>,
    question: Question,
    signal: AbortSignal,
  ): Promise<Measurement> {
    const range = rangeOf(question, query.every, prometheusPoints(query).overMs);
    const link = linkTo(query.promql, question, seconds(question.untilMs - question.sinceMs));
    const read = pointsOf(await ask(query.promql, range, question, signal), question.sinceMs);
    if (!read.ok) return missing(question, read.missing, read.detail, link);
    const { points, takenAtMs } = read;
    const value = points.reduce((sum, one) => sum + one, 0) / points.length;
    return withSamples(query.samples, { at: range.endMs }, question, signal, (samples) =>
      measured(question, { value, samples: samples ?? points.length, takenAtMs, points }, link),
    );
  }

  async function withSamples(
    promql: string | undefined,
    when: When,
    question: Question,
    signal: AbortSignal,
    then: (samples: number | null) => Measurement,
  ): Promise<Measurement> {
    if (promql === undefined) return then(null);
    const samples = numberOf(await ask(promql, when, question, signal), 'last');
    return samples.ok ? then(samples.value) : missing(question, samples.missing, `samples: ${samples.detail}`);
  }

  /** Both at one time, or the failures would be those of other requests than the ones that are counted. */
  async function measureCounts(
    query: Extract<PrometheusQuery, { failed: string }>,
    question: Question,
    signal: AbortSignal,
  ): Promise<Measurement> {
    const when = { at: Math.floor(question.untilMs / 1000) * 1000 };
    const link = linkTo(query.failed, question, seconds(question.untilMs - question.sinceMs));
    const [failed, total] = await Promise.all(
      [query.failed, query.total].map(async (one) => numberOf(await ask(one, when, question, signal), 'last')),
    );
    return countsOf(question, failed, total, link);
  }

  return {
    async measure(question: Question, signal: AbortSignal) {
      const query = prometheusQuerySchema.safeParse(question.query);
      if (!query.success) return missing(question, 'bad-query', z.prettifyError(query.error));
      const why = whyNotPrometheus(query.data, question.want);
      if (why !== null) return missing(question, 'bad-query', why);
      if ('failed' in query.data) return measureCounts(query.data, question, signal);
      if (question.want === 'points') return measurePoints(query.data, question, signal);
      return measureNumber(query.data, question, signal);
    },
  };
}

function countsOf(
  question: Question,
  failed: OneNumber | undefined,
  total: OneNumber | undefined,
  link: string,
): Measurement {
  if (!total?.ok) return missing(question, total?.missing ?? 'no-data', `total: ${total?.detail}`, link);
  if (!failed?.ok) {
    const isNone = failed?.missing === 'no-data';
    const hint = isNone ? '; where no series means no failures, end the query with: or vector(0)' : '';
    return missing(question, failed?.missing ?? 'no-data', `failed: ${failed?.detail}${hint}`, link);
  }
  // increase() reaches for the ends of its time and so gives fractions; what it counts is whole.
  const counts = { failed: Math.round(failed.value), total: Math.round(total.value) };
  const odd = whyNotCounts(counts);
  if (odd !== null) return missing(question, 'bad-answer', odd, link);
  if (counts.total === 0) return missing(question, 'no-data', 'no requests since the step began', link);
  const takenAtMs = Math.min(failed.takenAtMs, total.takenAtMs);
  return measured(question, { value: counts.failed / counts.total, samples: counts.total, takenAtMs, counts }, link);
}

/** The points from when the step began until now, or of that time in the past, in whole blocks; none over the same time. */
function rangeOf(question: Question, every: string | undefined, overMs: number): Range {
  const spanMs = Math.max(1, question.untilMs - question.sinceMs);
  const leastMs =
    every === undefined ? Math.max(overMs, spanMs / POINTS) : Math.max(durationMs(every), spanMs / MOST_POINTS);
  const stepMs =
    every !== undefined && leastMs === durationMs(every)
      ? leastMs
      : (STEPS_MS.find((one) => one >= leastMs) ?? Math.ceil(leastMs / 1000) * 1000);
  const endMs = alignedEnd(question.untilMs, stepMs);
  const blocks = Math.ceil((endMs - question.sinceMs) / (BLOCK * stepMs));
  return { startMs: endMs - Math.max(1, blocks) * BLOCK * stepMs, endMs, stepMs };
}

/** The same for all who ask at about the same time, and never much older than now. */
function alignedEnd(atMs: number, stepMs: number): number {
  const gridMs = Math.max(1_000, Math.min(stepMs, SHORTEST_STEP_MS));
  return Math.floor(atMs / gridMs) * gridMs;
}

function seconds(ms: number): string {
  return `${Math.max(60, Math.ceil(ms / 1000))}s`;
}
