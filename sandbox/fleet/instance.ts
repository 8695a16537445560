import { Agent, createServer, get, type ServerResponse } from 'node:http';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { checksumOf, EFFECTS, type InstanceOrder, type InstanceSettings, versionOf } from './behaviour.ts';
import { readRelease } from './host.ts';

/*
 * One instance of the sample service: a process of its own, with real requests, real latency and real metrics.
 * It belongs to the fleet that started it: when the channel to its parent closes, however the parent ended, it exits.
 */
const settings = JSON.parse(process.argv[2] ?? '{}') as InstanceSettings;
const digest = readRelease(settings.current);
if (digest === null) {
  console.error(`${settings.service}: there is no release at ${settings.current}`);
  process.exit(1);
}
const version = versionOf(digest);
const config = checksumOf(settings.config);

if (settings.behaviour === 'crash') {
  console.error(`${settings.service} ${version}: cannot start: PAYMENTS_URL is not set`);
  process.exit(1);
}

const registry = new Registry();
const labelNames = ['version', 'region', 'canary', 'role'] as const;
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
  labelNames: ['version', 'digest', 'config'],
  registers: [registry],
}).set({ version, digest, config }, 1);
new Gauge({
  name: 'process_resident_memory_bytes',
  help: 'Memory of the process.',
  labelNames,
  registers: [registry],
  collect() {
    this.reset();
    this.set(labels(), process.memoryUsage.rss());
  },
});

// Series exist from the start: nothing has failed yet is 0, and not a series that is not there.
for (const code of ['200', '500']) requests.inc({ ...labels(), code }, 0);

let served = 0;
/** Each instance is at another place of its count, so that what fails seldom does not fail everywhere at once. */
const offset = [...settings.id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 1_000;
const leaked: Buffer[] = [];
const payments = new Agent({ keepAlive: true });

const server = createServer(async (request, response) => {
  if (request.url === '/healthz') return answer(response, 200, { status: 'ok', version, digest, config });
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
// It may have closed while this was starting, and nobody heard of it.
if (!process.connected) process.exit(0);
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

function work(response: ServerResponse): void {
  const startedAt = performance.now();
  const effect = EFFECTS[settings.behaviour === 'crash' ? 'good' : settings.behaviour];
  served += 1;
  const fails = effect.failsEvery;
  const isFailing = fails !== null ? served % fails === 0 : isBackground();
  if (effect.leaks && leaked.length < effect.leaks.requests) leaked.push(Buffer.alloc(effect.leaks.bytes, 1));
  const latencyMs = effect.latencyMs + leaked.length * (effect.leaks?.latencyMs ?? 0);
  if (served % effect.payments.every === 0) {
    for (let call = 0; call < effect.payments.calls; call += 1) pay();
  }
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

function isBackground(): boolean {
  const every = settings.backgroundFailsEvery;
  return every !== null && (served + offset) % every === 0;
}

/** The sample service takes an order also while payments is out of order: it is paid for later. */
function pay(): void {
  if (settings.paymentsUrl === null) return;
  get(settings.paymentsUrl, { agent: payments, timeout: 2_000 }, (reply) => reply.resume()).on('error', () => {});
}

function labels(): Record<(typeof labelNames)[number], string> {
  const { region, role } = settings;
  return { version, region, canary: String(role === 'canary'), role };
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
