import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { instancesFor } from '../../src/core/target.ts';

/** A change that the platform accepted for the first time, in order. */
export type Change = {
  target: string;
  kind: 'deploy' | 'roll-back';
  digest: string;
  share: number;
  key: string;
  generation: number;
};

/** A platform without processes: it answers the provider API strictly, remembers every request, and is quick. */
export type Platform = {
  url: string;
  token: string;
  changes: Change[];
  /** What a Belay that keeps its promises never asks for: an older generation, a key for two changes, no key. */
  complaints: string[];
  /** Digests that hurt users wherever they run but on staging: the probe fails. */
  bad: Set<string>;
  /** Digests that hurt users once a whole region runs them: of a canary nobody notices it. */
  badInWaves: Set<string>;
  /** Digests that do not start. */
  crashing: Set<string>;
  /** Whether the probe is answered at all, on production. */
  isProbeDown: boolean;
  runs(target: string): string[];
  /** Puts something on instances behind Belay's back. */
  place(target: string, digest: string, ids: string[]): void;
  stop(): Promise<void>;
};

export const TARGETS = ['staging', 'us', 'eu'];
const INSTANCES = 4;

// Left out for a version whose commit nobody knows.
const sha = z.string().length(40).optional();
const strategy = z.object({ is: z.literal('rolling'), drainMs: z.int() });
const deployBody = z.strictObject({
  digest: z.string(),
  sha,
  share: z.number().gt(0).max(1),
  instances: z.array(z.string()).nullable(),
  strategy,
  isCanary: z.boolean(),
  baseline: z.strictObject({ digest: z.string(), sha }).nullable(),
});
const rollbackBody = z.strictObject({ digest: z.string(), sha, strategy });

const usual = (name: string, digest: string) =>
  Array.from({ length: INSTANCES }, (_, n) => ({ id: `${name}-${n + 1}`, digest }));

/** An empty region runs nothing bad. */
const isWholly = (all: string[], some: Set<string>) => all.length > 0 && all.every((one) => some.has(one));

type Target = { instances: { id: string; digest: string }[]; generation: number | null };

/**
 * `workMs`: how long a change is under way before it is done. `empty`: targets on which nothing runs before their first
 * change, which starts as many as usual.
 */
export async function startPlatform(initialDigest: string, workMs: number, empty: string[] = []): Promise<Platform> {
  const token = 'a-platform-token-for-tests';
  const targets = new Map<string, Target>();
  for (const name of TARGETS) {
    targets.set(name, { instances: empty.includes(name) ? [] : usual(name, initialDigest), generation: null });
  }
  const accepted = new Map<string, Change & { doneAtMs: number; isDone: boolean }>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => send(response, 500, { error: String(error) }));
  });

  const platform: Platform = {
    url: '',
    token,
    changes: [],
    complaints: [],
    bad: new Set(),
    badInWaves: new Set(),
    crashing: new Set(),
    isProbeDown: false,
    runs: (target) => targets.get(target)?.instances.map((one) => one.digest) ?? [],
    place(target, digest, ids) {
      for (const one of targets.get(target)?.instances ?? []) if (ids.includes(one.id)) one.digest = digest;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const path = request.url ?? '/';
    if (path === '/probe/staging') return send(response, 200, { ok: true });
    if (path === '/probe/production') {
      if (platform.isProbeDown) return request.destroy();
      const hurts = ['us', 'eu']
        .map(platform.runs)
        .some((all) => all.some((one) => platform.bad.has(one)) || isWholly(all, platform.badInWaves));
      return send(response, hurts ? 500 : 200, { ok: !hurts });
    }
    if (request.headers.authorization !== `Bearer ${token}`) return complain(response, 401, 'a wrong token');
    const [, name = '', verb = ''] =
      /^\/v1\/services\/shop\/targets\/([a-z]+)(?:\/(release|rollback))?$/.exec(path) ?? [];
    const target = targets.get(name);
    if (!target) return complain(response, 404, `nothing is at ${path}`);
    finish(name, target);
    if (request.method === 'GET') return observe(response, target);
    const kind = request.method === 'PUT' && verb === 'release' ? 'deploy' : 'roll-back';
    const json: unknown = JSON.parse(await textOf(request));
    const body = kind === 'deploy' ? deployBody.parse(json) : { ...rollbackBody.parse(json), share: 1 };
    const key = request.headers['idempotency-key'];
    const generation = Number(request.headers['belay-generation'] ?? Number.NaN);
    if (typeof key !== 'string' || !Number.isInteger(generation))
      return complain(response, 400, 'no key or generation');
    return change(response, target, { target: name, kind, digest: body.digest, share: body.share, key, generation });
  }

  function change(response: ServerResponse, target: Target, wish: Change): unknown {
    const known = accepted.get(wish.key);
    if (wish.generation < (target.generation ?? 0)) {
      return complain(response, 409, `generation ${wish.generation} of ${wish.key} after ${target.generation}`);
    }
    if (known && (known.digest !== wish.digest || known.share !== wish.share || known.target !== wish.target)) {
      return complain(response, 422, `${wish.key} is used for two changes`);
    }
    target.generation = wish.generation;
    if (platform.crashing.has(wish.digest)) return send(response, 422, { error: 'PAYMENTS_URL is not set' });
    if (!known) {
      platform.changes.push(wish);
      accepted.set(wish.key, { ...wish, doneAtMs: Date.now() + workMs, isDone: false });
      finish(wish.target, target);
    }
    if (accepted.get(wish.key)?.isDone) return send(response, 200, { status: 'done' });
    return send(response, 202, { status: 'running', retryAfterMs: Math.max(20, Math.round(workMs / 2)) });
  }

  /** Carries out what has had its time; only the newest change of a target still moves it. */
  function finish(name: string, target: Target): void {
    for (const job of accepted.values()) {
      if (job.target !== name || job.isDone || job.generation !== target.generation || Date.now() < job.doneAtMs)
        continue;
      if (target.instances.length === 0) target.instances = usual(name, job.digest);
      for (const one of target.instances.slice(0, instancesFor(job.share, INSTANCES))) one.digest = job.digest;
      job.isDone = true;
    }
  }

  function observe(response: ServerResponse, { instances, generation }: Target): unknown {
    const shown = instances.map((one) => ({ ...one, region: 'here', isHealthy: true, metricsUrl: null }));
    return send(response, 200, { instances: shown, weights: {}, generation });
  }

  function complain(response: ServerResponse, status: number, what: string): unknown {
    platform.complaints.push(what);
    return send(response, status, { error: what });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  platform.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return platform;
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

function send(response: ServerResponse, status: number, body: object): unknown {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
