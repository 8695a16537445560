import { z } from 'zod';
import { canonical, type Json } from '../core/json.ts';
import type { Measurement } from '../core/judge/signal.ts';
import type { Instance } from '../core/target.ts';
import { whyUnsafeUrl } from '../core/url.ts';
import { forgotten, isEarlier, measured, missing } from './answer.ts';
import { createAskOnce } from './ask-once.ts';
import { combine } from './combine.ts';
import { type Counted, createGrowths } from './counted.ts';
import { sumOfCounts, whyNotCounts } from './counts.ts';
import { type Page, parsePage } from './exposition.ts';
import { durationMs } from './fields.ts';
import { chooseInstances, type Failure } from './instances.ts';
import { readText } from './read-text.ts';
import { type ScrapeQuery, scrapePoints, scrapeQuerySchema, whyNotBesideScrape, whyNotScrape } from './scrape-query.ts';
import type { Question, Source, SourceContext, SourceKind } from './source.ts';
import { select, tally } from './tally.ts';

const MAX_PAGE_BYTES = 4 * 1024 * 1024;
/** Pages are shared for a moment only: more than one look reads at once. */
const MAX_PAGES = 1_000;
const AT_ONCE = 20;
/** Several signals of one look share a page that is at most this old. */
const SHARE_MS = 500;

const schema = z.strictObject({
  timeoutMs: z.int().min(1).max(120_000).default(5_000).describe('How long one instance may take, in milliseconds.'),
  shortestWindowMs: z
    .int()
    .min(SHARE_MS + 1)
    .max(60_000)
    .default(2_000)
    .describe(
      'Two looks must be this far apart to be a measurement. An instance seen for the first time is looked at twice.',
    ),
});

type Options = z.output<typeof schema>;
type CountedQuery = Exclude<ScrapeQuery, { value: unknown }>;
type ReadPage = { ok: true; page: Page; atMs: number } | Failure;
type Seen = { instance: Instance; url: string; page: Page; atMs: number };

/** Belay's own eyes: reads the Prometheus text page of every judged instance, with no server between. */
export const scrape: SourceKind<Options, ScrapeQuery> = {
  kind: 'scrape',
  title: "Every instance's own Prometheus metrics, read directly",
  remembers: false,
  schema,
  querySchema: scrapeQuerySchema,
  whyNot: whyNotScrape,
  whyNotBeside: whyNotBesideScrape,
  points: scrapePoints,
  create: createScrapeSource,
};

