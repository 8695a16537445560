import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ChangeState, FleetTarget, TargetState } from './fleet-target.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** How long a change that is not finished asks to be left alone. */
const RETRY_AFTER_MS = 200;

const digest = z.string().min(1).max(200);
const sha = z.string().min(1).max(200).optional();
const releaseBody = z.strictObject({ digest, sha, share: z.number().gt(0).max(1) });
const rollbackBody = z.strictObject({ digest, sha }).transform((body) => ({ ...body, share: 1 }));
const changeHeaders = z.object({
  'idempotency-key': z.string().min(1).max(300),
  'belay-generation': z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
});

export type ApiSettings = {
  service: string;
  token: string;
  targets: Map<string, FleetTarget>;
  state: () => { targets: TargetState[] };
  /** Is the platform's own API out of order? */
  isDown: () => boolean;
};

type Answer = { status: number; body: object };

/** The provider API (docs/provider-api.yaml), and the public `/fleet/state` and `/fleet/prometheus-targets`, as a listener for `node:http`. */
export function createApi(settings: ApiSettings): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    route(settings, request)
      .catch(() => problem(500, 'The fleet failed.'))
      .then(({ status, body }) => {
        // The state is public and read by a page of another port.
        const headers = { 'content-type': 'application/json', 'access-control-allow-origin': '*' };
        response.writeHead(status, headers).end(JSON.stringify(body));
      });
  };
}

async function route(settings: ApiSettings, request: IncomingMessage): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://fleet');
  if (request.method === 'GET' && pathname === '/fleet/state') return { status: 200, body: settings.state() };
  if (request.method === 'GET' && pathname === '/fleet/prometheus-targets') {
    return { status: 200, body: discovered(settings.state().targets) };
  }
  if (!isAuthorized(request, settings.token)) return problem(401, 'The bearer token is missing or wrong.');
  if (settings.isDown()) return problem(503, 'The platform is out of order.');
  const path = /^\/v1\/services\/([^/]+)\/targets\/([^/]+)(?:\/(release|rollback|capacity))?$/.exec(pathname);
  const target = path?.[1] === settings.service ? settings.targets.get(decodeURIComponent(path[2] ?? '')) : undefined;
  if (!target) return problem(404, `There is nothing at ${pathname}.`);
  switch (`${request.method} ${path?.[3] ?? ''}`) {
    case 'GET ': {
      const { instances, weights, generation } = await target.observe();
      return { status: 200, body: { instances, weights, generation } };
    }
    case 'GET capacity': {
      const { instances, serving, servingDuring } = target.capacity();
      return { status: 200, body: { instances, serving, servingDuring } };
    }
    case 'PUT release':
      return change(target, request, releaseBody);
    case 'POST rollback':
      return change(target, request, rollbackBody);
    default:
      return problem(405, `${request.method} is not a method of ${pathname}.`);
  }
}

/** What serves now, as Prometheus' HTTP service discovery reads it. */
function discovered(targets: TargetState[]): object[] {
  return targets.flatMap(({ target, instances }) =>
    instances.flatMap(({ id, digest, metricsUrl }) =>
      metricsUrl
        ? [{ targets: [new URL(metricsUrl).host], labels: { target, instance: id, digest: digest ?? '' } }]
        : [],
    ),
  );
}

async function change(
  target: FleetTarget,
  request: IncomingMessage,
  shape: typeof releaseBody | typeof rollbackBody,
): Promise<Answer> {
  const headers = changeHeaders.safeParse(request.headers);
  const body = shape.safeParse(await readJson(request));
  if (!headers.success) return problem(400, z.prettifyError(headers.error));
  if (!body.success) return problem(400, z.prettifyError(body.error));
  const key = headers.data['idempotency-key'];
  const generation = headers.data['belay-generation'];
  return answerOf(target.change({ digest: body.data.digest, share: body.data.share, key, generation }));
}

function answerOf(state: ChangeState): Answer {
  switch (state.is) {
    case 'done':
      return { status: 200, body: { status: 'done' } };
    case 'running':
      return { status: 202, body: { status: 'running', retryAfterMs: RETRY_AFTER_MS } };
    case 'failed':
      return problem(422, state.detail);
    case 'refused':
      return problem(state.because === 'older-generation' ? 409 : 422, state.detail);
  }
}

function isAuthorized(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The body, or undefined when it is not JSON or longer than any honest one. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

function problem(status: number, error: string): Answer {
  return { status, body: { error } };
}
