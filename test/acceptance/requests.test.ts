import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sign } from '../../sandbox/slack/line.ts';
import { APP, BEN, DAN, OTHER_TEAM, SHOP, TEAM } from '../../sandbox/slack/people.ts';
import { messageWith, press, SIGNING_SECRET, startTown, type Town, toldTo, WEBHOOK_SECRET } from './town.ts';

/** A rollout waits at the gate: there is something that a forged click could approve. */
let town: Town;
let sha = '';
let pid = 0;
beforeAll(async () => {
  town = await startTown({ slackMode: 'http' });
  ({ sha } = await town.merge());
  await town.record.waitForPhase(sha, 'gated');
  await town.slack.waitFor(() => messageWith(town, sha, 'approve')?.threadTs);
  await town.slack.waitFor(settled);
  pid = town.belay.pid;
});
afterAll(() => town?.stop());

/** Nothing is owed any more but timers. */
function settled(): boolean {
  return rows("SELECT count(*) AS n FROM owed WHERE kind <> 'wake'") === 0;
}

function rows(query: string): number {
  const database = new Database(town.databasePath, { readonly: true });
  try {
    return (database.prepare(query).get() as { n: number }).n;
  } finally {
    database.close();
  }
}

/** How much there is of everything that a request could bring about. `replays` may grow: it notes what was refused. */
function counts(): Record<string, number> {
  const tables = ['releases', 'rollouts', 'owed', 'approvals', 'decisions', 'audit', 'deliveries', 'posted', 'repos'];
  return Object.fromEntries(tables.map((table) => [table, rows(`SELECT count(*) AS n FROM ${table}`)]));
}

const nowSec = () => Math.floor(Date.now() / 1000);

type Sent = { body?: string; at?: number; signature?: string | null; type?: string; headers?: Record<string, string> };

/** A request as Slack sends it, except for what is named. */
async function slack(sent: Sent = {}): Promise<number> {
  const { body = approval(), at = nowSec(), type = 'application/x-www-form-urlencoded' } = sent;
  const signature = sent.signature === undefined ? sign(SIGNING_SECRET, at, body) : sent.signature;
  const response = await fetch(`${town.belay.url}/slack/events`, {
    method: 'POST',
    headers: {
      'content-type': type,
      'x-slack-request-timestamp': String(at),
      ...(signature === null ? {} : { 'x-slack-signature': signature }),
      ...sent.headers,
    },
    body,
  });
  await response.body?.cancel();
  return response.status;
}

