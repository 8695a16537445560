import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../../src/core/json.ts';
import type { Measurement } from '../../src/core/judge/signal.ts';
import type { Instance } from '../../src/core/target.ts';
import type { Question, SourceContext } from '../../src/health/source.ts';

export function question(query: Json, changes: Partial<Question> = {}): Question {
  return {
    signal: 'errors',
    query,
    service: 'shop',
    targets: ['eu-1'],
    digest: 'sha256:new',
    beforeDigest: 'sha256:old',
    role: null,
    want: 'number',
    sinceMs: 0,
    untilMs: Date.now(),
    everyMs: 1000,
    without: [],
    ...changes,
  };
}

export function context(changes: Partial<SourceContext> = {}): SourceContext {
  return { fetch, now: () => Date.now(), instances: async () => [], ...changes };
}

export function instance(changes: Partial<Instance> = {}): Instance {
  return {
    id: 'i-1',
    region: 'eu',
    digest: 'sha256:new',
    isHealthy: true,
    config: null,
    role: 'stable',
    metricsUrl: 'http://127.0.0.1:1/metrics',
    ...changes,
  };
}

/** A signal that never aborts. */
export const PATIENT = new AbortController().signal;

/** What was measured, in short: the number or why there is none. */
export function result(measurement: Measurement): number | string {
  return measurement.value === null ? measurement.missing : measurement.value;
}

export type Server = AsyncDisposable & { url: string };

/** A real server on a free port; ends with its test by `await using`. */
export async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
