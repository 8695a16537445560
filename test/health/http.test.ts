import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/json.ts';
import { http } from '../../src/health/http.ts';
import { context, PATIENT, question, result } from './ask.ts';

async function probe(query: Json, body = '{"status":"ok","checks":{"db":true}}', status = 200) {
  let nowMs = 1_000;
  const asked: string[] = [];
  const fake: typeof fetch = async (input) => {
    asked.push(String(input));
    nowMs += 250;
    return new Response(body, { status });
  };
  const options = http.schema.parse({ url: 'https://shop.example.com/base' });
  const source = http.create(options, context({ fetch: fake, now: () => nowMs }));
  return { measurement: await source.measure(question(query), PATIENT), asked };
}

describe('H1 an end-to-end check', () => {
  it.each<[string, Json, number]>([
    ['passes with the expected status', { path: '/healthz' }, 1],
    ['fails with another', { status: 204 }, 0],
    ['passes with the text', { contains: '"ok"' }, 1],
    ['fails without it', { contains: 'fine' }, 0],
    ['passes with the member', { json: { field: 'checks.db', equals: true } }, 1],
    ['fails with another value', { json: { field: 'checks.db', equals: 'true' } }, 0],
    ['fails without the member', { json: { field: 'checks.cache', equals: true } }, 0],
    ['fails on what every object has', { json: { field: 'constructor.name', equals: 'Object' } }, 0],
  ])('%s', async (_, query, expected) => expect(result((await probe(query)).measurement)).toBe(expected));

  it('fails on a server error, and on a body that is not JSON', async () => {
    expect(result((await probe({}, 'oops', 500)).measurement)).toBe(0);
    expect(result((await probe({ json: { field: 'a', equals: 1 } }, '<html>')).measurement)).toBe(0);
  });
  it('asks below the configured address', async () => {
    expect((await probe({ path: '/healthz?deep=1' })).asked).toEqual(['https://shop.example.com/base/healthz?deep=1']);
  });
  it.each(['//other.example.com', '/\\other.example.com', '/@other.example.com', '/..//other.example.com'])(
    'a path like %s leads nowhere else',
    async (path) => {
      const [asked = ''] = (await probe({ path })).asked;
      expect(new URL(asked).host).toBe('shop.example.com');
    },
  );
  it('measures the milliseconds of a probe that passes, and only of one', async () => {
    expect((await probe({ measure: 'latency' })).measurement).toMatchObject({
      value: 250,
      samples: 1,
      takenAtMs: 1_250,
    });
    expect(result((await probe({ measure: 'latency' }, '', 500)).measurement)).toBe('bad-answer');
  });
  it('nobody answering is neither good nor bad', async () => {
    const options = http.schema.parse({ url: 'https://shop.example.com' });
    const fake: typeof fetch = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ENOTFOUND' } }));
    const measurement = await http.create(options, context({ fetch: fake })).measure(question({}), PATIENT);
    expect(measurement).toMatchObject({
      value: null,
      missing: 'unreachable',
      detail: 'the connection failed: ENOTFOUND',
    });
  });
});
