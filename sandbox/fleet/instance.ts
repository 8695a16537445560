import { createServer, type ServerResponse } from 'node:http';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { EFFECTS, type InstanceOrder, type InstanceSettings, versionOf } from './behaviour.ts';

/*
 * One instance of the sample service: a process of its own, with real requests, real latency and real metrics.
 * It belongs to the fleet that started it: when the channel to its parent closes, however the parent ended, it exits.
 */
const settings = JSON.parse(process.argv[2] ?? '{}') as InstanceSettings;
const version = versionOf(settings.digest);

if (settings.behaviour === 'crash') {
  console.error(`${settings.service} ${version}: cannot start: PAYMENTS_URL is not set`);
  process.exit(1);
}

const registry = new Registry();
const labelNames = ['version', 'region', 'canary'] as const;
const requests = new Counter({
  name: 'http_requests_total',
  help: 'Requests answered, by status code.',
  labelNames: [...labelNames, 'code'],
  registers: [registry],
});
const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'How long an answer took.',
  labelNames,
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  registers: [registry],
});
new Gauge({
  name: 'app_info',
  help: 'What runs here; always 1.',
  labelNames: ['version', 'digest'],
  registers: [registry],
}).set({ version, digest: settings.digest }, 1);

// Series exist from the start: nothing has failed yet is 0, and not a series that is not there.
for (const code of ['200', '500']) requests.inc({ ...labels(), code }, 0);

let served = 0;

const server = createServer(async (request, response) => {
  if (request.url === '/healthz') return answer(response, 200, { status: 'ok', version, digest: settings.digest });
  if (request.url === '/metrics') {
    response.writeHead(200, { 'content-type': registry.contentType });
    return response.end(await registry.metrics());
  }
  work(response);
});
// The balancer keeps its connections open; if the server closed idle ones, a request could meet a closing one.
server.keepAliveTimeout = 0;

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 });
});

process.on('message', (order: InstanceOrder) => Object.assign(settings, order));
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

function work(response: ServerResponse): void {
  const startedAt = performance.now();
  const { latencyMs, failsEvery } = EFFECTS[settings.behaviour === 'crash' ? 'good' : settings.behaviour];
  served += 1;
  const isFailing = failsEvery !== null && served % failsEvery === 0;
  // A spread of up to half the latency, the same in every run.
  setTimeout(
    () => {
      const code = isFailing ? 500 : 200;
      requests.inc({ ...labels(), code: String(code) });
      durations.observe(labels(), (performance.now() - startedAt) / 1000);
      answer(response, code, isFailing ? { error: 'basket is undefined' } : { shop: 'open', version });
    },
    latencyMs * (1 + (served % 8) / 16),
  );
}

function labels(): Record<(typeof labelNames)[number], string> {
  return { version, region: settings.region, canary: String(settings.isCanary) };
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
