import { describe, expect, it } from 'vitest';
import { http } from '../../src/checks/http.ts';
import { serve } from '../health/ask.ts';
import { DIGEST, finish, given, PATIENT, request } from './try.ts';

async function probe(options: Record<string, unknown>, body = '{"status":"ok","checks":{"db":true}}', status = 200) {
  await using context = given();
  await using server = await serve((_, response) => response.writeHead(status).end(body));
  return await finish(http.create(context), request(http.schema.parse({ url: server.url, ...options })));
}

describe('P3 a smoke test over HTTP', () => {
  it.each([
    ['passes with the expected status', {}, 'passed', 'HTTP 200'],
    ['fails with another', { status: 204 }, 'failed', 'HTTP 200, expected 204'],
    ['passes with the text', { contains: '"ok"' }, 'passed', 'HTTP 200'],
    ['fails without it', { contains: 'fine' }, 'failed', 'HTTP 200 without "fine" in its body'],
    ['passes with the member', { json: { field: 'checks.db', equals: true } }, 'passed', 'HTTP 200'],
    [
      'fails with another value',
      { json: { field: 'status', equals: 'up' } },
      'failed',
      'HTTP 200 in whose JSON status is not "up"',
    ],
    [
      'fails on what every object has',
      { json: { field: 'constructor.name', equals: 'Object' } },
      'failed',
      'HTTP 200 in whose JSON constructor.name is not "Object"',
    ],
  ])('%s', async (_, options, is, detail) => {
    expect(await probe(options)).toMatchObject({ is, detail, measures: [] });
  });

  it('can ask whether it is this release that answers, by its digest or in a text; other braces are as they are written', async () => {
    const body = JSON.stringify({ digest: DIGEST, '{toString}': 1 });
    const isIt = { field: 'digest', equals: '{digest}' };
    expect(await probe({ json: isIt, contains: '{"digest":"{digest}","{toString}"' }, body)).toMatchObject({
      is: 'passed',
    });
    expect(await probe({ json: isIt }, '{"digest":"sha256:other"}')).toMatchObject({
      is: 'failed',
      detail: `HTTP 200 in whose JSON digest is not ${JSON.stringify(DIGEST)}`,
    });
  });

  it('fails on a server error, a body that is not JSON, and one that never ends', async () => {
    expect(await probe({}, 'oops', 500)).toMatchObject({ is: 'failed', detail: 'HTTP 500, expected 200' });
    expect(await probe({ json: { field: 'a', equals: 1 } }, '<html>')).toMatchObject({ is: 'failed' });
    expect(await probe({}, 'x'.repeat(2 * 1024 * 1024))).toMatchObject({ is: 'failed' });
  });

  it('a release that does not answer has failed, at once or at the deadline', async () => {
    await using context = given();
    const runner = http.create(context);
    const gone = await serve(() => {});
    await gone[Symbol.asyncDispose]();
    expect(await finish(runner, request({ url: gone.url }))).toMatchObject({
      is: 'failed',
      detail: 'the connection failed: ECONNREFUSED',
    });
    await using silent = await serve(() => {});
    expect(await finish(runner, request({ url: silent.url }, { deadlineMs: 50 }))).toMatchObject({
      is: 'failed',
      detail: 'no whole answer within 50 ms',
    });
  });

  it('a call whose time is over says nothing about the release', async () => {
    await using context = given();
    await using silent = await serve(() => {});
    const giveUp = new AbortController();
    const asked = http.create(context).run(request({ url: silent.url }), giveUp.signal);
    setTimeout(() => giveUp.abort(new Error('over')), 20);
    await expect(asked).rejects.toThrow('over');
  });

  it('asks for what is checked, and says where it asked', async () => {
    await using context = given();
    const asked: string[] = [];
    await using server = await serve((incoming, response) => {
      asked.push(incoming.url ?? '');
      response.end();
    });
    const url = `${server.url}/{service}/{target}?digest={digest}`;
    const answer = await finish(http.create(context), request({ url }));
    expect(asked).toEqual([`/shop/eu?digest=${encodeURIComponent(DIGEST)}`]);
    expect(answer).toMatchObject({ is: 'passed', url: server.url + asked[0] });
  });

  it('follows no redirect', async () => {
    let isFollowed = false;
    await using elsewhere = await serve((_, response) => {
      isFollowed = true;
      response.end();
    });
    await using context = given();
    await using here = await serve((_, response) => response.writeHead(302, { location: elsewhere.url }).end());
    expect((await finish(http.create(context), request({ url: here.url }))).is).toBe('failed');
    expect(isFollowed).toBe(false);
  });

  it.each([
    'ftp://a',
    'http://u:p@a',
    'http://169.254.169.254',
    'http://{service}@169.254.169.254/',
    'http://[fe80::1]',
    'nowhere',
    'http://a/{secret}',
    'http://a/{constructor}',
  ])('refuses the address %s', (url) => {
    expect(http.schema.safeParse({ url }).success).toBe(false);
  });

  it('never calls an address that is made forbidden by what is filled in', async () => {
    await using context = given();
    const forbidden = request({ url: 'http://169.254.169.{target}/' }, { target: '254' });
    expect(http.schema.safeParse(forbidden.options).success).toBe(true);
    await expect(http.create(context).run(forbidden, PATIENT)).rejects.toThrow('never calls');
  });

  it('takes a place in the host', () => {
    expect(http.schema.safeParse({ url: 'https://{target}.shop.example.com/healthz' }).success).toBe(true);
  });
});
