import { createServer } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { haproxy } from '../../src/health/haproxy.ts';
import { parseStat } from '../../src/health/haproxy-stat.ts';
import type { Question } from '../../src/health/source.ts';
import { context, instance, PATIENT, question, result } from './ask.ts';

const HEAD = '# pxname,svname,scur,econ,eresp,hrsp_4xx,hrsp_5xx,req_tot,rtime,last_chk';
const line = (name: string, numbers: number[], last = '') => `shop,${name},${numbers.join(',')},${last}`;
const page = (...lines: string[]) => `${[HEAD, ...lines].join('\n')}\n`;

describe('T9 statistics are read whole or not at all', () => {
  it.each([
    ['nothing', ''],
    ['half a line', page(line('i-1', [0, 0, 0, 0, 0, 0, 0])).slice(0, -4)],
    ['a line that is too short', page('shop,i-1,0')],
    ['a line that is too long', page(line('i-1', [0, 0, 0, 0, 0, 0, 0], 'a,b'))],
    ['a quote that does not end', page(line('i-1', [0, 0, 0, 0, 0, 0, 0], '"a'))],
    ['a refusal', 'Permission denied\n\n'],
    ['a page', '<html>\n'],
  ])('%s', (_, text) => expect(parseStat(text).ok).toBe(false));
  it('reads what is quoted', () => {
    const parsed = parseStat(page(line('i-1', [0, 0, 0, 0, 0, 0, 0], '"Layer7 ""OK"", 2 ms"')));
    expect(parsed.ok && parsed.lines[0]?.get('last_chk')).toBe('Layer7 "OK", 2 ms');
  });
  it('never throws', () => {
    const text = fc.string({ unit: fc.constantFrom(',', '"', '\n', 'a', '1', '#', ' ') });
    fc.assert(fc.property(text, (rest) => typeof parseStat(`${HEAD}\n${rest}\n`).ok === 'boolean'));
  });
});

describe('haproxy', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 1_700_000_000_000 }));
  afterEach(() => void vi.useRealTimers());

  function balancer(names = ['i-1']) {
    const world = { text: page(), instances: names.map((id) => instance({ id })) };
    const fake: typeof fetch = async () => new Response(world.text);
    const source = haproxy.create(
      haproxy.schema.parse({ url: 'http://balancer.example.com/stats' }),
      context({ fetch: fake, instances: async () => world.instances }),
    );
    const look = async (query: Json, meanwhile: () => void = () => {}, changes: Partial<Question> = {}) => {
      const asked = source.measure(question(query, changes), PATIENT);
      await vi.advanceTimersByTimeAsync(1_000);
      meanwhile();
      await vi.advanceTimersByTimeAsync(1_000);
      return asked;
    };
    return { world, look };
  }
  const ERRORS = { backend: 'shop', measure: 'errors' };

  it('H1 counts since the step began, failures without an answer too', async () => {
    const { world, look } = balancer();
    const sinceMs = Date.now();
    world.text = page(line('i-1', [0, 100, 100, 100, 100, 1_000, 0]));
    const counts = await look(
      ERRORS,
      () => {
        world.text = page(line('i-1', [0, 102, 103, 100, 105, 1_090, 0]));
      },
      { want: 'counts', sinceMs },
    );
    expect(counts).toMatchObject({ value: 10 / 95, samples: 95, counts: { failed: 10, total: 95 } });
  });
  it('H1 a new version under the name of an old server begins anew', async () => {
    const { world, look } = balancer();
    const put = (requests: number) => {
      world.text = page(line('i-1', [0, 0, 0, 0, 0, requests, 0]));
    };
    const requests = { backend: 'shop', measure: 'requests', window: '1h', version: 'all' };
    put(10);
    expect(result(await look(requests, () => put(15)))).toBe(5);
    world.instances = [instance({ digest: 'sha256:next' })];
    await vi.advanceTimersByTimeAsync(1_000);
    put(20);
    expect(result(await look(requests, () => put(22)))).toBe(2);
  });
  it.each([
    ['a counter that is not one', [0, 0, 0, 0, 0, Number.NaN, 0]],
    ['one that is negative', [0, 0, 0, 0, 0, -1, 0]],
    ['one beyond what is exact', [0, 0, 0, 0, 0, 1e16, 0]],
  ])('T9 %s is a bad answer', async (_, numbers) => {
    const { world, look } = balancer();
    world.text = page(line('i-1', numbers));
    expect(result(await look(ERRORS))).toBe('bad-answer');
  });
  it('T9 more failures than requests are no counts', async () => {
    const { world, look } = balancer();
    world.text = page(line('i-1', [0, 0, 0, 0, 0, 0, 0]));
    const odd = () => {
      world.text = page(line('i-1', [0, 0, 0, 0, 9, 5, 0]));
    };
    expect(result(await look(ERRORS, odd, { want: 'counts', sinceMs: Date.now() }))).toBe('bad-answer');
  });
  it('says what it cannot give', async () => {
    const { look } = balancer();
    expect(result(await look(ERRORS, undefined, { want: 'alerts' }))).toBe('bad-query');
    expect(result(await look({ ...ERRORS, measure: 'requests' }, undefined, { want: 'counts' }))).toBe('bad-query');
    expect(result(await look(ERRORS, undefined, { untilMs: Date.now() - 86_400_000 }))).toBe('bad-query');
  });
  it.each([
    'unix:admin.sock',
    'unix:',
    'tcp://127.0.0.1',
    'tcp://169.254.169.254:80',
    'tcp://u:p@127.0.0.1:80',
    'tcp://127.0.0.1:80/stats',
    'file:///etc/passwd',
  ])('refuses the address %s', (url) => expect(haproxy.schema.safeParse({ url }).success).toBe(false));
  it.each(['$instance$instance', 'shop', '$instance;x', 'a b'])('refuses the server name %s', (server) => {
    expect(haproxy.querySchema.safeParse({ ...ERRORS, server }).success).toBe(false);
  });
});

describe('T9 over a socket', () => {
  async function ask(answer: (write: (text: string | Buffer, end?: boolean) => void) => void, options: object = {}) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => answer((text, end) => (end ? socket.end(text) : socket.write(text))));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const source = haproxy.create(
      haproxy.schema.parse({ url: `tcp://127.0.0.1:${port}`, timeoutMs: 2_000, ...options }),
      context({ instances: async () => [instance()] }),
    );
    const measurement = await source.measure(question({ backend: 'shop', measure: 'sessions' }), PATIENT);
    await new Promise((resolve) => server.close(resolve));
    return result(measurement);
  }
  const whole = `${page(line('i-1', [3, 0, 0, 0, 0, 0, 0]))}\n`;

  it('a whole answer is one, in however many pieces', async () => {
    expect(await ask((write) => write(whole, true))).toBe(3);
    const pieces = (write: (text: string, end?: boolean) => void) => {
      write(whole.slice(0, 20));
      setTimeout(() => write(whole.slice(20), true), 5);
    };
    expect(await ask(pieces)).toBe(3);
  });
  it('one that ends between two lines is not whole', async () => {
    expect(await ask((write) => write(whole.slice(0, -1), true))).toBe('unreachable');
    expect(await ask((write) => write('', true))).toBe('bad-answer');
  });
  it('one that never comes, floods, or is not text', async () => {
    expect(await ask(() => {}, { timeoutMs: 20 })).toBe('unreachable');
    expect(await ask((write) => write('x'.repeat(5 * 1024 * 1024)))).toBe('bad-answer');
    expect(await ask((write) => write(Buffer.from([0xff, 0xfe]), true))).toBe('bad-answer');
  });
});
