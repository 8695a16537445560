import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request as open, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequestCounter, type RequestCounts } from './request-counter.ts';

/** An upstream that says nothing for this long is given up, and the user sees a 504. */
const UPSTREAM_TIMEOUT_MS = 5_000;
const DRAIN_WITHIN_MS = 5_000;

/** A real reverse proxy in front of one region: requests go round the backends that are in. */
export type Balancer = {
  readonly url: string;
  /** Lets a backend have requests. */
  add(id: string, backendUrl: string): void;
  /** Gives a backend no new requests, and settles when those in flight have ended. */
  drain(id: string): Promise<void>;
  isServing(id: string): boolean;
  /** What users saw in this region, and what each backend (by id, also former ones) answered. */
  counts(): RequestCounts;
  countsOf(id: string): RequestCounts;
  stop(): Promise<void>;
};

type Backend = { id: string; url: string; agent: Agent; inFlight: number; onIdle: (() => void) | null };
type Counter = ReturnType<typeof createRequestCounter>;

export async function startBalancer(now: () => number): Promise<Balancer> {
  const backends: Backend[] = [];
  const seen = createRequestCounter(now);
  const seenBy = new Map<string, Counter>();
  let turn = 0;

  const counterOf = (id: string): Counter => {
    const counter = seenBy.get(id) ?? createRequestCounter(now);
    seenBy.set(id, counter);
    return counter;
  };

  const server = createServer((request, response) => {
    turn = (turn + 1) % Math.max(1, backends.length);
    const backend = backends[turn];
    if (!backend) {
      seen.count(true);
      return fail(response, 503, 'No instance is ready.');
    }
    backend.inFlight += 1;
    forward(backend, request, response, (isFailed) => {
      seen.count(isFailed);
      counterOf(backend.id).count(isFailed);
      backend.inFlight -= 1;
      if (backend.inFlight === 0) backend.onIdle?.();
    });
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add(id, url) {
      backends.push({ id, url, agent: new Agent({ keepAlive: true }), inFlight: 0, onIdle: null });
    },
    async drain(id) {
      const at = backends.findIndex((one) => one.id === id);
      const [backend] = at < 0 ? [] : backends.splice(at, 1);
      if (!backend) return;
      if (backend.inFlight > 0) {
        await new Promise<void>((resolve) => {
          const late = setTimeout(resolve, DRAIN_WITHIN_MS);
          backend.onIdle = () => {
            clearTimeout(late);
            resolve();
          };
        });
      }
      backend.agent.destroy();
    },
    isServing: (id) => backends.some((one) => one.id === id),
    counts: () => seen.read(),
    countsOf: (id) => counterOf(id).read(),
    async stop() {
      for (const backend of backends.splice(0)) backend.agent.destroy();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** `onEnd` hears once how it ended for the user: an answer from 500 on, or a broken one, is a failure. */
function forward(
  backend: Backend,
  request: IncomingMessage,
  response: ServerResponse,
  onEnd: (isFailed: boolean) => void,
): void {
  let hasEnded = false;
  const end = (isFailed: boolean) => {
    if (!hasEnded) onEnd(isFailed);
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
    answer.on('end', () => end(code >= 500));
    answer.on('close', () => end(true));
  });
  upstream.on('timeout', () => upstream.destroy(new Error('no answer in time')));
  upstream.on('error', (error) => {
    end(true);
    if (response.headersSent) response.destroy();
    else fail(response, error.message === 'no answer in time' ? 504 : 502, error.message);
  });
  // Somebody who goes away must not keep the backend from draining.
  response.on('close', () => {
    if (!response.writableFinished) upstream.destroy();
    end(!response.writableFinished);
  });
  request.pipe(upstream);
}

function fail(response: ServerResponse, code: number, error: string): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}
