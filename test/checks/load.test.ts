import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { load } from '../../src/checks/load.ts';
import { serve } from '../health/ask.ts';
import { type Ended, finish, given, request } from './try.ts';

/** One second of 40 requests, with limits that a busy machine keeps too unless the server breaks them. */
async function run(listener: RequestListener, options: object = {}): Promise<Ended> {
  await using server = await serve(listener);
  return await against(server.url, options);
}

async function against(url: string, options: object = {}): Promise<Ended> {
  await using context = given();
  const all = { url, rate: 40, for: '1s', connections: 10, timeoutMs: 20_000, limits: { p95Ms: 15_000 }, ...options };
  return await finish(load.create(context), request(load.schema.parse(all), { deadlineMs: 60_000 }));
}

const measure = (end: Ended, name: string) => end.measures.find((one) => one.name.startsWith(name));

describe('P3 a load test', () => {
  it('passes with every limit kept, and says each with what was measured', async () => {
    let seen = 0;
    const limits = { p50Ms: 15_000, p95Ms: 15_000, p99Ms: 15_000, requestsPerSecond: 1 };
    const end = await run(
      (_, response) => {
        seen += 1;
        response.end('ok');
      },
      { limits },
    );
    expect(seen).toBe(40);
    expect(end).toMatchObject({ is: 'passed', detail: expect.stringMatching(/^40 of 40 requests answered/) });
    expect(end.measures.map(({ name, limit, isWithin }) => [name, limit, isWithin])).toEqual([
      ['p50 (ms)', 'at most 15000', true],
      ['p95 (ms)', 'at most 15000', true],
      ['p99 (ms)', 'at most 15000', true],
      ['failed (%)', 'at most 1', true],
      ['answered (a second)', 'at least 1', true],
    ]);
    expect(end.measures.every(({ value }) => Number.isFinite(value))).toBe(true);
    expect(measure(end, 'p50')?.value).toBeGreaterThan(0);
  });

  it('fails when answers are slower than a limit', async () => {
    const end = await run((_, response) => setTimeout(() => response.end(), 120), { limits: { p50Ms: 100 } });
    expect(end.is).toBe('failed');
    expect(measure(end, 'p50')).toMatchObject({ limit: 'at most 100', isWithin: false });
    // A timer of 120 ms may come a little early.
    expect(measure(end, 'p50')?.value).toBeGreaterThan(100);
  });

  it.each<[string, RequestListener]>([
    ['another status than 2xx', (_, response) => response.writeHead(503).end()],
    ['a redirect, which is not followed', (_, response) => response.writeHead(302, { location: '/' }).end()],
    ['a connection that is closed without an answer', (incoming) => incoming.socket.end()],
    [
      'a body that breaks off',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half', () => response.destroy());
      },
    ],
  ])('counts %s as failed', async (_, spoil) => {
    let count = 0;
    const end = await run((incoming, response) => {
      count += 1;
      if (count % 4 === 0) spoil(incoming, response);
      else response.end();
    });
    expect(end).toMatchObject({ is: 'failed', detail: expect.stringMatching(/^30 of 40 requests answered, 10 × /) });
    expect(measure(end, 'failed')).toEqual({ name: 'failed (%)', value: 25, limit: 'at most 1', isWithin: false });
    expect(measure(end, 'p95')).toMatchObject({ isWithin: true });
  });

  it('a share of failures within the limit passes, the limit included', async () => {
    let count = 0;
    const spoilt: RequestListener = (_, response) => {
      count += 1;
      response.writeHead(count % 4 === 0 ? 500 : 200).end();
    };
    expect(await run(spoilt, { limits: { p95Ms: 15_000, failedShare: 0.25 } })).toMatchObject({ is: 'passed' });
  });

  it('T9 no answer at all is no evidence: nobody there, or nobody who answers in time', async () => {
    const gone = await serve(() => {});
    await gone[Symbol.asyncDispose]();
    const limits = { p95Ms: 15_000, failedShare: 0.99 };
    expect(await against(gone.url, { limits })).toMatchObject({
      is: 'failed',
      detail: expect.stringMatching(/^0 of 40 requests answered, 40 × ECONNREFUSED/),
      measures: [{ name: 'failed (%)', value: 100, limit: 'at most 99', isWithin: false }],
    });
    const silent = await run(() => {}, { timeoutMs: 200, limits });
    expect(silent).toMatchObject({ is: 'failed', detail: expect.stringContaining('0 of 40 requests answered') });
    expect(silent.detail).toContain('timeout');
  });

  it('a server that stands still cannot hide the requests that it keeps from being sent', async () => {
    // Everything is quick, but for one pause of a second; with one connection, all that should be sent meanwhile waits.
    let count = 0;
    const end = await run(
      async (_, response) => {
        count += 1;
        if (count === 5) await sleep(1_000);
        response.end();
      },
      { connections: 1, limits: { p50Ms: 300 } },
    );
    expect(end.is).toBe('failed');
    expect(measure(end, 'p50')?.value).toBeGreaterThan(300);
  });

  it('sends evenly, and no more than it should', async () => {
    const times: number[] = [];
    const beganMs = performance.now();
    await run((_, response) => {
      times.push(performance.now() - beganMs);
      response.end();
    });
    expect(times).toHaveLength(40);
    // A request every 25 ms: a busy machine makes some late, and none early.
    const early = times.filter((timeMs, at) => timeMs < at * 25 - 5);
    expect(early).toEqual([]);
  });
});

describe('P3 what a load test must look like', () => {
  const good = { url: 'http://shop', rate: 10, limits: { p95Ms: 300 } };

  it.each([
    [{ ...good, limits: {} }, 'at least one of'],
    [{ ...good, limits: { failedShare: 0.1 } }, 'at least one of'],
    [{ ...good, limits: { p95Ms: Number.NaN } }, 'finite'],
    [{ ...good, limits: { p95Ms: 0 } }, 'above zero'],
    [{ ...good, limits: { p95Ms: 300, failedShare: 1 } }, 'failedShare'],
    [{ ...good, limits: { p95Ms: 300, p90Ms: 300 } }, 'p90Ms'],
    [{ ...good, limits: { requestsPerSecond: 11 } }, 'more are never sent'],
    [{ ...good, rate: 0 }, 'rate'],
    [{ ...good, rate: Number.POSITIVE_INFINITY }, 'rate'],
    [{ ...good, rate: 100_000 }, 'rate'],
    [{ ...good, for: '1h' }, 'from 1s to 10m'],
    [{ ...good, for: 'soon' }, 'from 1s to 10m'],
    [{ ...good, url: 'http://169.254.169.254' }, 'never calls'],
  ])('%j is refused', (options, why) => {
    const parsed = load.schema.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toContain(why);
  });

  it('says how long a try takes at least, so that a deadline before that is refused', () => {
    expect(load.leastMs?.(load.schema.parse({ ...good, for: '30s', timeoutMs: 5_000 }))).toBe(42_000);
  });
});