function createScrapeSource(options: Options, context: SourceContext): Source {
  const growthsOf = createGrowths();
  const askOnce = createAskOnce<ReadPage>(MAX_PAGES, () => true);

  return {
    async measure(question, signal) {
      const parsed = scrapeQuerySchema.safeParse(question.query);
      if (!parsed.success) return missing(question, 'bad-query', z.prettifyError(parsed.error));
      const query = parsed.data;
      const why = whyNotScrape(query, question.want);
      if (why !== null) return missing(question, 'bad-query', why);
      if (isEarlier(question, context.now())) return forgotten(question);
      const chosen = await chooseInstances(question, query, context, signal);
      if (!chosen.ok) return missing(question, chosen.missing, chosen.detail);
      if ('value' in query) return measureGauge(question, query, await readAll(chosen.instances, signal));

      const isSinceStep = question.want === 'counts';
      const windowMs = isSinceStep ? Math.max(1, question.untilMs - question.sinceMs) : durationMs(query.window);
      const asked = { windowMs, shortestMs: options.shortestWindowMs, signal };
      const grown = await growthsOf(asked, async () => {
        const seen = await readAll(chosen.instances, signal);
        // What was counted before the step began is another question, and another memory.
        return seen.ok ? countAll(seen.all, query, [question.service, isSinceStep ? question.sinceMs : null]) : seen;
      });
      if (!grown.ok) return missing(question, grown.missing, grown.detail);
      const combined = combine(grown.growths, query);
      if (!combined.ok) return missing(question, combined.missing, combined.detail);
      // As old as the oldest of its parts.
      const takenAtMs = Math.min(...grown.growths.map((one) => one.endMs));
      const overMs = Math.max(...grown.growths.map((one) => one.spanMs));
      if (!isSinceStep) return measured(question, { ...combined, takenAtMs, overMs });
      const counts = sumOfCounts(grown.growths);
      const odd = whyNotCounts(counts);
      return odd === null
        ? measured(question, { ...combined, takenAtMs, counts })
        : missing(question, 'bad-answer', odd);
    },
  };

  /** Every instance's page, or why not: one that is missing among the judged ones makes the whole measurement partial. */
  async function readAll(instances: Instance[], signal: AbortSignal): Promise<{ ok: true; all: Seen[] } | Failure> {
    const all: Seen[] = [];
    const failures: (Failure & { id: string })[] = [];
    for (let at = 0; at < instances.length; at += AT_ONCE) {
      const some = instances.slice(at, at + AT_ONCE);
      await Promise.all(
        some.map(async (instance) => {
          const url = instance.metricsUrl;
          const answer = url === null ? noMetrics() : await readPage(url, signal);
          if (answer.ok && url !== null) all.push({ instance, url, page: answer.page, atMs: answer.atMs });
          else if (!answer.ok) failures.push({ ...answer, id: instance.id });
        }),
      );
    }
    const [failure] = failures;
    if (failure === undefined) return { ok: true, all };
    const detail = `${failure.id}: ${failure.detail}`;
    if (all.length === 0) return { ok: false, missing: failure.missing, detail };
    return {
      ok: false,
      missing: 'partial',
      detail: `${failures.length} of ${instances.length} not measured; ${detail}`,
    };
  }

  function readPage(url: string, signal: AbortSignal): Promise<ReadPage> {
    const nowMs = context.now();
    const given = { ok: false, missing: 'unreachable', detail: 'nobody waited for the answer' } as const;
    const isFresh = (atMs: number) => nowMs >= atMs && nowMs - atMs <= SHARE_MS;
    return askOnce(url, { nowMs, keepMs: SHARE_MS, isFresh, signal, given }, (shared) => fetchPage(url, shared));
  }

  async function fetchPage(url: string, signal: AbortSignal): Promise<ReadPage> {
    const why = whyUnsafeUrl(url);
    if (why !== null) return { ok: false, missing: 'bad-answer', detail: why };
    const answer = await readText({
      fetch: context.fetch,
      url,
      headers: { accept: 'text/plain;version=0.0.4' },
      timeoutMs: options.timeoutMs,
      maxBytes: MAX_PAGE_BYTES,
      signal,
    });
    if (!answer.ok) return answer;
    if (answer.status !== 200) return { ok: false, missing: 'bad-answer', detail: `HTTP ${answer.status}` };
    const parsed = parsePage(answer.text);
    return parsed.ok ? { ...parsed, atMs: context.now() } : { ok: false, missing: 'bad-answer', detail: parsed.detail };
  }
}

/** What each instance's page counts for the query; `about` tells apart what is asked of the same page. */
function countAll(seen: Seen[], query: CountedQuery, about: Json[]): { ok: true; all: Counted[] } | Failure {
  const all: Counted[] = [];
  for (const { instance, url, page, atMs } of seen) {
    const counted = tally(page, query);
    if (!counted.ok) return { ...counted, detail: `${instance.id}: ${counted.detail}` };
    const startedAt = page.samples.get('process_start_time_seconds')?.[0]?.value ?? null;
    const key = canonical([...about, instance.id, instance.digest, url, query]);
    all.push({ key, look: { atMs, startedAt, counts: counted.counts } });
  }
  return { ok: true, all };
}

function measureGauge(
  question: Question,
  query: Extract<ScrapeQuery, { value: unknown }>,
  seen: { ok: true; all: Seen[] } | Failure,
): Measurement {
  if (!seen.ok) return missing(question, seen.missing, seen.detail);
  const { of, where, take } = query.value;
  const values: number[] = [];
  for (const { instance, page } of seen.all) {
    const found = select(page, of, where);
    if (!found.ok) return missing(question, found.missing, `${instance.id}: ${found.detail}`);
    if (found.samples.length === 0) return missing(question, 'partial', `${instance.id}: ${of} has no such series`);
    values.push(...found.samples.map((one) => one.value));
  }
  const sum = values.reduce((total, one) => total + one, 0);
  const taken = { max: Math.max(...values), min: Math.min(...values), avg: sum / values.length, sum }[take];
  const takenAtMs = Math.min(...seen.all.map((one) => one.atMs));
  return measured(question, { value: taken * query.times, samples: null, takenAtMs });
}

function noMetrics(): Failure {
  return { ok: false, missing: 'no-data', detail: 'it has no metrics address' };
}
