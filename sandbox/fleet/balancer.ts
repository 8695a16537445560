import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request as open, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequestCounter, type RequestCounter, type RequestCounts } from './request-counter.ts';

/** An upstream that says nothing for this long is given up, and the user sees a 504: longer than a busy machine stalls. */
const UPSTREAM_TIMEOUT_MS = 60_000;
const NOBODY = 'no instance is ready';
const TOO_SLOW = 'no answer in time';

/** A real reverse proxy in front of one target: each backend gets requests by its weight. */
export type Balancer = {
  readonly url: string;
  /** Makes a backend known, without requests. `version` is what its requests are counted for, besides its id. */
  add(id: string, backendUrl: string, version: string): void;
  /** Who gets how much from the next request on, all in one moment; who is not named gets nothing. */
  weigh(weights: ReadonlyMap<string, number>): void;
  /** Settles when no request to the backend is in flight, at the latest after `withinMs`. */
  whenIdle(id: string, withinMs: number): Promise<void>;
  /** Forgets a backend, and breaks what it still has to do. */
  remove(id: string): void;
  /** What users saw in this region, and what each backend (by id, also former ones) and each version answered. */
  counts(): RequestCounts;
  countsOf(id: string): RequestCounts;
  countsOfVersion(version: string): RequestCounts;
  stop(): Promise<void>;
};

type Backend = {
  id: string;
  version: string;
  url: string;
  agent: Agent;
  weight: number;
  /** How much it is behind what its weight gives it. */
  credit: number;
  inFlight: number;
  onIdle: Set<() => void>;
};

export async function startBalancer(now: () => number): Promise<Balancer> {
  const backends: Backend[] = [];
  const seen = createRequestCounter(now);
  const seenBy = new Map<string, RequestCounter>();

  const counterOf = (key: string): RequestCounter => {
    const counter = seenBy.get(key) ?? createRequestCounter(now);
    seenBy.set(key, counter);
    return counter;
  };
  const find = (id: string) => backends.find((one) => one.id === id);

  const server = createServer((request, response) => {
    const backend = next(backends);
    if (!backend) {
      seen.count(NOBODY);
      return fail(response, 503, NOBODY);
    }
    backend.inFlight += 1;
    forward(backend, request, response, (problem) => {
      for (const counter of [seen, counterOf(backend.id), counterOf(`version ${backend.version}`)]) {
        counter.count(problem);
      }
      backend.inFlight -= 1;
      if (backend.inFlight === 0) for (const heard of backend.onIdle) heard();
    });
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const balancer: Balancer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add(id, url, version) {
      balancer.remove(id);
      const agent = new Agent({ keepAlive: true });
      backends.push({ id, version, url, agent, weight: 0, credit: 0, inFlight: 0, onIdle: new Set() });
    },
    weigh(weights) {
      for (const backend of backends) {
        backend.weight = weights.get(backend.id) ?? 0;
        backend.credit = 0;
      }
    },
    async whenIdle(id, withinMs) {
      const backend = find(id);
      if (!backend || backend.inFlight === 0) return;
      await new Promise<void>((resolve) => {
        const heard = () => {
          clearTimeout(late);
          backend.onIdle.delete(heard);
          resolve();
        };
        // After a stall of this process timers come first: the answers that wait to be read are read before it is too late.
        const late = setTimeout(() => setImmediate(heard), withinMs);
        backend.onIdle.add(heard);
      });
    },
    remove(id) {
      const at = backends.findIndex((one) => one.id === id);
      if (at >= 0) for (const backend of backends.splice(at, 1)) backend.agent.destroy();
    },
    counts: () => seen.read(),
    countsOf: (id) => counterOf(id).read(),
    countsOfVersion: (version) => counterOf(`version ${version}`).read(),
    async stop() {
      for (const backend of backends.splice(0)) backend.agent.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
  return balancer;
}

/**
 * Smooth weighted round robin, as nginx does it: everybody earns its weight, the one with most credit pays for all. Any
 * run of requests is spread as evenly as the weights allow, and nothing of it is luck.
 */
function next(backends: Backend[]): Backend | null {
  let chosen: Backend | null = null;
  let total = 0;
  for (const backend of backends) {
    if (backend.weight <= 0) continue;
    backend.credit += backend.weight;
    total += backend.weight;
    if (!chosen || backend.credit > chosen.credit + 1e-9) chosen = backend;
  }
  if (chosen) chosen.credit -= total;
  return chosen;
}

/** `onEnd` hears once what was wrong with the answer: a status from 500 on, or how it broke; null: nothing. */
function forward(
  backend: Backend,
  request: IncomingMessage,
  response: ServerResponse,
  onEnd: (problem: string | null) => void,
): void {
  let hasEnded = false;
  const end = (problem: string | null) => {
    if (!hasEnded) onEnd(problem);
    hasEnded = true;
  };
  const upstream = open(`${backend.url}${request.url ?? '/'}`, {
    method: request.method,
    headers: request.headers,
    agent: backend.agent,
    timeout: UPSTREAM_TIMEOUT_MS,
  });
  upstream.on('response', (answer) => {
    const code = answer.statusCode ?? 502;
    response.writeHead(code, answer.headers);
    answer.pipe(response);
    answer.on('end', () => end(code >= 500 ? `HTTP ${code}` : null));
    answer.on('close', () => end('the answer broke off'));
  });
  upstream.on('timeout', () => upstream.destroy(new Error(TOO_SLOW)));
  upstream.on('error', (error) => {
    end(error.message);
    if (response.headersSent) response.destroy();
    else fail(response, error.message === TOO_SLOW ? 504 : 502, error.message);
  });
  // Somebody who goes away must not keep the backend from draining.
  response.on('close', () => {
    if (!response.writableFinished) upstream.destroy();
    end(response.writableFinished ? null : 'the user went away');
  });
  request.pipe(upstream);
}

function fail(response: ServerResponse, code: number, error: string): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}
