import { z } from 'zod';
import type { Missing } from '../core/judge/signal.ts';
import { measured, missing } from './answer.ts';
import { durationField, durationMs, urlField } from './fields.ts';
import { fillIn, whyNotFillable } from './promql.ts';
import { readText } from './read-text.ts';
import type { Question, Source, SourceContext, SourceKind } from './source.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;

const schema = z.strictObject({
  url: urlField.describe(
    'Where Prometheus (or Thanos, Mimir, VictoriaMetrics) answers, such as https://prometheus.example.com',
  ),
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'Expected the bearer token: printable characters without spaces.')
    .optional()
    .describe('A bearer token, from the environment, when the server wants one.'),
  timeoutMs: z.int().min(1).max(120_000).default(10_000).describe('How long one query may take, in milliseconds.'),
});

const promql = z
  .string()
  .min(1)
  .max(4_000)
  .superRefine((text, context) => {
    const why = whyNotFillable(text);
    if (why !== null) context.addIssue({ code: 'custom', message: why });
  });

const querySchema = z.strictObject({
  promql: promql.describe(
    'PromQL that gives exactly one number. "$version", "$before", "$service" and =~"$targets" are filled in inside quotes.',
  ),
  samples: promql
    .optional()
    .describe('PromQL for how many requests are behind the number; without it a signal with minSamples never passes.'),
  range: z
    .strictObject({
      last: durationField(1_000, 86_400_000).describe('How far back to look, such as 5m.'),
      every: durationField(1_000, 3_600_000).describe('One point for each of these, such as 15s.'),
      take: z.enum(['avg', 'max', 'last']).default('avg').describe('How the points become one number.'),
    })
    .optional()
    .describe('Ask for a range and make one number of its points; without it, an instant query.'),
});

const point = z.tuple([z.number(), z.string()]);
const answerSchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    warnings: z.array(z.string()).optional(),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: point })) }),
      z.object({ resultType: z.literal('matrix'), result: z.array(z.object({ values: z.array(point) })) }),
      z.object({ resultType: z.literal('scalar'), result: point }),
    ]),
  }),
  z.object({ status: z.literal('error'), errorType: z.string().default(''), error: z.string().default('') }),
]);

type Options = z.output<typeof schema>;
type Query = z.output<typeof querySchema>;
type Read = { ok: true; value: number; takenAtMs: number } | { ok: false; missing: Missing; detail: string };

/** One number from a Prometheus server, by PromQL. */
export const prometheus: SourceKind<Options, Query> = {
  kind: 'prometheus',
  title: 'A Prometheus server, asked in PromQL',
  remembers: true,
  schema,
  querySchema,
  create: createPrometheusSource,
};

function createPrometheusSource(options: Options, context: SourceContext): Source {
  const base = options.url.replace(/[?#].*$/, '').replace(/\/+$/, '');

  async function ask(text: string, range: Query['range'], signal: AbortSignal): Promise<Read> {
    const parameters = new URLSearchParams({ query: text, timeout: `${options.timeoutMs}ms` });
    if (range) {
      const end = context.now() / 1000;
      parameters.set('start', String(end - durationMs(range.last) / 1000));
      parameters.set('end', String(end));
      parameters.set('step', String(durationMs(range.every) / 1000));
    }
    const answer = await readText({
      fetch: context.fetch,
      url: `${base}/api/v1/${range ? 'query_range' : 'query'}?${parameters}`,
      headers: { accept: 'application/json', ...(options.token ? { authorization: `Bearer ${options.token}` } : {}) },
      timeoutMs: options.timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
    return answer.ok ? readAnswer(answer.status, answer.text, range?.take ?? 'last') : answer;
  }

  return {
    async measure(question: Question, signal: AbortSignal) {
      const query = querySchema.safeParse(question.query);
      if (!query.success) return missing(question, 'bad-query', z.prettifyError(query.error));
      const { range, samples: samplesPromql } = query.data;
      const filled = fillIn(query.data.promql, question);
      if (!filled.ok) return missing(question, filled.reason, filled.detail);
      const link = linkTo(base, filled.promql, range);
      const read = await ask(filled.promql, range, signal);
      if (!read.ok) return missing(question, read.missing, read.detail, link);
      if (samplesPromql === undefined) return measured(question, { ...read, samples: null }, link);
      const filledSamples = fillIn(samplesPromql, question);
      if (!filledSamples.ok) return missing(question, filledSamples.reason, `samples: ${filledSamples.detail}`, link);
      const samples = await ask(filledSamples.promql, undefined, signal);
      if (!samples.ok) return missing(question, samples.missing, `samples: ${samples.detail}`, link);
      return measured(question, { ...read, samples: samples.value }, link);
    },
  };
}

/** What the server said, as one number or as the reason why there is none. */
function readAnswer(status: number, text: string, take: 'avg' | 'max' | 'last'): Read {
  const parsed = answerSchema.safeParse(parseJson(text));
  if (!parsed.success) return no('bad-answer', `HTTP ${status} with something that is not a Prometheus answer`);
  const answer = parsed.data;
  if (answer.status === 'error') {
    const isQuery = answer.errorType === 'bad_data' || answer.errorType === 'execution';
    return no(isQuery ? 'bad-query' : 'unreachable', `${answer.errorType}: ${answer.error}`);
  }
  if (status !== 200) return no('bad-answer', `HTTP ${status}`);
  // Thanos and its like answer with what they have, and a warning: half of the evidence is none.
  if (answer.warnings && answer.warnings.length > 0) return no('partial', answer.warnings.join('; '));
  const { data } = answer;
  if (data.resultType === 'scalar') return readPoints([data.result], 'last');
  const series =
    data.resultType === 'vector' ? data.result.map((one) => [one.value]) : data.result.map((one) => one.values);
  if (series.length > 1)
    return no('many-series', `${series.length} series; aggregate them to one, with sum() for example`);
  return readPoints(series[0] ?? [], take);
}

function readPoints(points: [number, string][], take: 'avg' | 'max' | 'last'): Read {
  const last = points.at(-1);
  if (last === undefined) return no('no-data', 'the query found no series');
  const used = take === 'last' ? [last] : points;
  const values = used.map(([, value]) => parseNumber(value));
  if (!values.every((value) => Number.isFinite(value))) {
    return no('not-a-number', `the server answered "${used.find((_, at) => !Number.isFinite(values[at]))?.[1]}"`);
  }
  const value = take === 'avg' ? values.reduce((sum, one) => sum + one, 0) / values.length : Math.max(...values);
  return { ok: true, value, takenAtMs: Math.round(last[0] * 1000) };
}

/** `Number('')` is 0, which would pass an error rate: only what looks like a number is one. */
function parseNumber(text: string): number {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function linkTo(base: string, text: string, range: Query['range']): string {
  const parameters = new URLSearchParams({ 'g0.expr': text, 'g0.tab': '0', 'g0.range_input': range?.last ?? '1h' });
  return `${base}/graph?${parameters}`;
}

function no(code: Missing, detail: string): Read {
  return { ok: false, missing: code, detail };
}
