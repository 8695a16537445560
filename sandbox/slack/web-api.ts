import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Faults } from './faults.ts';
import { type Fields, textOf } from './fields.ts';
import { applyFault, parseFields, readBody, sendJson, sendRateLimited } from './http.ts';
import { chat } from './methods/chat.ts';
import { directory } from './methods/directory.ts';
import { files } from './methods/files.ts';
import type { Method } from './methods/method.ts';
import { views } from './methods/views.ts';
import { APP, BOT, BOT_USER, TEAM } from './people.ts';
import type { RateLimiter } from './rate.ts';
import type { RequestLog } from './request-log.ts';
import { SlackError } from './slack-error.ts';
import type { Workspace } from './workspace.ts';

export type WebApiSetup = {
  workspace: Workspace;
  faults: Faults;
  rate: RateLimiter;
  log: RequestLog;
  botToken: string;
  appToken: string;
  scopes: readonly string[];
  url: () => string;
  /** A fresh address for a Socket Mode connection. */
  socketUrl: () => string;
};

/** Arguments that hold JSON when the call is form-encoded. */
const JSON_ARGS = ['blocks', 'attachments', 'view', 'files', 'metadata'];

/** Slack's Web API: `/api/<method>`. */
export class WebApi {
  readonly #setup: WebApiSetup;
  readonly #methods: Record<string, Method>;

  constructor(setup: WebApiSetup) {
    this.#setup = setup;
    this.#methods = {
      ...chat,
      ...views,
      ...directory,
      ...files,
      'auth.test': {
        scope: null,
        run: ({ url }) => ({
          url: `${url}/`,
          team: 'Sandbox',
          user: 'belay',
          team_id: TEAM,
          user_id: BOT_USER,
          bot_id: BOT,
          app_id: APP,
          is_enterprise_install: false,
        }),
      },
      'apps.connections.open': { scope: null, token: 'app', run: () => ({ url: setup.socketUrl() }) },
    };
  }

  /** Answers one call, or fails it as the faults say. Every call is in the log, with what came of it. */
  async handle(method: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { workspace, faults, rate, log } = this.#setup;
    const body = (await readBody(request)).toString('utf8');
    const query = Object.fromEntries(new URL(request.url ?? '/', 'http://sandbox').searchParams);
    const parsed = parseFields(request.headers['content-type'] ?? '', body);
    const sent: Fields = { ...query, ...parsed };
    const startedMs = performance.now();
    const note = (status: number | null, answer: unknown, fault: string | null = null) => {
      const tookMs = Math.round(performance.now() - startedMs);
      log.add({ atMs: workspace.clock.now(), way: 'in', what: method, sent, answer, status, tookMs, fault });
      workspace.changed();
    };

    const fault = faults.take(method);
    const { remaining, end } = applyFault(fault, response);
    if (remaining === 'nothing') return note(response.headersSent ? response.statusCode : null, null, fault?.kind);
    const waitSec = rate.take(method, textOf(sent.channel), workspace.clock.now());
    if (waitSec > 0) {
      if (remaining === 'all') sendRateLimited(response, waitSec);
      return note(429, { ok: false, error: 'ratelimited' }, 'rate-limited');
    }
    const answer =
      parsed === null ? { ok: false, error: 'invalid_json' } : this.#run(method, tokenOf(request, sent), sent);
    note(remaining === 'all' ? 200 : null, answer, fault?.kind);
    if (remaining === 'all') sendJson(response, 200, answer, { 'x-oauth-scopes': this.#setup.scopes.join(',') });
    end();
  }

  #run(name: string, token: string, sent: Fields): Fields {
    try {
      const method = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined;
      if (!method) throw new SlackError('unknown_method', [], { req_method: name });
      this.#authorize(method, token);
      const args = unpacked(sent);
      const missing = (method.needs ?? []).filter((key) => args[key] === undefined || args[key] === '');
      if (missing.length > 0) {
        throw new SlackError(
          'invalid_arguments',
          missing.map((key) => `[ERROR] missing required field: ${key}`),
        );
      }
      return { ok: true, ...method.run({ args, workspace: this.#setup.workspace, url: this.#setup.url() }) };
    } catch (error) {
      if (error instanceof SlackError) return error.body();
      throw error;
    }
  }

  #authorize(method: Method, token: string): void {
    const { botToken, appToken, scopes } = this.#setup;
    if (!token) throw new SlackError('not_authed');
    if (token !== botToken && token !== appToken) throw new SlackError('invalid_auth');
    if ((method.token === 'app') !== (token === appToken)) throw new SlackError('not_allowed_token_type');
    if (method.scope && !scopes.includes(method.scope)) {
      throw new SlackError('missing_scope', [], { needed: method.scope, provided: scopes.join(',') });
    }
  }
}

function tokenOf(request: IncomingMessage, sent: Fields): string {
  const header = request.headers.authorization ?? '';
  return header.startsWith('Bearer ') ? header.slice(7) : textOf(sent.token);
}

function unpacked(sent: Fields): Fields {
  const args: Fields = { ...sent };
  for (const key of JSON_ARGS) {
    const value = args[key];
    if (typeof value !== 'string' || value === '') continue;
    try {
      args[key] = JSON.parse(value);
    } catch {
      const code = key === 'blocks' ? 'invalid_blocks_format' : 'invalid_arguments';
      throw new SlackError(code, [`[ERROR] ${key} is not JSON`]);
    }
  }
  return args;
}