/** Ben's click on Approve, which would ship if it were believed. */
function approval(from: { team?: string; app?: string } = {}): string {
  const rollout = town.record.rollout(sha);
  const { team = TEAM, app = APP } = from;
  const payload = {
    type: 'block_actions',
    team: { id: team },
    user: { id: BEN, team_id: team },
    api_app_id: app,
    channel: { id: SHOP },
    actions: [{ action_id: 'approve', type: 'button', value: `${rollout?.id}|${rollout?.generation}` }],
  };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

async function unchanged(work: () => Promise<void>): Promise<void> {
  const before = counts();
  await work();
  expect(counts()).toEqual(before);
  expect(town.record.rollout(sha)).toMatchObject({ phase: { is: 'gated' }, approvals: [] });
  expect(town.belay.isRunning() && town.belay.pid).toBe(pid);
}

/** The first line of the answer to a body that is announced and never sent. */
async function tooLarge(path: string, bytes: number, headers: string[]): Promise<string> {
  const socket = connect(Number(new URL(town.belay.url).port), '127.0.0.1');
  const head = [`POST ${path} HTTP/1.1`, 'host: belay', `content-length: ${bytes}`, ...headers];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().split('\r\n')[0] ?? '';
}

const sha256 = (body: string, secret = WEBHOOK_SECRET) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

describe('T15 a request to Slack’s address is believed only when it is from Slack, now and for the first time', () => {
  it.each<[string, () => Sent, number]>([
    ['without a signature', () => ({ signature: null }), 401],
    ['with a wrong signature', () => ({ signature: `v0=${'0'.repeat(64)}` }), 401],
    ['signed with another secret', () => ({ signature: sign('another-secret-altogether', nowSec(), approval()) }), 401],
    ['a day in the future', () => ({ at: nowSec() + 86_400 }), 401],
    ['301 seconds old', () => ({ at: nowSec() - 301 }), 401],
    ['with a timestamp that is no number', () => ({ headers: { 'x-slack-request-timestamp': '1e9' } }), 401],
    [
      'tampered with',
      () => ({ signature: sign(SIGNING_SECRET, nowSec(), approval().replace('approve', 'reject')) }),
      401,
    ],
    [
      'with junk behind the signature',
      () => ({ signature: `${sign(SIGNING_SECRET, nowSec(), approval())}=junk` }),
      401,
    ],
    ['with a payload that is not JSON', () => ({ body: 'payload=%7B' }), 400],
    ['with a payload that is a list', () => ({ body: 'payload=[]' }), 400],
    ['with JSON that is cut off', () => ({ body: '{"type":', type: 'application/json' }), 400],
    ['of a type that Slack does not send', () => ({ type: 'text/plain' }), 415],
    ['with the payload twice', () => ({ body: `${approval()}&${approval()}` }), 400],
  ])('one %s is turned away', async (_what, sent, status) => {
    await unchanged(async () => expect(await slack(sent())).toBe(status));
  });

  it.each<[string, () => string]>([
    ['of another workspace', () => approval({ team: OTHER_TEAM })],
    ['of another app', () => approval({ app: 'A0ANOTHER1' })],
    ['without a workspace', () => new URLSearchParams({ payload: '{"type":"block_actions"}' }).toString()],
    [
      'with no action in it',
      () =>
        new URLSearchParams({
          payload: `{"type":"block_actions","api_app_id":"${APP}","team":{"id":"${TEAM}"},"user":{"id":"${BEN}"},"actions":[]}`,
        }).toString(),
    ],
    [
      'about a rollout that is not there',
      () => approval().replace(/value%22%3A%22[^%]+/, 'value%22%3A%22no-such-rollout'),
    ],
  ])('one that is signed but %s changes nothing', async (_what, body) => {
    await unchanged(async () => expect(await slack({ body: body() })).toBeLessThan(501));
  });

  it('one with a body of 2 MiB is turned away before it is read', async () => {
    const headers = [`x-slack-request-timestamp: ${nowSec()}`, `x-slack-signature: v0=${'0'.repeat(64)}`];
    await unchanged(async () => expect(await tooLarge('/slack/events', 2 * 1024 * 1024, headers)).toContain(' 413 '));
  });

  it('a command is run once, however often its bytes arrive', async () => {
    await town.slack.slash(DAN, SHOP, '/deploy', 'status');
    await unchanged(async () => {
      const ephemerals = toldTo(town, DAN);
      expect(await town.slack.repeatLast()).toMatchObject({ status: 200 });
      expect(toldTo(town, DAN)).toBe(ephemerals);
    });
  });
});

describe('T8 T15 a delivery to GitHub’s address is only a hint, and only when GitHub signed it', () => {
  const push = () =>
    JSON.stringify({
      ref: 'refs/heads/main',
      after: 'a'.repeat(40),
      repository: { id: town.github.repoId, full_name: 'acme/shop' },
      installation: { id: town.github.installationId },
    });

  async function github(sent: { body?: string; headers?: Record<string, string | null> } = {}): Promise<number> {
    const { body = push() } = sent;
    const headers: Record<string, string | null> = {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': crypto.randomUUID(),
      'x-hub-signature-256': sha256(body),
      ...sent.headers,
    };
    const given = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null);
    const response = await fetch(`${town.belay.url}/github/webhook`, { method: 'POST', headers: given, body });
    await response.body?.cancel();
    return response.status;
  }

  it.each<[string, () => Parameters<typeof github>[0], number]>([
    ['without a signature', () => ({ headers: { 'x-hub-signature-256': null } }), 401],
    ['with a wrong signature', () => ({ headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` } }), 401],
    [
      'signed with another secret',
      () => ({ headers: { 'x-hub-signature-256': sha256(push(), 'another-secret-altogether') } }),
      401,
    ],
    ['tampered with', () => ({ headers: { 'x-hub-signature-256': sha256(push().replace('aaaa', 'bbbb')) } }), 401],
    ['with junk behind the signature', () => ({ headers: { 'x-hub-signature-256': `${sha256(push())}=junk` } }), 401],
    ['that is not JSON', () => ({ body: '{"ref":' }), 400],
    ['20,000 brackets deep', () => ({ body: '['.repeat(20_000) }), 400],
    ['of another type', () => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415],
    ['without an id', () => ({ headers: { 'x-github-delivery': null } }), 400],
    ['of another repository', () => ({ body: push().replace('acme/shop', 'evil/shop') }), 403],
    [
      'of another installation',
      () => ({ body: push().replace(/"installation":\{"id":\d+/, '"installation":{"id":1') }),
      403,
    ],
  ])('one %s is turned away', async (_what, sent, status) => {
    await unchanged(async () => expect(await github(sent())).toBe(status));
  });

  it('T8 one that lies about what was pushed, well signed, starts nothing: the branch is read, not the payload', async () => {
    const before = counts();
    expect(await github()).toBe(202);
    await expect.poll(() => rows('SELECT count(*) AS n FROM deliveries WHERE processed_at_ms IS NULL')).toBe(0);
    expect(counts()).toEqual({ ...before, deliveries: (before.deliveries ?? 0) + 1 });
  });

  it('one with a body of 6 MiB is turned away before it is read', async () => {
    await unchanged(async () => expect(await tooLarge('/github/webhook', 6 * 1024 * 1024, [])).toContain(' 413 '));
  });

  it('T17 a sender that never finishes its body holds nobody up', async () => {
    const { port } = new URL(town.belay.url);
    const slow = connect(Number(port), '127.0.0.1');
    slow.write('POST /github/webhook HTTP/1.1\r\nhost: belay\r\ncontent-length: 1000\r\n\r\n{');
    await unchanged(async () => expect(await github({ headers: { 'x-hub-signature-256': null } })).toBe(401));
    slow.destroy();
  });
});

it('after all this, the real click still works', async () => {
  await press(town, BEN, sha, 'approve');
  await town.record.waitForPhase(sha, 'succeeded');
  expect(town.belay.pid).toBe(pid);
  expect(town.belay.log().filter((line) => line.includes('"level":60'))).toEqual([]);
});
