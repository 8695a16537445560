import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Instance, Observation, Strategy } from '../../src/core/target.ts';
import {
  changeHeaders,
  environmentBody,
  environmentName,
  readPlanned,
  releaseBody,
  rollbackBody,
} from './api-shapes.ts';
import type { ChangeState } from './changes.ts';
import type { TargetState } from './fleet-target.ts';
import type { Place } from './place.ts';

const MAX_BODY_BYTES = 64 * 1024;
/** How long a change that is not finished asks to be left alone. */
const RETRY_AFTER_MS = 200;

export type ApiSettings = {
  service: string;
  token: string;
  place: (name: string) => Place | null;
  /** The place of this name, which is made if there is room for one more; null: there is none. */
  environment: (name: string) => Place | null;
  /** Which strategies there are; null: all. */
  strategies: Strategy['is'][] | null;
  /** Another service that can be read, the same on every target. */
  neighbour: { service: string; instance: () => Instance } | null;
  state: () => { targets: TargetState[] };
  /** Is the platform's own API out of order? */
  isDown: () => boolean;
};

type Answer = { status: number; body: object };

/**
 * The provider API (docs/provider-api.yaml), and the public `/fleet/state`, `/fleet/prometheus-targets` and
 * `/fleet/targets/<name>/…`, as a listener for `node:http`.
 */
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
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fleet');
  if (request.method === 'GET' && pathname === '/fleet/state') return { status: 200, body: settings.state() };
  if (request.method === 'GET' && pathname === '/fleet/prometheus-targets') {
    return { status: 200, body: discovered(settings) };
  }
  const [, visited, at = '/'] = /^\/fleet\/targets\/([a-z0-9-]+)(\/.*)?$/.exec(pathname) ?? [];
  if (request.method === 'GET' && visited !== undefined) return visit(settings, visited, at);
  if (!isAuthorized(request, settings.token)) return problem(401, 'The bearer token is missing or wrong.');
  if (settings.isDown()) return problem(503, 'The platform is out of order.');
  const path = /^\/v1\/services\/([^/]+)\/targets\/([^/]+)(?:\/(release|rollback|capacity|environment))?$/.exec(
    pathname,
  );
  const [, service = '', name = '', verb = ''] = path?.map((part) => decodeURIComponent(part ?? '')) ?? [];
  const nowhere = problem(404, `There is nothing at ${pathname}.`);
  const { neighbour } = settings;
  if (service === neighbour?.service && request.method === 'GET' && verb === '') {
    return {
      status: 200,
      body: observed({ instances: [neighbour.instance()], weights: {}, generation: null, config: null }),
    };
  }
  if (service !== settings.service) return nowhere;
  if (verb === 'environment') return environment(settings, name, request);
  const place = settings.place(name);
  const target = place?.target();
  if (!place || !target) return nowhere;
  switch (`${request.method} ${verb}`) {
    case 'GET ':
      return { status: 200, body: observed(await target.observe()) };
    case 'GET capacity': {
      const query = readPlanned(searchParams);
      if (!query.success) return problem(400, z.prettifyError(query.error));
      const { instances, serving, servingDuring } = target.capacity(query.data);
      return { status: 200, body: { instances, serving, servingDuring } };
    }
    case 'PUT release':
      return change(settings, place, request, releaseBody);
    case 'POST rollback':
      return change(settings, place, request, rollbackBody);
    default:
      return problem(405, `${request.method} is not a method of ${pathname}.`);
  }
}

/** What a user of a target gets: under a name, so that it can be written down before an environment is made. */
async function visit({ place }: ApiSettings, name: string, path: string): Promise<Answer> {
  const url = place(name)?.target()?.state().url;
  if (url === undefined) return problem(404, `There is no ${name}.`);
  const answer = await fetch(`${url}${path}`);
  return { status: answer.status, body: (await answer.json()) as object };
}

function observed({ instances, weights, generation, config }: Omit<Observation, 'target'>): object {
  return { instances, weights, generation, config };
}

/** What runs now, as Prometheus' HTTP service discovery reads it. */
function discovered({ service, state, neighbour }: ApiSettings): object[] {
  const own = state().targets.flatMap(({ target, instances }) => instances.map((one) => ({ service, target, one })));
  const other = neighbour ? [{ service: neighbour.service, target: neighbour.service, one: neighbour.instance() }] : [];
  return [...own, ...other].flatMap(({ service, target, one }) =>
    one.metricsUrl
      ? [
          {
            targets: [new URL(one.metricsUrl).host],
            labels: { service, target, instance: one.id, digest: one.digest ?? '', role: one.role },
          },
        ]
      : [],
  );
}

async function environment(settings: ApiSettings, name: string, request: IncomingMessage): Promise<Answer> {
  const headers = changeHeaders.safeParse(request.headers);
  const body = environmentBody.safeParse(await readJson(request));
  if (!headers.success) return problem(400, z.prettifyError(headers.error));
  if (!body.success) return problem(400, z.prettifyError(body.error));
  if (!environmentName.safeParse(name).success) return problem(422, 'That is no name of an environment.');
  const place = settings.environment(name);
  if (!place) return problem(422, 'There are too many environments already.');
  if (place.isPermanent) return problem(422, `${name} is permanent: it is never made anew and never removed.`);
  const { key, generation } = headers.data;
  if (request.method === 'PUT') return answerOf(place.make(key, generation));
  if (request.method === 'DELETE') return answerOf(place.remove(key, generation));
  return problem(405, `${request.method} is not a method of an environment.`);
}

async function change(
  settings: ApiSettings,
  place: Place,
  request: IncomingMessage,
  shape: typeof releaseBody | typeof rollbackBody,
): Promise<Answer> {
  const headers = changeHeaders.safeParse(request.headers);
  const body = shape.safeParse(await readJson(request));
  if (!headers.success) return problem(400, z.prettifyError(headers.error));
  if (!body.success) return problem(400, z.prettifyError(body.error));
  const { is } = body.data.strategy;
  if (settings.strategies && !settings.strategies.includes(is)) {
    const has = settings.strategies.join(', ');
    return { status: 422, body: { error: `There is no ${is} here: there is ${has}.`, code: 'unsupported' } };
  }
  return answerOf(place.change({ wish: body.data, ...headers.data }));
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
