import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PROVIDERS } from '../../src/providers/index.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { PLAIN } from '../support/placing.ts';

const TOKEN = 'hunter2-hunter2';
const REQUEST = {
  service: 'shop',
  target: 'eu',
  options: {},
  ...PLAIN,
  artifact: { digest: 'sha256:aa', sha: 'aa' },
  share: 0.25,
  // Of what ran before Belay knew the service nobody knows the commit.
  baseline: { digest: 'sha256:00', sha: '' },
  key: 'rollout-1/eu/3',
  generation: 7,
};
const signal = new AbortController().signal;

describe('the http provider before a platform that misbehaves', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** A provider whose platform answers every request in this one way. */
  async function facing(listener: RequestListener, timeoutMs = 10_000): Promise<Provider> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`;
    return create({ url, token: TOKEN, timeoutMs });
  }

  function create(options: { url: string; token: string; timeoutMs: number }): Provider {
    const { http } = PROVIDERS;
    if (!http) throw new Error('The http provider is not in the table.');
    return http.create(http.schema.parse(options), { fetch, now: () => 0 });
  }

  const answering = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    facing((_, response) => {
      response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    });

  it.each([
    ['409 for an older generation', 409, true],
    ['401 for a wrong token', 401, true],
    ['422', 422, true],
    ['404', 404, true],
    ['408', 408, false],
    ['429', 429, false],
    ['500', 500, false],
    ['503', 503, false],
  ])('%s is a failure, final only when trying again cannot help', async (_, status, isTerminal) => {
    const provider = await answering(status, { error: 'no' });
    const answer = await provider.deploy(REQUEST, signal);
    expect(answer).toMatchObject({ is: 'failed', isTerminal, detail: expect.stringContaining(String(status)) });
    await expect(provider.observe(REQUEST, signal)).rejects.toThrow(String(status));
  });

  it.each([
    ['nothing', 200, ''],
    ['a login page', 200, '<html>Sign in</html>'],
    ['another object', 200, { ok: true }],
    ['done, but accepted', 202, { status: 'done' }],
    ['running, but finished', 200, { status: 'running', retryAfterMs: 5 }],
    ['running without a time', 202, { status: 'running' }],
    ['a negative time', 202, { status: 'running', retryAfterMs: -1 }],
    ['a time of years', 202, { status: 'running', retryAfterMs: 1e12 }],
    ['no content', 204, ''],
    ['another 2xx', 201, { status: 'done' }],
  ])('T9 a change that is answered with %s has failed for now and is not done', async (_, status, body) => {
    const answer = await (await answering(status, body)).deploy(REQUEST, signal);
    expect(answer).toMatchObject({ is: 'failed', isTerminal: false });
  });

  const instance = { id: 'eu-1', region: 'eu', digest: 'sha256:aa', isHealthy: true, metricsUrl: null };
  it.each([
    ['no instances', { weights: {}, generation: 1 }],
    ['an instance without a digest', { instances: [{ ...instance, digest: undefined }], weights: {}, generation: 1 }],
    ['health that is a word', { instances: [{ ...instance, isHealthy: 'yes' }], weights: {}, generation: 1 }],
    ['the same instance twice', { instances: [instance, instance], weights: {}, generation: 1 }],
    ['weights beyond 1', { instances: [instance], weights: { 'sha256:aa': 7 }, generation: 1 }],
    ['a role that is none', { instances: [{ ...instance, role: 'boss' }], weights: {}, generation: 1 }],
    ['a configuration that is a number', { instances: [{ ...instance, config: 7 }], weights: {}, generation: 1 }],
    ['a generation that is text', { instances: [instance], weights: {}, generation: '1' }],
    [
      'metrics on the metadata service',
      { instances: [{ ...instance, metricsUrl: 'http://169.254.169.254/latest' }], weights: {}, generation: 1 },
    ],
  ])('T9 an observation with %s is none', async (_, body) => {
    await expect((await answering(200, body)).observe(REQUEST, signal)).rejects.toThrow('something else than expected');
  });

  it('T9 a capacity with more that serve than there are is none', async () => {
    const provider = await answering(200, { instances: 2, serving: 3, servingDuring: 1 });
    await expect(provider.capacity(REQUEST, REQUEST, signal)).rejects.toThrow('More instances serve than there are');
    const later = await answering(200, { instances: 2, serving: 2, servingDuring: 3 });
    await expect(later.capacity(REQUEST, REQUEST, signal)).rejects.toThrow('More instances would serve than there are');
    const silent = await answering(200, { instances: 2, serving: 2 });
    await expect(silent.capacity(REQUEST, REQUEST, signal)).rejects.toThrow('something else than expected');
  });

  it('R5 a strategy that the platform does not have is refused for good, with what to do', async () => {
    const provider = await answering(422, { error: 'no blue/green here', code: 'unsupported' });
    expect(await provider.deploy(REQUEST, signal)).toEqual({
      is: 'failed',
      isTerminal: true,
      detail:
        'The platform cannot do this (422, unsupported): no blue/green here. Ask for another strategy in the service file.',
    });
  });

  it('T20 never follows a redirect, so that the token stays with the platform', async () => {
    let isReached = false;
    const thief = createServer((_, response) => {
      isReached = true;
      response.end('{"status":"done"}');
    }).listen(0, '127.0.0.1');
    servers.push(thief);
    await once(thief, 'listening');
    const location = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/`;
    for (const status of [301, 307]) {
      const provider = await answering(status, '', { location });
      const answer = await provider.deploy(REQUEST, signal);
      expect(answer).toMatchObject({ is: 'failed', isTerminal: false, detail: expect.stringContaining('redirected') });
    }
    expect(isReached).toBe(false);
  });

  it('T17 a platform that does not answer in time has failed for now', async () => {
    const provider = await facing(() => {}, 50);
    expect(await provider.deploy(REQUEST, signal)).toMatchObject({ is: 'failed', isTerminal: false });
    await expect(provider.observe(REQUEST, signal)).rejects.toThrow('no answer in time');
  });

  it('T17 a platform that sends headers and then nothing has failed for now', async () => {
    const provider = await facing((_, response) => void response.writeHead(200).write('{'), 50);
    await expect(provider.observe(REQUEST, signal)).rejects.toThrow('no answer in time');
  });

  it('T17 a platform that is not there, or hangs up, has failed for now', async () => {
    const hangsUp = await facing((request) => void request.socket.destroy());
    expect(await hangsUp.deploy(REQUEST, signal)).toMatchObject({ is: 'failed', isTerminal: false });
    const gone = await facing(() => {});
    servers[1]?.close();
    expect(await gone.deploy(REQUEST, signal)).toMatchObject({
      is: 'failed',
      isTerminal: false,
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('T17 an endless answer is cut off', async () => {
    const provider = await facing((_, response) => {
      const chunk = Buffer.alloc(256 * 1024, ' ');
      const more = () => void (response.writable && response.write(chunk, more));
      more();
    });
    await expect(provider.observe(REQUEST, signal)).rejects.toThrow('longer than 1048576 bytes');
  });

  it('T20 a platform that echoes the token does not get it into an error', async () => {
    const echo = { error: `bad token ${TOKEN}\nsecond line` };
    const provider = await answering(403, echo);
    const answer = await provider.deploy(REQUEST, signal);
    expect(JSON.stringify(answer)).not.toContain(TOKEN);
    expect(answer).toMatchObject({ detail: expect.stringMatching(/bad token \[token\] second line$/) });
    await expect(provider.observe(REQUEST, signal)).rejects.toThrow(/\[token\]/);
  });

  it('T20 refuses a token that could carry a second header, without repeating it', () => {
    const parsed = PROVIDERS.http?.schema.safeParse({ url: 'http://127.0.0.1', token: 'top\r\nsecret' });
    expect(parsed?.success).toBe(false);
    expect(JSON.stringify(parsed?.error)).not.toContain('secret');
  });

  it('calls exactly what docs/provider-api.yaml describes', async () => {
    const seen: { line: string; headers: IncomingMessage['headers']; body: string }[] = [];
    const provider = await facing(async (request, response) => {
      const chunks = (await request.toArray()) as Buffer[];
      seen.push({
        line: `${request.method} ${request.url}`,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      });
      response.end('{}');
    });
    await provider.deploy(REQUEST, signal);
    await provider.rollBack(REQUEST, signal);
    await provider.create(REQUEST, signal);
    await provider.remove(REQUEST, signal);
    await provider.observe(REQUEST, signal).catch(() => {});
    await provider.capacity({ ...REQUEST, options: { name: 'eu/west' } }, REQUEST, signal).catch(() => {});

    const api = parse(readFileSync(new URL('../../docs/provider-api.yaml', import.meta.url), 'utf8'));
    const described = Object.entries(api.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'parameters')
        .map((method) => `${method.toUpperCase()} /base${path.replace('{service}', 'shop').replace('{target}', 'eu')}`),
    );
    const lines = seen.map((one) => one.line.replace('eu%2Fwest', 'eu').replace(/\?.*$/, ''));
    expect(lines.sort()).toEqual(described.sort());
    expect(seen.at(-1)?.line).toContain(
      '/capacity?share=0.25&strategy=rolling&maxSurge=0&maxUnavailable=1&drainMs=30000',
    );
    for (const { headers } of seen) expect(headers.authorization).toBe(`Bearer ${TOKEN}`);
    for (const { line, headers, body } of seen.filter((one) => !one.line.startsWith('GET'))) {
      for (const { name } of [api.components.parameters.key, api.components.parameters.generation]) {
        expect(headers).toHaveProperty(name.toLowerCase());
      }
      expect(headers).toMatchObject({ 'idempotency-key': REQUEST.key, 'belay-generation': '7' });
      const { artifact, share, instances, strategy, isCanary } = REQUEST;
      const placing = { share, instances, isCanary, baseline: { digest: 'sha256:00' } };
      if (line.endsWith('/environment')) expect(JSON.parse(body)).toEqual({});
      else expect(JSON.parse(body)).toEqual({ ...artifact, strategy, ...(line.startsWith('PUT') ? placing : {}) });
    }
  });
});
