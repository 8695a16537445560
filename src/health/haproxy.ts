import type { NetConnectOpts } from 'node:net';
import { z } from 'zod';
import { canonical } from '../core/json.ts';
import { whyUnsafeUrl } from '../core/url.ts';
import { forgotten, isEarlier, measured, missing } from './answer.ts';
import { createAskOnce } from './ask-once.ts';
import { combine, type How } from './combine.ts';
import { createGrowths } from './counted.ts';
import { sumOfCounts, whyNotCounts } from './counts.ts';
import { durationMs } from './fields.ts';
import {
  type HaproxyQuery,
  haproxyPoints,
  haproxyQuerySchema,
  whyNotBesideHaproxy,
  whyNotHaproxy,
} from './haproxy-query.ts';
import { countOf, parseStat, type StatLine } from './haproxy-stat.ts';
import { chooseInstances, type Failure } from './instances.ts';
import { readSocket } from './read-socket.ts';
import { readText, type TextAnswer } from './read-text.ts';
import type { Question, Source, SourceContext, SourceKind } from './source.ts';
import type { Counts } from './tally.ts';

/** A line is about 600 bytes: some thousands of servers. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** Several signals of one look share the statistics that are at most this old. */
const SHARE_MS = 500;

const schema = z.strictObject({
  url: z
    .string()
    .superRefine((text, context) => {
      const why = whyNotAddress(text);
      if (why !== null) context.addIssue({ code: 'custom', message: why });
    })
    .describe(
      'Where HAProxy tells its statistics: unix:/run/haproxy/admin.sock, tcp://127.0.0.1:9999 (stats socket), or its stats page such as http://127.0.0.1:8404/stats',
    ),
  login: z
    .string()
    .regex(/^[\x21-\x39\x3b-\x7e]+:[\x21-\x7e]+$/, 'Expected user:password.')
    .optional()
    .describe('user:password of the stats page, from the environment, when it wants one.'),
  timeoutMs: z.int().min(1).max(120_000).default(5_000).describe('How long one answer may take, in milliseconds.'),
  shortestWindowMs: z
    .int()
    .min(SHARE_MS + 1)
    .max(60_000)
    .default(2_000)
    .describe(
      'Two looks must be this far apart to be a measurement. A server seen for the first time is looked at twice.',
    ),
});

type Options = z.output<typeof schema>;
type Stat = { ok: true; lines: StatLine[]; atMs: number } | Failure;
/** A line of the statistics, and what runs behind it. */
type Judged = { id: string; digest: string | null; line: StatLine };
type Chosen = { ok: true; all: Judged[]; atMs: number } | Failure;

/** What the balancer in front counts for each server: errors that an instance that is dead could not count itself. */
export const haproxy: SourceKind<Options, HaproxyQuery> = {
  kind: 'haproxy',
  title: "HAProxy's counters for each server",
  remembers: false,
  schema,
  querySchema: haproxyQuerySchema,
  whyNot: whyNotHaproxy,
  whyNotBeside: whyNotBesideHaproxy,
  points: haproxyPoints,
  create: createHaproxySource,
};

