import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { formatDuration, parseDuration } from '../core/duration.ts';
import type { CheckResult } from '../core/event.ts';
import type { CheckContext, CheckKind, CheckRunner } from './check.ts';
import type { ProgramEnd } from './children.ts';
import { fillUrl, urlField } from './fields.ts';
import { type Load, type Loaded, loadedShape } from './loaded.ts';
import { lastOf } from './words.ts';

const GENERATOR = fileURLToPath(new URL('./load-generator.ts', import.meta.url));

/** A generator that is later than this has measured its own host too. */
const BUSY_MS = 100;

const LONGEST_MS = 10 * 60_000;
/** Starting the generator, and letting go of it. */
const AROUND_MS = 2_000;

const limit = z.number({ error: 'a finite number' }).positive({ error: 'a number above zero' }).optional();

const schema = z
  .strictObject({
    url: urlField.describe('What to ask for. {service}, {target}, {digest} and {sha} stand for what is checked.'),
    rate: z.number().min(0.1).max(5_000).describe('Requests a second, evenly, whether the answers come or not.'),
    for: z
      .string()
      .refine((text) => isWithin(parseDuration(text), 1_000, LONGEST_MS), { error: 'a duration from 1s to 10m' })
      .default('30s')
      .describe('How long, from 1s to 10m.'),
    connections: z.int().min(1).max(1_000).default(50).describe('Over how many connections at most.'),
    timeoutMs: z.int().min(1).max(60_000).default(5_000).describe('How long one answer may take, in milliseconds.'),
    limits: z
      .strictObject({
        p50Ms: limit.describe('Half of the requests are answered within so many milliseconds.'),
        p95Ms: limit.describe('95 % of them are.'),
        p99Ms: limit.describe('99 % of them are.'),
        failedShare: z
          .number()
          .min(0)
          .lt(1)
          .default(0.01)
          .describe('At most this share fails, from 0 to 1: no answer, another status than 2xx, or not sent in time.'),
        requestsPerSecond: limit.describe('At least so many a second are answered.'),
      })
      .describe('What the result is held against. At least one limit besides `failedShare`.')
      .refine(({ failedShare: _, ...others }) => Object.values(others).some((one) => one !== undefined), {
        error: 'at least one of p50Ms, p95Ms, p99Ms and requestsPerSecond',
      }),
  })
  .refine(({ rate, limits }) => (limits.requestsPerSecond ?? 0) <= rate, {
    error: 'at most the rate: more are never sent',
    path: ['limits', 'requestsPerSecond'],
  });

type Options = z.output<typeof schema>;

/** A short load test. It runs as a program of its own, which has nothing of Belay's. */
export const load: CheckKind<Options> = {
  kind: 'load',
  title: 'A load test: so many requests a second for a while, and limits for what comes of it',
  schema,
  leastMs: ({ for: text, timeoutMs }) => durationMs(text) + 2 * timeoutMs + AROUND_MS,
  create: createLoadCheck,
};

function createLoadCheck(context: Pick<CheckContext, 'children' | 'path'>): CheckRunner {
  return {
    async run(request, signal) {
      if (signal.aborted) context.children.end(request.key);
      signal.throwIfAborted();
      const options = schema.parse(request.options);
      const url = fillUrl(options.url, request);
      const { rate, connections, timeoutMs } = options;
      const plan: Load = { url, rate, connections, timeoutMs, forMs: durationMs(options.for) };
      const end = context.children.ask(request.key, () => ({
        argv: [process.execPath, GENERATOR, JSON.stringify(plan)],
        cwd: '/',
        env: { PATH: context.path },
        deadlineMs: request.deadlineMs,
      }));
      if (end.why === 'running') return { is: 'running', retryAfterMs: end.retryAfterMs };
      const loaded = loadedIn(end);
      if (loaded === null) return { is: 'failed', detail: whyNothing(end, request.deadlineMs), measures: [], url };
      return { ...judge(loaded, options), url };
    },
    async examine(request) {
      const { url, rate, for: duration } = schema.parse(request.options);
      return { ok: true, detail: `asks ${url} ${rate} times a second for ${duration}` };
    },
  };
}

function loadedIn(end: ProgramEnd): Loaded | null {
  if (end.why !== 'exited' || end.code !== 0) return null;
  try {
    return loadedShape.safeParse(JSON.parse(end.answer)).data ?? null;
  } catch {
    return null;
  }
}

function whyNothing(end: ProgramEnd, deadlineMs: number): string {
  if (end.why === 'deadline') return `not done within ${formatDuration(deadlineMs)}`;
  return lastOf(`the load test ended without a result (${end.cause ?? end.code ?? end.why}): ${end.output}`, 500);
}

/** Passes when every limit is kept by a number that was measured. Without an answer all have failed, which no limit allows. */
function judge(loaded: Loaded, { limits, for: text }: Options): Omit<CheckResult, 'url'> {
  const { total, answered } = loaded;
  const seconds = Math.max(loaded.tookMs, durationMs(text)) / 1000;
  const kept = [
    atMost('p50', loaded.p50Ms, limits.p50Ms, 'ms'),
    atMost('p95', loaded.p95Ms, limits.p95Ms, 'ms'),
    atMost('p99', loaded.p99Ms, limits.p99Ms, 'ms'),
    atMost('failed', (100 * (total - answered)) / total, 100 * limits.failedShare, '%'),
    atLeast('answered', answered / seconds, limits.requestsPerSecond, 'a second'),
  ].filter((one) => one !== null);
  const measures = kept.flatMap((one) => (one.value === null ? [] : [{ ...one, value: rounded(one.value) }]));
  const is = kept.every((one) => one.isWithin) ? 'passed' : 'failed';
  const problems = Object.entries(loaded.problems)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 5)
    .map(([name, times]) => `${times} × ${name}`);
  const unsent = total - loaded.sent;
  if (unsent > 0) problems.push(`${unsent} not sent in time`);
  if (loaded.ownDelayMs > BUSY_MS) problems.push(`this host itself was late by ${Math.round(loaded.ownDelayMs)} ms`);
  const detail = [`${answered} of ${total} requests answered`, ...problems].join(', ');
  return { is, detail: lastOf(detail, 500), measures };
}

type Kept = { name: string; value: number | null; limit: string; isWithin: boolean };

/** null: there is no such limit. What was not measured keeps none. */
function atMost(name: string, value: number | null, most: number | undefined, unit: string): Kept | null {
  if (most === undefined) return null;
  return { name: `${name} (${unit})`, value, limit: `at most ${rounded(most)}`, isWithin: isWithin(value, 0, most) };
}

function atLeast(name: string, value: number | null, least: number | undefined, unit: string): Kept | null {
  if (least === undefined) return null;
  const limit = `at least ${rounded(least)}`;
  return { name: `${name} (${unit})`, value, limit, isWithin: isWithin(value, least, Number.MAX_VALUE) };
}

/** Written so that what is not a number is not within. */
function isWithin(value: number | null, least: number, most: number): boolean {
  return value !== null && value >= least && value <= most;
}

/** Enough to tell two results apart. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new Error(`${JSON.stringify(text)} is not a duration`);
  return ms;
}
