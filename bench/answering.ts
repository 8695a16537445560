import { createServer } from 'node:http';

/** A server that answers every question like a healthy Prometheus, and counts what it was asked, by its query. A child process. */
const asked = new Map<string, number>();

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://prometheus');
  const query = searchParams.get('query') ?? '';
  asked.set(query, (asked.get(query) ?? 0) + 1);
  const result = [{ metric: {}, value: [Date.now() / 1000, '0.001'] }];
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address ? address.port : 0 });
});

/** Any message: what was asked since the last one. */
process.on('message', () => {
  process.send?.({ asked: Object.fromEntries(asked) });
  asked.clear();
});
process.on('disconnect', () => process.exit(0));
