import { z } from 'zod';
import { canonical } from '../core/json.ts';
import type { Measurement, Missing } from '../core/judge/signal.ts';
import type { Instance } from '../core/target.ts';
import { whyUnsafeUrl } from '../core/url.ts';
import { measured, missing } from './answer.ts';
import { combine } from './combine.ts';
import { type Page, parsePage } from './exposition.ts';
import { durationMs } from './fields.ts';
import { readText } from './read-text.ts';
import { type ScrapeQuery, scrapeQuerySchema } from './scrape-query.ts';
import type { Question, Source, SourceContext, SourceKind } from './source.ts';
import { select, tally } from './tally.ts';
import { follow, growthOf, type Track } from './window.ts';

const MAX_PAGE_BYTES = 4 * 1024 * 1024;
/** Instances times queries; what was not looked at for longest is forgotten first. */
const MAX_TRACKS = 10_000;
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
type Failure = { ok: false; missing: Missing; detail: string };
type Seen = { instance: Instance; url: string; page: Page; atMs: number };

/** Belay's own eyes: reads the Prometheus text page of every judged instance, with no server between. */
export const scrape: SourceKind<Options, ScrapeQuery> = {
  kind: 'scrape',
  title: "Every instance's own Prometheus metrics, read directly",
  remembers: false,
  schema,
  querySchema: scrapeQuerySchema,
  create: createScrapeSource,
};

function createScrapeSource(options: Options, context: SourceContext): Source {
  const tracks = new Map<string, Track>();
  const pages = new Map<string, { atMs: number; page: Promise<{ ok: true; page: Page; atMs: number } | Failure> }>();

  return {
    async measure(question, signal) {
      const parsed = scrapeQuerySchema.safeParse(question.query);
      if (!parsed.success) return missing(question, 'bad-query', z.prettifyError(parsed.error));
      const query = parsed.data;
      const chosen = await choose(question, query, context, signal);
      if (!chosen.ok) return missing(question, chosen.missing, chosen.detail);
      if ('value' in query) return measureGauge(question, query, await readAll(chosen.instances, signal));

      const first = await lookAtAll(question, query, chosen.instances, signal);
      if (!first.ok) return missing(question, first.missing, first.detail);
      let growths = first.growths;
      if (!growths.every((one) => one.spanMs >= options.shortestWindowMs)) {
        // One look counts nothing: it takes a second one to see what grew.
        await pause(options.shortestWindowMs, signal);
        const second = await lookAtAll(question, query, chosen.instances, signal);
        if (!second.ok) return missing(question, second.missing, second.detail);
        growths = second.growths;
      }
      if (!growths.every((one) => one.spanMs >= options.shortestWindowMs)) {
        return missing(question, 'no-data', 'an instance was not watched for long enough yet');
      }
      const combined = combine(growths, query);
      if (!combined.ok) return missing(question, combined.missing, combined.detail);
      // As old as the oldest of its parts.
      return measured(question, { ...combined, takenAtMs: Math.min(...growths.map((one) => one.endMs)) });
    },
  };

  async function lookAtAll(
    question: Question,
    query: Exclude<ScrapeQuery, { value: unknown }>,
    instances: Instance[],
    signal: AbortSignal,
  ) {
    const seen = await readAll(instances, signal);
    if (!seen.ok) return seen;
    const windowMs = durationMs(query.window);
    const growths = [];
    for (const { instance, url, page, atMs } of seen.all) {
      const counted = tally(page, query);
      if (!counted.ok) return { ...counted, detail: `${instance.id}: ${counted.detail}` };
      const startedAt = page.samples.get('process_start_time_seconds')?.[0]?.value ?? null;
      const key = canonical([question.service, instance.id, instance.digest, url, query]);
      const track = follow(tracks.get(key), { atMs, startedAt, counts: counted.counts }, windowMs);
      // Deleted and set: the map's order is then by last use, and the first is the one to forget.
      tracks.delete(key);
      tracks.set(key, track);
      growths.push(growthOf(track));
    }
    for (const key of tracks.keys()) {
      if (tracks.size <= MAX_TRACKS) break;
      tracks.delete(key);
    }
    return { ok: true as const, growths };
  }

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

  function readPage(url: string, signal: AbortSignal): Promise<{ ok: true; page: Page; atMs: number } | Failure> {
    const nowMs = context.now();
    for (const [key, kept] of pages) if (!isShared(kept.atMs, nowMs)) pages.delete(key);
    const kept = pages.get(url);
    if (kept) return kept.page;
    const page = fetchPage(url, signal);
    pages.set(url, { atMs: nowMs, page });
    return page;
  }

  async function fetchPage(
    url: string,
    signal: AbortSignal,
  ): Promise<{ ok: true; page: Page; atMs: number } | Failure> {
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

/** The instances that the query is about. One whose version cannot be read may be one of them: partial. */
async function choose(
  question: Question,
  query: ScrapeQuery,
  context: SourceContext,
  signal: AbortSignal,
): Promise<{ ok: true; instances: Instance[] } | Failure> {
  let listed: Instance[];
  try {
    listed = (
      await Promise.all(question.targets.map((one) => context.instances(question.service, one, signal)))
    ).flat();
  } catch {
    return { ok: false, missing: 'unreachable', detail: 'the instances could not be listed' };
  }
  const here = listed.filter((one) => query.region === undefined || one.region === query.region);
  const wanted = query.version === 'before' ? question.beforeDigest : question.digest;
  if (query.version !== 'all') {
    const unread = here.find((one) => one.digest === null);
    if (unread) return { ok: false, missing: 'partial', detail: `${unread.id}: its version could not be read` };
  }
  const instances = query.version === 'all' ? here : here.filter((one) => one.digest === wanted);
  if (instances.length === 0) return { ok: false, missing: 'no-data', detail: 'no instance runs what is measured' };
  return { ok: true, instances };
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

function isShared(atMs: number, nowMs: number): boolean {
  return nowMs >= atMs && nowMs - atMs <= SHARE_MS;
}

function noMetrics(): Failure {
  return { ok: false, missing: 'no-data', detail: 'it has no metrics address' };
}

/** Ends early, quietly, when the signal aborts: the look that follows then fails by itself. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
