import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** What the server answers; a path without a handler is 404. */
export type Routes = {
  /** `METHOD /path` → handler. */
  handlers: Record<string, Handler>;
  /** Why this process should get no traffic now; null: it is ready. */
  whyNotReady: () => string | null;
};

/** A request that sends its head slower than this is ended. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Belay's one HTTP server: Slack's and GitHub's deliveries, and what an orchestrator asks. */
export function createWebServer({ handlers, whyNotReady }: Routes): Server {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const handler = Object.hasOwn(handlers, `${request.method} ${path}`)
      ? handlers[`${request.method} ${path}`]
      : undefined;
    if (handler) return handler(request, response);
    if (path === '/healthz') return answer(response, 200, { ok: true });
    if (path === '/readyz') {
      const why = whyNotReady();
      return answer(response, why === null ? 200 : 503, why === null ? { ok: true } : { ok: false, why });
    }
    const isKnown = Object.keys(handlers).some((one) => one.endsWith(` ${path}`));
    answer(response, isKnown ? 405 : 404, { ok: false });
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  return server;
}

/** Resolves with the port once the server listens; rejects with what to do when it cannot. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new Error(`Belay cannot listen on ${host}:${port}: ${error.message}. Give another http.port in belay.yml.`),
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.writableEnded) return;
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
