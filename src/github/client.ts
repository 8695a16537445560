import { App, Octokit } from 'octokit';
import type { z } from 'zod';
import { leftOf, type Wait } from '../core/duration.ts';

/**
 * GitHub could not be asked now: unreachable, too slow, rate-limited, refusing, or answering something that Belay does
 * not understand. Whoever asked holds and tries again, not before `retryAfterMs` when that is known.
 */
export class SourceUnavailable extends Error {
  override name = 'SourceUnavailable';
  /** The HTTP status; null: there was no answer, or none that could be understood. */
  status: number | null;
  retryAfterMs: number | null;

  constructor(detail: string, status: number | null = null, retryAfterMs: number | null = null) {
    super(detail);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

export type GithubOptions = {
  appId: number;
  /** PEM, PKCS#1 as GitHub hands it out, or PKCS#8. */
  privateKey: string;
  installationId: number;
  /** Another address for GitHub Enterprise Server. */
  baseUrl?: string;
  fetch?: typeof fetch;
  /** Each request ends by then. */
  deadlineMs?: number;
  now?: () => number;
};

export type Parameters = Record<string, string | number | boolean | null | object>;

export type GithubClient = {
  /** The checked answer to one request. Throws `SourceUnavailable` for everything else, a 404 too. */
  ask<T>(route: string, parameters: Parameters, shape: z.ZodType<T>): Promise<T>;
  /** As `ask`, but null when GitHub says that there is no such thing (404, or 422 for a name that is none). */
  find<T>(route: string, parameters: Parameters, shape: z.ZodType<T>): Promise<T | null>;
  now(): number;
};

const HOUR_MS = 3_600_000;

/**
 * Asks GitHub as one installation of the app. Nothing is retried here: what must be tried again is in the outbox, which
 * also survives a restart. After a rate limit GitHub is not asked again before the time that it named.
 */
export function createGithub(options: GithubOptions): GithubClient {
  const { deadlineMs = 10_000, now = Date.now, fetch: send = fetch } = options;
  const app = new App({
    appId: options.appId,
    privateKey: options.privateKey,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    Octokit: Octokit.defaults({
      baseUrl: options.baseUrl ?? 'https://api.github.com',
      retry: { enabled: false },
      throttle: { enabled: false },
      request: {
        fetch: (url: string, init: RequestInit) => send(url, { ...init, signal: AbortSignal.timeout(deadlineMs) }),
      },
    }),
  });
  let installation: Promise<Octokit> | null = null;
  let closed: Wait | undefined;

  async function request(route: string, parameters: Parameters): Promise<unknown> {
    const leftMs = leftOf(closed, now());
    if (leftMs > 0) throw new SourceUnavailable('GitHub asked Belay to wait', 429, leftMs);
    installation ??= app.getInstallationOctokit(options.installationId);
    try {
      const octokit = await installation;
      return (await octokit.request(route, parameters)).data;
    } catch (error) {
      const problem = unavailable(route, error, now());
      if (problem.retryAfterMs !== null) closed = { sinceMs: now(), forMs: problem.retryAfterMs };
      throw problem;
    }
  }

  async function ask<T>(route: string, parameters: Parameters, shape: z.ZodType<T>): Promise<T> {
    const answer = shape.safeParse(await request(route, parameters));
    if (answer.success) return answer.data;
    const issue = answer.error.issues[0];
    throw new SourceUnavailable(
      `GitHub's answer to ${route} is not what was expected: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  }

  return {
    ask,
    now,
    async find(route, parameters, shape) {
      try {
        return await ask(route, parameters, shape);
      } catch (error) {
        if (error instanceof SourceUnavailable && (error.status === 404 || error.status === 422)) return null;
        throw error;
      }
    },
  };
}

function unavailable(route: string, error: unknown, nowMs: number): SourceUnavailable {
  const { status, response, message } = (error ?? {}) as {
    status?: unknown;
    response?: { headers?: Record<string, string> };
    message?: unknown;
  };
  // Octokit says 500 when there was no answer at all.
  const answered = response !== undefined && typeof status === 'number' ? status : null;
  const detail = `GitHub did not answer ${route}: ${answered ?? ''} ${String(message).slice(0, 200)}`;
  return new SourceUnavailable(
    detail.replace(/\s+/g, ' '),
    answered,
    answered === null ? null : waitMs(answered, response?.headers ?? {}, nowMs),
  );
}

/** How long GitHub asks to be left alone, at most an hour; null: it did not say. */
function waitMs(status: number, headers: Record<string, string>, nowMs: number): number | null {
  const isLimit = status === 429 || (status === 403 && headers['x-ratelimit-remaining'] === '0');
  const after = headers['retry-after'];
  if (after !== undefined && /^\d{1,6}$/.test(after)) return Math.min(HOUR_MS, Number(after) * 1000);
  const reset = headers['x-ratelimit-reset'];
  if (isLimit && reset !== undefined && /^\d{1,12}$/.test(reset)) {
    return Math.min(HOUR_MS, Math.max(1000, Number(reset) * 1000 - nowMs));
  }
  // GitHub's own advice for a limit that names no time.
  return isLimit ? 60_000 : null;
}

/** `owner/name` → the two parts of a route; throws for what no repository can be called. */
export function splitRepo(repo: string): { owner: string; repo: string } {
  const [, owner, name] = /^([A-Za-z0-9][A-Za-z0-9_-]{0,38})\/([A-Za-z0-9._-]{1,100})$/.exec(repo) ?? [];
  if (owner === undefined || name === undefined || name === '.' || name === '..') {
    throw new Error(`A repository is named owner/name, such as acme/shop; found ${JSON.stringify(repo)}`);
  }
  return { owner, repo: name };
}

/** All pages of a list of at most `limit` items; what lies beyond is left out. */
export async function askAll<T>(
  client: GithubClient,
  route: string,
  parameters: Parameters,
  page: z.ZodType<T[]>,
  limit: number,
): Promise<T[]> {
  const all: T[] = [];
  for (let number = 1; all.length < limit; number += 1) {
    const items = await client.ask(route, { ...parameters, per_page: 100, page: number }, page);
    all.push(...items);
    if (items.length < 100) break;
  }
  return all.slice(0, limit);
}
