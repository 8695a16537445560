import { z } from 'zod';
import type { Want } from '../core/judge/want.ts';
import { durationField, durationMs } from './fields.ts';
import { longestWindowMs, whyNotFillable } from './promql.ts';
import { whyNotPromql } from './promql-form.ts';
import type { Points } from './source.ts';

const promql = z
  .string()
  .min(1)
  .max(4_000)
  .superRefine((text, context) => {
    const why = whyNotPromql(text) ?? whyNotFillable(text);
    if (why !== null) context.addIssue({ code: 'custom', message: why });
  });

const every = durationField(1_000, 3_600_000);

/** What can be asked of Prometheus: one number or its points (`promql`), or two counts (`failed`, `total`). */
export const prometheusQuerySchema = z.union([
  z.strictObject({
    promql: promql.describe(
      'PromQL that gives exactly one series. "$version", "$before", "$service", =~"$targets" and =~"$role" are filled in inside quotes, [$since] is the time since the step began.',
    ),
    samples: promql
      .optional()
      .describe(
        'PromQL for how many requests are behind the number; without it a signal with minSamples never passes.',
      ),
    every: every
      .optional()
      .describe('For a compare: one point for each of these. Default: about 60 points, at least 15s apart.'),
    range: z
      .strictObject({
        last: durationField(1_000, 86_400_000).describe('How far back to look, such as 5m.'),
        every: every.describe('One point for each of these, such as 15s.'),
        take: z.enum(['avg', 'max', 'last']).default('avg').describe('How the points become one number.'),
      })
      .optional()
      .describe('Ask for a range and make one number of its points; without it, an instant query.'),
  }),
  z.strictObject({
    failed: promql.describe(
      'PromQL for how many failed, such as sum(increase(http_requests_total{code=~"5..",version="$version"}[$since])) or vector(0).',
    ),
    total: promql.describe('PromQL for how many there were, failed ones included, over the same time.'),
  }),
]);

export type PrometheusQuery = z.output<typeof prometheusQuerySchema>;

/** Both sides of a comparison are asked the same but for what is filled in; `$role` is any for the release. */
export function whyNotBesidePrometheus(query: PrometheusQuery): string | null {
  const all = 'failed' in query ? [query.failed, query.total] : [query.promql];
  if (all.every((one) => /\$version\b/.test(one))) return null;
  return `${all.length > 1 ? 'failed and total must both say' : 'say'} whose numbers they are, such as version="$version"`;
}

/** The usual time between two scrapes: a point that only repeats the one before it would be no new evidence. */
export const SHORTEST_STEP_MS = 15_000;

/** Without `every` the points are as far apart as each looks back; with it they are as written. */
export function prometheusPoints(query: PrometheusQuery): Points {
  const overMs = 'promql' in query ? longestWindowMs(query.promql) : 0;
  const written = 'promql' in query && query.every !== undefined ? durationMs(query.every) : null;
  const fix = `every: ${Math.ceil(overMs / 1000)}s or longer, no every at all, or a shorter window`;
  return { apartMs: written ?? Math.max(SHORTEST_STEP_MS, overMs), overMs, fix };
}

/** Why this query cannot give what is wanted, as a sentence with what to do; null: it can. */
export function whyNotPrometheus(query: PrometheusQuery, want: Want): string | null {
  if (want === 'alerts') return 'Alerts are read from a source of the kind alertmanager';
  if (want === 'counts') {
    return 'failed' in query ? null : 'A rate is judged by two counts: give failed and total instead of promql';
  }
  if (want === 'number') return null;
  if ('failed' in query) return 'A compare is judged by the points of one series: give promql';
  if (query.range) return 'range makes one number of the points that a compare is judged by: give every instead';
  if (/\[\s*\$since\b/.test(query.promql)) return '[$since] is one number; a compare is judged by points: such as [1m]';
  return null;
}
