import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App } from '@slack/bolt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGuard } from '../../src/slack/guard.ts';
import { createHttpReceiver } from '../../src/slack/http-receiver.ts';
import { boltLogger } from '../../src/slack/log.ts';
import { NOON_MS } from '../support/rollout.ts';
import { replaysInMemory, SILENT } from './desk.ts';

const SECRET = 'a-signing-secret-of-32-characters';

type Sent = { body?: string; headers?: Record<string, string>; seconds?: number; secret?: string; type?: string };

let server: Server;
let port = 0;
let dispatched: Record<string, unknown>[] = [];
let answers: (ack: (answer?: unknown) => Promise<void>) => Promise<void>;

beforeEach(async () => {
  dispatched = [];
  answers = (ack) => ack();
  const receiver = createHttpReceiver({
    signingSecret: SECRET,
    clock: () => NOON_MS,
    replays: replaysInMemory(),
    log: SILENT,
  });
  const app = new App({
    receiver,
    authorize: async () => ({}),
    convoStore: false,
    ignoreSelf: false,
    logger: boltLogger(SILENT),
  });
  app.use(async ({ body, next, ...rest }) => {
    dispatched.push(body as unknown as Record<string, unknown>);
    await answers((rest as unknown as { ack: (answer?: unknown) => Promise<void> }).ack);
    await next();
  });
  server = createServer((incoming, response) => receiver.handle(incoming, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function sign(body: string, seconds: number, secret = SECRET): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${seconds}:${body}`).digest('hex')}`;
}

async function send(sent: Sent): Promise<{ status: number; text: string }> {
  const { body = CLICK, seconds = NOON_MS / 1000, secret = SECRET, type = 'application/x-www-form-urlencoded' } = sent;
  const headers = {
    'content-type': type,
    'x-slack-request-timestamp': String(seconds),
    'x-slack-signature': sign(body, seconds, secret),
    ...sent.headers,
  };
  const response = await fetch(`http://127.0.0.1:${port}/slack/events`, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text() };
}

const CLICK = `payload=${encodeURIComponent(
  JSON.stringify({
    type: 'block_actions',
    team: { id: 'T0HOME' },
    user: { id: 'U0ANA' },
    channel: { id: 'C0API' },
    actions: [{ type: 'button', action_id: 'approve', value: 'ro-1|7' }],
  }),
)}`;

describe('T15 requests to Slack’s address', () => {
  it('are dispatched when they are signed, now, for the first time', async () => {
    expect(await send({})).toEqual({ status: 200, text: '' });
    expect(dispatched).toMatchObject([{ type: 'block_actions', user: { id: 'U0ANA' } }]);
  });

  it('T3 H037 are acknowledged and not dispatched when they come a second time', async () => {
    expect((await Promise.all([send({}), send({}), send({})])).map((one) => one.status)).toEqual([200, 200, 200]);
    expect(dispatched).toHaveLength(1);
  });

  const refused: [string, Sent, number][] = [
    ['H033 unsigned with ssl_check', { body: `ssl_check=1&${CLICK}`, headers: { 'x-slack-signature': '' } }, 401],
    [
      'H034 signed by somebody else, with ssl_check=0',
      { body: `ssl_check=0&${CLICK}`, secret: 'another-secret-of-32-characters!' },
      401,
    ],
    ['H035 five minutes and a second old', { seconds: NOON_MS / 1000 - 301 }, 401],
    ['H036 from tomorrow', { seconds: NOON_MS / 1000 + 86_400 }, 401],
    ['a timestamp with more than digits', { headers: { 'x-slack-request-timestamp': `${NOON_MS / 1000} +0` } }, 401],
    ['a timestamp as a float', { headers: { 'x-slack-request-timestamp': `${NOON_MS / 1000}.0` } }, 401],
    ['H040 signed with an empty secret', { secret: '' }, 401],
    ['H041 an empty signature', { headers: { 'x-slack-signature': 'v0=' } }, 401],
    ['junk after the signature', { headers: { 'x-slack-signature': `${sign(CLICK, NOON_MS / 1000)}=junk` } }, 401],
    ['the signature in capitals', { headers: { 'x-slack-signature': sign(CLICK, NOON_MS / 1000).toUpperCase() } }, 401],
    ['another version', { headers: { 'x-slack-signature': sign(CLICK, NOON_MS / 1000).replace('v0', 'v1') } }, 401],
    ['H045 a payload that is not JSON', { body: 'payload=%7Bnot json' }, 400],
    ['a payload that is a list', { body: 'payload=%5B%5D' }, 400],
    ['a field that is there twice', { body: `${CLICK}&${CLICK}` }, 400],
    ['JSON that is not', { body: '{', type: 'application/json' }, 400],
    ['another content type', { type: 'text/plain' }, 415],
  ];
  it.each(refused)('are turned away: %s', async (_name, sent, status) => {
    expect((await send(sent)).status).toBe(status);
    expect(dispatched).toEqual([]);
  });

  it('H044 are cut off beyond 1 MiB, said or unsaid, before anything is hashed', async () => {
    expect((await send({ body: `payload=${'A'.repeat(1024 * 1024)}` })).status).toBe(413);
    const outcome = await new Promise<number | string>((resolve) => {
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'transfer-encoding': 'chunked',
        'x-slack-request-timestamp': String(NOON_MS / 1000),
        'x-slack-signature': `v0=${'0'.repeat(64)}`,
      };
      const sending = httpRequest({ host: '127.0.0.1', port, method: 'POST', headers }, (response) => {
        resolve(response.statusCode ?? 0);
        sending.destroy();
      });
      sending.on('error', () => resolve('cut off'));
      const chunk = 'A'.repeat(64 * 1024);
      const more = () => {
        if (!sending.destroyed) sending.write(chunk, more);
      };
      more();
    });
    expect([413, 'cut off']).toContain(outcome);
    expect(dispatched).toEqual([]);
  });

  it('answer Slack’s own checks only when it signed them', async () => {
    const challenge = JSON.stringify({ type: 'url_verification', challenge: 'abc' });
    expect(await send({ body: challenge, type: 'application/json' })).toEqual({
      status: 200,
      text: '{"challenge":"abc"}',
    });
    expect(await send({ body: 'ssl_check=1' })).toEqual({ status: 200, text: '' });
    expect((await send({ body: challenge, type: 'application/json', secret: 'x'.repeat(32) })).status).toBe(401);
    expect(dispatched).toEqual([]);
  });

  it('T13 get an error when the listener fails, and the next one is served', async () => {
    answers = async () => {
      throw new Error('the database is full');
    };
    expect((await send({})).status).toBe(500);
    answers = (ack) => ack();
    expect((await send({ seconds: NOON_MS / 1000 - 1 })).status).toBe(200);
  });

  it('carry the listener’s answer, once', async () => {
    answers = async (ack) => {
      await ack({ text: 'yes' });
      await ack({ text: 'again' });
    };
    expect(await send({})).toEqual({ status: 200, text: '{"text":"yes"}' });
  });
});

describe('T15 the guard', () => {
  it.each(['', '   ', 'short'])('does not start with the secret %j', (signingSecret) => {
    expect(() => createGuard({ signingSecret, clock: () => 0, replays: replaysInMemory() })).toThrow('at least 16');
  });
});
