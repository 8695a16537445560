import { z } from 'zod';
import type { Want } from '../core/judge/want.ts';
import { durationField, durationMs } from './fields.ts';
import type { Points } from './source.ts';

const metric = z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/, 'Expected the name of a Prometheus metric.');
const labels = z
  .record(z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/), z.string().max(200))
  .describe('Labels and what they must be; * stands for any text, as in 5*');

const common = {
  version: z
    .enum(['now', 'before', 'all'])
    .default('now')
    .describe('Which instances: those of the judged release, of the one before it, or all.'),
  region: z.string().min(1).max(200).optional().describe('Only the instances of this region.'),
  times: z
    .number()
    .default(1)
    .describe('The answer times this: 100 makes percent of a ratio, 1000 makes ms of seconds.'),
};
const window = durationField(1_000, 3_600_000).default('30s').describe('How far back to look, such as 30s.');

const counted = z.strictObject({ of: metric.describe('The counter.'), where: labels.default({}) });

/** What can be asked of scraped metrics: exactly one of `ratio`, `rate`, `increase`, `quantile`, `value`. */
export const scrapeQuerySchema = z.union([
  z.strictObject({
    ratio: z
      .strictObject({
        of: metric.describe('The counter of failures.'),
        where: labels.default({}),
        over: metric.describe('The counter of all requests.'),
        overWhere: labels.default({}),
      })
      .describe('Failures out of requests, 0 to 1.'),
    window,
    ...common,
  }),
  z.strictObject({ rate: counted.describe('How fast a counter grows, for each second.'), window, ...common }),
  z.strictObject({ increase: counted.describe('How much a counter grew within the window.'), window, ...common }),
  z.strictObject({
    quantile: z
      .strictObject({
        of: metric.describe('The histogram, without _bucket.'),
        q: z.number().gt(0).lt(1).describe('0.99 is the 99th percentile.'),
        where: labels.default({}),
      })
      .describe('A quantile of a histogram. The slowest bucket that has a bound must lie above the limit.'),
    window,
    ...common,
  }),
  z.strictObject({
    value: z
      .strictObject({
        of: metric.describe('The gauge.'),
        where: labels.default({}),
        take: z.enum(['max', 'min', 'avg', 'sum']).default('max').describe('How many series become one number.'),
      })
      .describe('A gauge as it is now.'),
    ...common,
  }),
]);

export type ScrapeQuery = z.output<typeof scrapeQuerySchema>;

/** Whose instances are measured follows from the side that is asked for, unless the query says so itself. */
export function whyNotBesideScrape({ version }: ScrapeQuery): string | null {
  return version === 'now' ? null : 'leave version out: then each side is measured on its own instances';
}

/** One number a look; the judge takes none that is about the same time as the last one. */
export function scrapePoints(query: ScrapeQuery, everyMs: number): Points {
  const overMs = 'value' in query ? 0 : durationMs(query.window);
  return { apartMs: Math.max(everyMs, overMs), overMs, fix: 'a shorter window' };
}

/** Why this query cannot give what is wanted, as a sentence with what to do; null: it can. */
export function whyNotScrape(query: ScrapeQuery, want: Want): string | null {
  if (want === 'alerts') return 'Alerts are read from a source of the kind alertmanager';
  if (want !== 'counts' || ('ratio' in query && query.times === 1)) return null;
  return 'A rate is judged by failures out of requests: give ratio, without times';
}
