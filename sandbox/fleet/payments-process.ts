import { createServer } from 'node:http';
import { Counter, Histogram, Registry } from 'prom-client';

/* The neighbour: it takes so many payments a second, and refuses the rest. Ends with the fleet that started it. */
const { capacity, digest } = JSON.parse(process.argv[2] ?? '{}') as { capacity: number; digest: string };
const ANSWERS_AFTER_MS = 3;

const registry = new Registry();
const requests = new Counter({
  name: 'http_requests_total',
  help: 'Requests answered, by status code.',
  labelNames: ['service', 'digest', 'code'],
  registers: [registry],
});
const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'How long an answer took.',
  labelNames: ['service', 'digest'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  registers: [registry],
});
const labels = { service: 'payments', digest };
for (const code of ['200', '503']) requests.inc({ ...labels, code }, 0);

let second = 0;
let inSecond = 0;

const server = createServer(async (request, response) => {
  if (request.url === '/metrics') {
    response.writeHead(200, { 'content-type': registry.contentType });
    return response.end(await registry.metrics());
  }
  if (request.url === '/healthz') return response.end(JSON.stringify({ status: 'ok', digest }));
  const startedAt = performance.now();
  const now = Math.floor(startedAt / 1000);
  inSecond = now === second ? inSecond + 1 : 1;
  second = now;
  const code = inSecond > capacity ? 503 : 200;
  setTimeout(() => {
    requests.inc({ ...labels, code: String(code) });
    durations.observe(labels, (performance.now() - startedAt) / 1000);
    response.writeHead(code).end();
  }, ANSWERS_AFTER_MS);
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 });
});
process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0);
process.on('SIGTERM', () => process.exit(0));