function createHaproxySource(options: Options, context: SourceContext): Source {
  const growthsOf = createGrowths();
  const askOnce = createAskOnce<Stat>(1, () => true);

  async function readStat(signal: AbortSignal): Promise<Stat> {
    const answer = await ask(options, context.fetch, signal);
    if (!answer.ok) return answer;
    if (answer.status !== 200) return { ok: false, missing: 'bad-answer', detail: `HTTP ${answer.status}` };
    const parsed = parseStat(answer.text);
    return parsed.ok ? { ...parsed, atMs: context.now() } : { ok: false, missing: 'bad-answer', detail: parsed.detail };
  }

  function stat(signal: AbortSignal): Promise<Stat> {
    const nowMs = context.now();
    const isFresh = (atMs: number) => nowMs >= atMs && nowMs - atMs <= SHARE_MS;
    const given = { ok: false, missing: 'unreachable', detail: 'nobody waited for the answer' } as const;
    return askOnce('stat', { nowMs, keepMs: SHARE_MS, isFresh, signal, given }, readStat);
  }

  /** The lines that the question is about; a judged instance without one makes it partial. */
  async function choose(question: Question, query: HaproxyQuery, signal: AbortSignal): Promise<Chosen> {
    const read = await stat(signal);
    if (!read.ok) return read;
    const lines = read.lines.filter((line) => line.get('pxname') === query.backend);
    if (lines.length === 0) return { ok: false, missing: 'no-data', detail: `there is no backend ${query.backend}` };
    const named = new Map(lines.map((line) => [line.get('svname') ?? '', line]));
    if (query.whole) {
      const line = named.get('BACKEND');
      if (!line) return { ok: false, missing: 'no-data', detail: `${query.backend} is no backend` };
      return { ok: true, all: [{ id: 'BACKEND', digest: null, line }], atMs: read.atMs };
    }
    const chosen = await chooseInstances(question, query, context, signal);
    if (!chosen.ok) return chosen;
    const all: Judged[] = [];
    for (const { id, digest } of chosen.instances) {
      const name = query.server.replace('$instance', () => id);
      const line = named.get(name);
      if (!line) return { ok: false, missing: 'partial', detail: `${id}: ${query.backend} has no server ${name}` };
      all.push({ id, digest, line });
    }
    return { ok: true, all, atMs: read.atMs };
  }

  return {
    async measure(question, signal) {
      const parsed = haproxyQuerySchema.safeParse(question.query);
      if (!parsed.success) return missing(question, 'bad-query', z.prettifyError(parsed.error));
      const query = parsed.data;
      const why = whyNotHaproxy(query, question.want);
      if (why !== null) return missing(question, 'bad-query', why);
      if (isEarlier(question, context.now())) return forgotten(question);
      const { measure, times } = query;
      if (measure === 'sessions' || measure === 'response-time') {
        const chosen = await choose(question, query, signal);
        if (!chosen.ok) return missing(question, chosen.missing, chosen.detail);
        const gauge = gaugeOf(chosen.all, measure);
        if (!gauge.ok) return missing(question, gauge.missing, gauge.detail);
        return measured(question, { value: gauge.value * times, samples: null, takenAtMs: chosen.atMs });
      }
      const isSinceStep = question.want === 'counts';
      const windowMs = isSinceStep ? Math.max(1, question.untilMs - question.sinceMs) : durationMs(query.window);
      const about = [question.service, query, isSinceStep ? question.sinceMs : null];
      const grown = await growthsOf({ windowMs, shortestMs: options.shortestWindowMs, signal }, async () => {
        const chosen = await choose(question, query, signal);
        if (!chosen.ok) return chosen;
        const all = [];
        for (const { id, digest, line } of chosen.all) {
          const counts = countsOf(line, query);
          if (!counts) return { ok: false, missing: 'bad-answer', detail: `${id}: its counters cannot be read` };
          all.push({ key: canonical([...about, id, digest]), look: { atMs: chosen.atMs, startedAt: null, counts } });
        }
        return { ok: true, all };
      });
      if (!grown.ok) return missing(question, grown.missing, grown.detail);
      const combined = combine(grown.growths, HOW[measure](times));
      if (!combined.ok) return missing(question, combined.missing, combined.detail);
      const takenAtMs = Math.min(...grown.growths.map((one) => one.endMs));
      const overMs = Math.max(...grown.growths.map((one) => one.spanMs));
      if (!isSinceStep) return measured(question, { ...combined, takenAtMs, overMs });
      const counts = sumOfCounts(grown.growths);
      const odd = whyNotCounts(counts);
      if (odd !== null) return missing(question, 'bad-answer', odd);
      return measured(question, { ...combined, takenAtMs, counts });
    },
  };
}

