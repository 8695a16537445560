import { z } from 'zod';
import type { Missing } from '../core/judge/signal.ts';

type Failure = { ok: false; missing: Missing; detail: string };

/** One series as the server wrote it, oldest first; none when the query found none. */
export type Series = { ok: true; points: [seconds: number, value: string][] } | Failure;
export type OneNumber = { ok: true; value: number; takenAtMs: number } | Failure;
export type Points = { ok: true; points: number[]; takenAtMs: number } | Failure;

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

/** What the server said, as one series or as the reason why there is none. */
export function readSeries(status: number, text: string): Series {
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
  if (data.resultType === 'scalar') return { ok: true, points: [data.result] };
  const series =
    data.resultType === 'vector' ? data.result.map((one) => [one.value]) : data.result.map((one) => one.values);
  if (series.length > 1)
    return no('many-series', `${series.length} series; aggregate them to one, with sum() for example`);
  return { ok: true, points: series[0] ?? [] };
}

/** One number of a series; a part of it that is not a number makes none. */
export function numberOf(series: Series, take: 'avg' | 'max' | 'last'): OneNumber {
  if (!series.ok) return series;
  const last = series.points.at(-1);
  if (last === undefined) return no('no-data', 'the query found no series');
  const used = take === 'last' ? [last] : series.points;
  const values = used.map(([, value]) => parseNumber(value));
  if (!values.every((value) => Number.isFinite(value))) {
    return no('not-a-number', `the server answered "${used.find((_, at) => !Number.isFinite(values[at]))?.[1]}"`);
  }
  const value = take === 'avg' ? values.reduce((sum, one) => sum + one, 0) / values.length : Math.max(...values);
  return { ok: true, value, takenAtMs: Math.round(last[0] * 1000) };
}

/**
 * The points of a series from `sinceMs` on. A NaN is a point that is missing (no traffic, most often): it is left out and
 * never 0. An infinite one is no number, and may be the harm itself: then there are none.
 */
export function pointsOf(series: Series, sinceMs: number): Points {
  if (!series.ok) return series;
  if (series.points.length === 0) return no('no-data', 'the query found no series');
  const within = series.points.filter(([seconds]) => seconds * 1000 >= sinceMs);
  const there = within.filter(([, value]) => value !== 'NaN');
  const values = there.map(([, value]) => parseNumber(value));
  const odd = there.find((_, at) => !Number.isFinite(values[at]));
  if (odd) return no('not-a-number', `the server answered "${odd[1]}"`);
  const last = there.at(-1);
  if (last) return { ok: true, points: values, takenAtMs: Math.round(last[0] * 1000) };
  if (within.length > 0) return no('not-a-number', 'every point since the step began is NaN');
  return no('no-data', 'no point since the step began yet');
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

function no(missing: Missing, detail: string): Failure {
  return { ok: false, missing, detail };
}
