import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type GithubSandbox, startGithub } from '../../sandbox/github/github.ts';
import { createGithub, type GithubClient, SourceUnavailable, splitRepo } from '../../src/github/client.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function sandbox(): Promise<{ github: GithubSandbox; client: GithubClient; clock: { ms: number } }> {
  const github = await startGithub({ webhookSecret: 'a secret of some length', appId: 12, buildMs: null });
  closers.push(() => github.stop());
  const clock = { ms: Date.now() };
  return { github, clock, client: createGithub({ ...github, baseUrl: github.url, now: () => clock.ms }) };
}

const repoShape = z.object({ full_name: z.string() });
const askRepo = (client: GithubClient) => client.ask('GET /repos/{owner}/{repo}', splitRepo('acme/shop'), repoShape);

async function failure(promise: Promise<unknown>): Promise<SourceUnavailable> {
  const error = await promise.then(
    () => null,
    (problem: unknown) => problem,
  );
  if (error instanceof SourceUnavailable) return error;
  throw new Error(`Expected SourceUnavailable, found ${error}`);
}

describe('asking GitHub', () => {
  it('S1 an installed app may look; another key may not', async () => {
    const { github, client } = await sandbox();
    expect(await askRepo(client)).toEqual({ full_name: 'acme/shop' });
    const { generateKeyPairSync } = await import('node:crypto');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const stranger = createGithub({ ...github, privateKey: key, baseUrl: github.url });
    expect((await failure(askRepo(stranger))).status).toBe(401);
  });

  it.each([
    [429, { 'retry-after': '30' }, 30_000],
    [429, { 'retry-after': '86400' }, 3_600_000],
    [429, { 'retry-after': 'soon' }, 60_000],
    [403, { 'x-ratelimit-remaining': '0' }, 60_000],
    [403, {}, null],
    [500, {}, null],
    [503, { 'retry-after': '5' }, 5000],
  ])('H096 T17 %s %o is unavailable for %s ms', async (status, headers, retryAfterMs) => {
    const { github, client } = await sandbox();
    await askRepo(client);
    github.failApi({ status, headers: headers as Record<string, string>, count: 1 });
    expect(await failure(askRepo(client))).toMatchObject({ status, retryAfterMs });
  });

  it('H096 no hot loop: until the limit is over GitHub is not asked again', async () => {
    const { github, client, clock } = await sandbox();
    await askRepo(client);
    const reset = String(Math.ceil(clock.ms / 1000) + 90);
    github.failApi({ status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }, count: 1 });
    const { retryAfterMs } = await failure(askRepo(client));
    expect(retryAfterMs).toBeGreaterThan(89_000);
    expect(retryAfterMs).toBeLessThanOrEqual(91_000);
    clock.ms += 60_000;
    expect((await failure(askRepo(client))).status).toBe(429);
    clock.ms += 31_000;
    expect(await askRepo(client)).toEqual({ full_name: 'acme/shop' });
  });

  it('S1 what does not exist is null to `find`, an outage is not', async () => {
    const { github, client } = await sandbox();
    const none = () => client.find('GET /repos/{owner}/{repo}', splitRepo('acme/none'), repoShape);
    expect(await none()).toBeNull();
    github.failApi({ status: 502, count: 1 });
    expect((await failure(none())).status).toBe(502);
  });

  it('T9 an answer of another shape is no answer', async () => {
    const { client } = await sandbox();
    const odd = client.ask('GET /repos/{owner}/{repo}', splitRepo('acme/shop'), z.object({ full_name: z.number() }));
    expect((await failure(odd)).message).toContain('full_name');
  });

  it('T17 a GitHub that never answers is given up at the deadline, and one that is away at once', async () => {
    const { github } = await sandbox();
    const silent = await listen(() => {});
    const slow = createGithub({ ...github, baseUrl: silent, deadlineMs: 50 });
    expect(await failure(askRepo(slow))).toMatchObject({ status: null, retryAfterMs: null });
    const away = createGithub({ ...github, baseUrl: 'http://127.0.0.1:1' });
    expect((await failure(askRepo(away))).status).toBeNull();
  });

  it('S1 a failed start is not remembered', async () => {
    const { github, client } = await sandbox();
    github.failApi({ status: 500, count: 1 });
    await failure(askRepo(client));
    expect(await askRepo(client)).toEqual({ full_name: 'acme/shop' });
  });

  it.each(['shop', 'acme/shop/x', '../x', 'acme/..', 'acme/sh op', ''])('%j is no repository', (repo) => {
    expect(() => splitRepo(repo)).toThrow('owner/name');
  });
});

async function listen(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