const HOW: Record<'errors' | 'client-errors' | 'requests' | 'rate', (times: number) => How> = {
  errors: (times) => ({ ratio: true, times }),
  'client-errors': (times) => ({ ratio: true, times }),
  requests: (times) => ({ increase: true, times }),
  rate: (times) => ({ rate: true, times }),
};

/**
 * A server's `req_tot` and `hrsp_5xx` count answers only: a request that could not connect is in `econ`, one that was not
 * answered to its end in `eresp`, and in neither of the two. The backend's own line has them all.
 */
function countsOf(line: StatLine, { measure, whole }: HaproxyQuery): Counts | null {
  const [answered, econ, eresp, clients, servers] = ['req_tot', 'econ', 'eresp', 'hrsp_4xx', 'hrsp_5xx'].map((name) =>
    countOf(line, name),
  );
  if (answered == null || econ == null || eresp == null || clients == null || servers == null) return null;
  const unanswered = whole ? 0 : econ + eresp;
  const total = answered + unanswered;
  if (measure === 'errors') return { of: servers + unanswered, over: total };
  return measure === 'client-errors' ? { of: clients, over: total } : { of: total };
}

function gaugeOf(judged: Judged[], measure: 'sessions' | 'response-time'): { ok: true; value: number } | Failure {
  const values: number[] = [];
  for (const { id, line } of judged) {
    const value = countOf(line, measure === 'sessions' ? 'scur' : 'rtime');
    if (value === null) return { ok: false, missing: 'bad-answer', detail: `${id}: its ${measure} cannot be read` };
    // Without a single answer there is no time of one, and 0 would be the best of all.
    if (measure === 'response-time' && !(countOf(line, 'req_tot') ?? 0)) {
      return { ok: false, missing: 'no-data', detail: `${id}: no request was answered yet` };
    }
    values.push(value);
  }
  const sum = values.reduce((total, one) => total + one, 0);
  return { ok: true, value: measure === 'sessions' ? sum : sum / values.length };
}

async function ask(options: Options, fetcher: typeof fetch, signal: AbortSignal): Promise<TextAnswer> {
  const { url, login, timeoutMs } = options;
  const bounds = { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal };
  const to = socketOf(url);
  if (to) {
    const answer = await readSocket({ to, line: 'show stat', ...bounds });
    // An empty line ends an answer; without it the connection broke, and some servers are missing.
    const isWhole = !answer.ok || answer.text.endsWith('\n\n') || !answer.text.startsWith('# ');
    return isWhole ? answer : { ok: false, missing: 'unreachable', detail: 'the answer ended before its end' };
  }
  const headers: Record<string, string> = login ? { authorization: `Basic ${btoa(login)}` } : {};
  const { origin, pathname } = new URL(url);
  return readText({ fetch: fetcher, url: `${origin}${pathname.replace(/;.*$/, '')};csv`, headers, ...bounds });
}

/** null: it is the address of a page. */
function socketOf(url: string): NetConnectOpts | null {
  if (url.startsWith('unix:')) return { path: url.slice('unix:'.length) };
  if (!url.startsWith('tcp://')) return null;
  const { hostname, port } = new URL(url.replace(/^tcp:/, 'http:'));
  // The URL parser leaves the usual port out.
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
}

function whyNotAddress(text: string): string | null {
  if (text.startsWith('unix:')) {
    return /^unix:\/[^\0]{1,100}$/.test(text)
      ? null
      : 'Expected the absolute path of a socket, unix:/run/haproxy/admin.sock';
  }
  if (!text.startsWith('tcp://')) return whyUnsafeUrl(text);
  if (!/^tcp:\/\/[^/?#@]+:\d+$/.test(text)) return 'Expected a host and a port, such as tcp://127.0.0.1:9999';
  return whyUnsafeUrl(text.replace(/^tcp:/, 'http:'));
}
