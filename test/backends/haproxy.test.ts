import type { ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sandbox/free-port.ts';
import type { Json } from '../../src/core/json.ts';
import { haproxy } from '../../src/health/haproxy.ts';
import type { Question } from '../../src/health/source.ts';
import { context, instance, PATIENT, question, result } from '../health/ask.ts';
import { answers, close, end, folder, listen, program, start, until } from './processes.ts';

// Goal: what a server fails is counted as that server's, also when it cannot answer at all. Method: a real HAProxy with
// real servers behind it: a good one, one that answers 500, one that nobody listens on, one that hangs up.
const BINARY = program('haproxy', 'haproxy');
const DIGESTS: Record<string, string> = {
  good: 'sha256:old',
  bad: 'sha256:new',
  dead: 'sha256:dead',
  cut: 'sha256:cut',
};

describe.skipIf(!BINARY)('a real HAProxy', () => {
  const owned = new AsyncDisposableStack();
  const servers: Server[] = [];
  let cut: TcpServer;
  let child: ChildProcess;
  let path = '';
  let front = 0;
  const urls: Record<string, string> = {};
  const isUp = () => answers(`http://127.0.0.1:${front}/stats`)();
  const run = async () => {
    child = await start(BINARY ?? '', ['-db', '-f', join(path, 'haproxy.cfg')], isUp);
  };

  beforeAll(async () => {
    path = owned.use(await folder()).path;
    const good = createServer((request, response) => {
      if (!request.url?.endsWith('/hold')) response.end('ok');
    });
    const bad = createServer((_, response) => response.writeHead(500).end());
    servers.push(good, bad);
    cut = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.destroy());
    });
    await new Promise<void>((resolve) => cut.listen(0, '127.0.0.1', resolve));
    const ports = {
      good: await listen(good),
      bad: await listen(bad),
      dead: await freePort(),
      cut: (cut.address() as { port: number }).port,
    };
    front = await freePort();
    const runtime = await freePort();
    urls.unix = `unix:${path}/admin.sock`;
    urls.tcp = `tcp://127.0.0.1:${runtime}`;
    urls.page = `http://127.0.0.1:${front}/stats`;
    await writeFile(
      join(path, 'haproxy.cfg'),
      `global
  stats socket ${path}/admin.sock mode 600 level user
  stats socket ipv4@127.0.0.1:${runtime} level user
defaults
  mode http
  timeout connect 1m
  timeout client 1m
  timeout server 1m
  retries 0
  option abortonclose
frontend all
  bind 127.0.0.1:${front}
  stats enable
  stats uri /stats
  use_backend %[path,field(2,/)]
${Object.entries(ports)
  .map(([name, port]) => `backend ${name}\n  server shop-${name} 127.0.0.1:${port}\n`)
  .join('')}backend shop
${Object.entries(ports)
  .map(([name, port]) => `  server shop-${name} 127.0.0.1:${port}\n`)
  .join('')}`,
    );
    await run();
  });
  afterAll(async () => {
    await end(child);
    await Promise.all(servers.map(close));
    await new Promise((resolve) => cut?.close(resolve));
    await owned.disposeAsync();
  });

  /** How many requests of a backend HAProxy has counted, read past the code that is tested. */
  async function counted(backend: string): Promise<number> {
    const page = await (await fetch(`${urls.page};csv`)).text();
    const [head = '', ...lines] = page.split('\n').map((line) => line.split(','));
    const total = lines.find(([proxy, server]) => proxy === backend && server === 'BACKEND')?.[head.indexOf('req_tot')];
    return Number(total ?? Number.NaN);
  }
  /**
   * So many requests, each over a connection of its own; the answers by their status. Ends when HAProxy has counted them:
   * a backend's counters grow when the connection is put away, which may be after the client has its answer.
   */
  async function traffic(count: number, backend = 'shop'): Promise<Record<number, number>> {
    const statuses: Record<number, number> = {};
    const before = await counted(backend);
    for (let at = 0; at < count; at += 1) {
      await new Promise<void>((resolve, reject) => {
        const options = { host: '127.0.0.1', port: front, path: `/${backend}`, agent: false };
        get(options, (response) => {
          const status = response.statusCode ?? 0;
          statuses[status] = (statuses[status] ?? 0) + 1;
          response.resume().on('end', resolve);
        }).on('error', reject);
      });
    }
    const isCounted = (total: number) => total >= before + count;
    expect(await until(() => counted(backend), isCounted)).toSatisfy(isCounted);
    return statuses;
  }
  // A moment later, without waiting for it: statistics that are this old are read anew.
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const later = () => {
    aheadMs += 600;
  };
  const world = (names = Object.keys(DIGESTS)) =>
    context({ now, instances: async () => names.map((id) => instance({ id, digest: DIGESTS[id] ?? 'sha256:other' })) });
  const source = (by = 'unix', given = world()) =>
    haproxy.create(haproxy.schema.parse({ url: urls[by], shortestWindowMs: 501 }), given);
  const ERRORS = { backend: 'shop', measure: 'errors', server: 'shop-$instance' };
  /** What is counted of `count` requests by a source that has looked at its servers before they came. */
  async function during(count: number, query: Json, changes: Partial<Question> = {}, one = source()) {
    const asked = { sinceMs: now(), ...changes };
    const measure = () => one.measure(question(query, { ...asked, untilMs: now() }), PATIENT);
    await measure();
    await traffic(count);
    later();
    return measure();
  }

  it('H1 a failing server is seen by itself, also one that is dead or hangs up', async () => {
    const one = source();
    const sinceMs = now();
    const askAll = () =>
      Promise.all(
        Object.values(DIGESTS).map((digest) =>
          one.measure(question(ERRORS, { digest, want: 'counts', sinceMs, untilMs: now() }), PATIENT),
        ),
      );
    expect((await askAll()).map(result)).toEqual(Array(4).fill('no-data'));
    expect(await traffic(20)).toEqual({ 200: 5, 500: 5, 502: 5, 503: 5 });
    later();
    const [good, bad, dead, hung] = await askAll();
    expect(good).toMatchObject({ value: 0, counts: { failed: 0, total: 5 } });
    expect(bad).toMatchObject({ value: 1, counts: { failed: 5, total: 5 } });
    expect(dead).toMatchObject({ value: 1, counts: { failed: 5, total: 5 } });
    expect(hung).toMatchObject({ value: 1, counts: { failed: 5, total: 5 } });
  });
  it.each(['unix', 'tcp', 'page'])('H1 the same over %s', async (by) => {
    const errors = await during(8, { ...ERRORS, version: 'all', window: '1h', times: 100 }, {}, source(by));
    expect(errors).toMatchObject({ value: 75, samples: 8 });
  });
  it('H2 a neighbour is measured by the whole backend, without instances of its own', async () => {
    const stranger = source('unix', context({ now, instances: async () => null }));
    const whole = { backend: 'shop', measure: 'errors', whole: true, window: '1h' };
    expect(await during(8, whole, { service: 'billing', digest: '' }, stranger)).toMatchObject({
      value: 0.75,
      samples: 8,
    });
    expect(await stranger.measure(question(ERRORS, { service: 'billing', digest: '' }), PATIENT)).toMatchObject({
      missing: 'bad-query',
      detail: expect.stringContaining('Belay does not deploy billing'),
    });
  });
  it('H1 sessions and times are read as they are', async () => {
    const held = get({ host: '127.0.0.1', port: front, path: '/good/hold', agent: false }).on('error', () => {});
    const one = source('unix', world(['good']));
    const query = { backend: 'good', server: 'shop-$instance', version: 'all' };
    const sessions = async () => result(await one.measure(question({ ...query, measure: 'sessions' }), PATIENT));
    expect(await until(sessions, (count) => count === 1)).toBe(1);
    held.destroy();
    expect(await until(sessions, (count) => count === 0)).toBe(0);
    later();
    await traffic(3, 'good');
    const time = await source('unix', world(['good'])).measure(
      question({ ...query, measure: 'response-time' }),
      PATIENT,
    );
    expect(result(time)).toBeLessThan(60_000);
    const dead = { ...query, backend: 'dead', measure: 'response-time' };
    expect(result(await source('unix', world(['dead'])).measure(question(dead), PATIENT))).toBe('no-data');
  });
  it('T9 an instance without a server is partial, and named; a backend that is not there has no data', async () => {
    const one = source('unix', world(['good', 'i-9']));
    expect(await one.measure(question({ ...ERRORS, version: 'all' }), PATIENT)).toMatchObject({
      missing: 'partial',
      detail: 'i-9: shop has no server shop-i-9',
    });
    expect(result(await one.measure(question({ ...ERRORS, backend: 'shops' }), PATIENT))).toBe('no-data');
  });
  it('T9 a restart sets the counters back, and that is no negative traffic', async () => {
    const one = source();
    const query = { ...ERRORS, measure: 'requests', version: 'all', window: '1h' };
    await during(40, query, {}, one);
    await end(child);
    later();
    expect(result(await one.measure(question(query, { untilMs: now() }), PATIENT))).toBe('unreachable');
    await run();
    await traffic(4);
    later();
    expect(result(await one.measure(question(query, { untilMs: now() }), PATIENT))).toBe(44);
  });
});
