import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWebhook, type Headers, type WebhookOptions } from '../../src/github/webhook.ts';
import hostile from '../hostile-inputs.json' with { type: 'json' };

const SECRET = 'a secret of some length';
const SHA = 'ab'.repeat(20);
const ID = '72d3162e-cc78-11e3-81ab-4c9367dc0958';
const OPTIONS: WebhookOptions = {
  secret: SECRET,
  installationId: 4711,
  repos: [{ name: 'acme/shop', id: 7, branches: ['main'] }],
};
const HOME = { repository: { id: 7, full_name: 'acme/shop' }, installation: { id: 4711 } };
const webhook = createWebhook(OPTIONS);

function sign(body: string, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function headers(body: string, event: string, more: Headers = {}): Headers {
  return {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': ID,
    'x-hub-signature-256': sign(body),
    ...more,
  };
}

function deliver(event: string, payload: unknown, more: Headers = {}) {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return webhook(headers(body, event, more), Buffer.from(body));
}

function inputOf(id: string): Record<string, unknown> {
  const found = hostile.find((one) => one.id === id);
  if (!found) throw new Error(`No hostile input ${id}`);
  return found.input as Record<string, unknown>;
}

const MERGED = { action: 'closed', pull_request: { merged: true, base: { ref: 'main' } } };

describe('S1 what a delivery hints at', () => {
  it.each([
    ['a push to the branch', 'push', { ref: 'refs/heads/main', after: SHA }, { kind: 'changes' }],
    ['a push to another branch', 'push', { ref: 'refs/heads/mainly', after: SHA }, null],
    ['a tag of the same name', 'push', { ref: 'refs/tags/main', after: SHA }, null],
    ['H075 a deleted branch', 'push', { ref: 'refs/heads/main', deleted: true, after: '0'.repeat(40) }, null],
    ['a push of the null sha', 'push', { ref: 'refs/heads/main', after: '0'.repeat(40) }, null],
    ['a merge', 'pull_request', MERGED, { kind: 'changes' }],
    [
      'H077 closed without a merge',
      'pull_request',
      { ...MERGED, pull_request: { merged: false, base: { ref: 'main' } } },
      null,
    ],
    [
      'a merge into another branch',
      'pull_request',
      { ...MERGED, pull_request: { merged: true, base: { ref: 'x' } } },
      null,
    ],
    ['an opened one', 'pull_request', { ...MERGED, action: 'opened' }, null],
    ['an approval by a bot', 'pull_request_review', { action: 'submitted', ...inputOf('H094') }, null],
    [
      'a check that ended',
      'check_run',
      { action: 'completed', check_run: { head_sha: SHA } },
      { kind: 'build', sha: SHA },
    ],
    ['a check that began', 'check_run', { action: 'created', check_run: { head_sha: SHA } }, null],
    [
      'a suite that ended',
      'check_suite',
      { action: 'completed', check_suite: { head_sha: SHA } },
      { kind: 'build', sha: SHA },
    ],
    ['a status', 'status', { sha: SHA, state: 'success' }, { kind: 'build', sha: SHA }],
    ['a pending status', 'status', { sha: SHA, state: 'pending' }, null],
    ['an event that Belay does not use', 'star', { action: 'created' }, null],
  ])('%s', (_, event, payload, hint) => {
    expect(deliver(event, { ...HOME, ...payload })).toEqual({
      ok: true,
      deliveryId: ID,
      event,
      repo: 'acme/shop',
      repoId: 7,
      installationId: 4711,
      hint,
    });
  });

  it('a ping is answered', () => {
    expect(deliver('ping', { zen: 'Keep it logically awesome.' })).toMatchObject({ ok: true, hint: null });
  });
});

describe('T15 what is not believed', () => {
  const body = JSON.stringify({ ...HOME, ref: 'refs/heads/main', after: SHA });
  const good = headers(body, 'push');
  it.each<[string, Headers, number, string]>([
    ['H069 a sha1 digest', inputOf('H069').headers as Headers, 401, 'bad-signature'],
    [
      'H070 only the old header',
      {
        'x-hub-signature-256': undefined,
        'x-hub-signature': `sha1=${createHmac('sha1', SECRET).update(body).digest('hex')}`,
      },
      401,
      'bad-signature',
    ],
    ['another secret', { 'x-hub-signature-256': sign(body, 'another secret of length') }, 401, 'bad-signature'],
    ['another body', { 'x-hub-signature-256': sign(`${body} `) }, 401, 'bad-signature'],
    ['a shortened digest', { 'x-hub-signature-256': sign(body).slice(0, -2) }, 401, 'bad-signature'],
    ['a digest and more', { 'x-hub-signature-256': `${sign(body)}=junk` }, 401, 'bad-signature'],
    ['a digest after a line break', { 'x-hub-signature-256': `${sign(body)}\n` }, 401, 'bad-signature'],
    ['two signatures', { 'x-hub-signature-256': [sign(body), sign(body)] }, 401, 'bad-signature'],
    ['an empty signature', { 'x-hub-signature-256': '' }, 401, 'bad-signature'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'not-json'],
    ['nearly JSON', { 'content-type': 'application/json5' }, 415, 'not-json'],
    ['no delivery id', { 'x-github-delivery': undefined }, 400, 'bad-delivery-id'],
    ['an odd delivery id', { 'x-github-delivery': "1'; drop table deliveries" }, 400, 'bad-delivery-id'],
    ['no event', { 'x-github-event': undefined }, 400, 'bad-event'],
    ['an odd event', { 'x-github-event': 'push<script>' }, 400, 'bad-event'],
  ])('%s', (_, change, status, reason) => {
    expect(webhook({ ...good, ...change }, Buffer.from(body))).toEqual({ ok: false, status, reason });
  });

  it.each<[string, unknown, number, string]>([
    ['H079 somebody else’s repository', { ...inputOf('H079'), installation: { id: 4711 } }, 400, 'bad-payload'],
    ['H079 another repository', { ...HOME, repository: { id: 7, full_name: 'evil/shop' } }, 403, 'unknown-repository'],
    [
      'H079 the name in other hands',
      { ...HOME, repository: { id: 8, full_name: 'acme/shop' } },
      403,
      'unknown-repository',
    ],
    ['H079 another installation', { ...HOME, installation: { id: 1 } }, 403, 'unknown-installation'],
    ['H079 no installation', { repository: HOME.repository }, 403, 'unknown-installation'],
    ['H092 20,000 brackets', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 400, 'too-deep'],
    ['no JSON', '{"a":', 400, 'bad-payload'],
    ['a list', '[]', 400, 'bad-payload'],
    ['nothing', '', 400, 'bad-payload'],
    ['H078 a short sha', { ...HOME, after: 'aaaaaaaa', ref: 'refs/heads/main' }, 400, 'bad-payload'],
  ])('%s', (_, payload, status, reason) => {
    expect(deliver('push', payload)).toEqual({ ok: false, status, reason });
  });

  it('H092 depth is counted outside of texts only', () => {
    expect(deliver('star', { ...HOME, text: '"['.repeat(200) })).toMatchObject({ ok: true });
  });

  it('H093 a prototype in the payload reaches nothing', () => {
    const merged = { ...HOME, ...(JSON.parse(String(inputOf('H093').body)) as object) };
    expect(deliver('push', JSON.stringify(merged))).toMatchObject({ ok: true, hint: null });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('T17 a body over the cap is refused before it is read', () => {
    const small = createWebhook({ ...OPTIONS, maxBytes: 10 });
    expect(small(good, Buffer.from(body))).toEqual({ ok: false, status: 413, reason: 'too-large' });
  });

  it('T15 an empty list of repositories is nobody', () => {
    const none = createWebhook({ ...OPTIONS, repos: [] });
    expect(none(good, Buffer.from(body))).toMatchObject({ ok: false, reason: 'unknown-repository' });
  });

  it.each(['', 'short', ' '.repeat(40)])('T15 the secret %j stops the start', (secret) => {
    expect(() => createWebhook({ ...OPTIONS, secret })).toThrow('at least 16 characters');
  });

  it('T15 no other bytes than those that were signed are believed', () => {
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(body);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(webhook(good, bytes)).toMatchObject({ ok: false, reason: 'bad-signature' });
      }),
    );
  });
});
