import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ANA, APP, BEN, CHO, DAN, EVE, SHOP, TEAM } from '../../sandbox/slack/people.ts';
import { type SandboxSlack, startSlack } from '../../sandbox/slack/slack.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { createSlack, type Slack } from '../../src/slack/app.ts';
import type { PostedMessage } from '../../src/slack/messenger.ts';
import { phases, troubles } from '../support/phases.ts';
import { aRollout, aService, NOON_MS } from '../support/rollout.ts';
import { idsIn } from './blocks.ts';
import { aDesk, type FakeDesk, replaysInMemory, SILENT } from './desk.ts';

const SECRET = 'a-signing-secret-of-the-sandbox';
const APP_TOKEN = 'xapp-sandbox';
const key = (user: string) => `slack:${TEAM}/${user}`;

const SERVICE = aService({
  channel: SHOP,
  roles: { deployer: [key(ANA), key(DAN)], approver: [key(BEN), key(CHO)], 'on-call': [key(CHO)], admin: [] },
  onCall: key(CHO),
});
const PEOPLE = [
  { name: 'Ana Author', id: ANA },
  { name: 'Ben Approver', id: BEN },
  { name: 'Cho On-call', id: CHO },
  { name: 'Dan Deployer', id: DAN },
].map(({ name, id }, index) => ({
  name,
  principal: { kind: 'slack' as const, teamId: TEAM, userId: id },
  githubId: 10 + index,
  githubLogin: null,
}));

const rolloutIn = (over: Partial<Rollout> = {}) => aRollout({ serviceSpec: SERVICE, ...over });

let sandbox: SandboxSlack;
let slack: Slack;
let desk: FakeDesk;
let front: Server | null = null;
let nowMs = NOON_MS;

async function open(mode: 'http' | 'socket', rollouts = [rolloutIn()]): Promise<void> {
  nowMs = Date.now();
  sandbox = await startSlack({
    mode,
    signingSecret: SECRET,
    botToken: 'xoxb-sandbox',
    appToken: APP_TOKEN,
    eventRetriesMs: [],
  });
  desk = aDesk(rollouts, [SERVICE]);
  slack = belay(mode, APP_TOKEN);
  if (mode === 'http') {
    front = createServer((request, response) => slack.httpHandler?.(request, response)).listen(0, '127.0.0.1');
    await new Promise((resolve) => front?.once('listening', resolve));
    sandbox.setRequestUrl(`http://127.0.0.1:${(front.address() as AddressInfo).port}/slack/events`);
  }
}

function belay(mode: 'http' | 'socket', appToken: string): Slack {
  const posted = new Map<string, PostedMessage>();
  return createSlack({
    token: 'xoxb-sandbox',
    mode,
    signingSecret: SECRET,
    appToken,
    apiUrl: sandbox.apiUrl,
    teamId: TEAM,
    appId: APP,
    channels: [],
    people: PEOPLE,
    linkHosts: ['prometheus.example'],
    desk,
    posted: {
      get: async (name) => posted.get(name) ?? null,
      put: async (name, message) => {
        posted.set(name, message);
      },
    },
    pictures: null,
    replays: replaysInMemory(),
    clock: () => nowMs,
    log: SILENT,
  });
}

/** As the engine does: again, when told to, until it is done. */
async function show(id = 'ro-1'): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const answer = await slack.project(id);
    if (answer.is === 'done') return;
    if (answer.is === 'failed' && answer.isTerminal) throw new Error(answer.detail);
    nowMs += answer.is === 'running' ? answer.retryAfterMs : 1000;
  }
  throw new Error('it never ends');
}

afterEach(async () => {
  await slack.stop();
  await sandbox.stop();
  front?.closeAllConnections();
  front?.close();
  front = null;
});

const blocksOf = (message: unknown) => ({ blocks: (message as { blocks: never[] }).blocks });
const thread = () => sandbox.thread(SHOP, sandbox.messages(SHOP)[0]?.ts ?? '');
const approvalCard = () =>
  thread().find((one) => JSON.stringify(one.blocks).includes('Approv') && one.threadTs !== null);
const told = (user: string) => sandbox.ephemerals(user).map((one) => JSON.stringify(one));

describe.each(['http', 'socket'] as const)('in a workspace, by %s', (mode) => {
  it('X1 a rollout is one card with its thread; the first approval closes the question for everybody', async () => {
    await open(mode);
    await slack.start();
    await show();
    expect(sandbox.messages(SHOP)).toHaveLength(1);
    const card = approvalCard();
    if (!card) throw new Error('no approval card');
    expect(idsIn(blocksOf(card))).toEqual(['approve', 'reject', 'plan']);

    await sandbox.click(EVE, card, 'approve');
    await sandbox.waitFor(() => told(EVE).some((one) => one.includes('Guests')));
    await sandbox.click(BEN, card, 'approve');
    expect(desk.rollouts.get('ro-1')?.phase.is).toBe('clearing');
    await sandbox.click(CHO, card, 'approve');
    await sandbox.waitFor(() => told(CHO).some((one) => one.includes('Ben Approver did it')));
    await show();
    expect(idsIn(blocksOf(approvalCard()))).toEqual([]);
    expect(JSON.stringify(approvalCard()?.blocks)).toContain('Approved: Ben Approver');
  });

  it('X2 a command shows the plan to one person, and its Confirm deploys', async () => {
    await open(mode, []);
    await slack.start();
    await sandbox.slash(DAN, SHOP, '/deploy', 'to prod because it is time');
    const plan = sandbox.ephemerals(DAN).at(-1);
    if (!plan) throw new Error('no plan');
    expect(sandbox.messages(SHOP)).toEqual([]);
    await sandbox.click(DAN, plan, 'confirm-deploy');
    expect(desk.asked.deploys).toMatchObject([{ service: 'api', upTo: 'prod' }]);
    await sandbox.waitFor(() => told(DAN).some((one) => one.includes('Accepted')));
  });

  it('D2 a form asks for the reason and rejects with it', async () => {
    await open(mode);
    await slack.start();
    await show();
    const card = approvalCard();
    if (!card) throw new Error('no approval card');
    await sandbox.click(BEN, card, 'reject');
    const view = sandbox.views(BEN).at(-1);
    if (!view) throw new Error('no form');
    await sandbox.submitView(BEN, view.id, { reason: 'too risky' });
    expect(desk.rollouts.get('ro-1')?.phase).toMatchObject({ is: 'aborted', trouble: { because: 'too risky' } });
    expect(sandbox.views(BEN)).toEqual([]);
    await show();
    for (const message of thread()) expect(idsIn(blocksOf(message))).toEqual([]);
  });

  it('X2 a mention in the thread ends in the button that does it', async () => {
    await open(mode, [rolloutIn({ phase: phases()[8] as never, touched: ['stg', 'prod'] })]);
    await slack.start();
    await show();
    await sandbox.mention(CHO, SHOP, 'hold', sandbox.messages(SHOP)[0]?.ts ?? '');
    const answer = await sandbox.waitFor(() => sandbox.ephemerals(CHO).at(-1));
    await sandbox.click(CHO, answer, 'decide:hold');
    expect(desk.rollouts.get('ro-1')?.phase.is).toBe('holding');
  });
});

describe('in a workspace', () => {
  it('every phase and every trouble makes messages that Slack takes', async () => {
    await open('http');
    for (const phase of [
      ...phases(),
      ...troubles('x & <y>').map((trouble) => ({ is: 'failed' as const, atMs: NOON_MS, trouble })),
    ]) {
      desk.rollouts.set('ro-1', rolloutIn({ phase, touched: ['stg', 'prod'] }));
      await show();
      expect(await slack.announce(`key-${phase.is}`, 'ro-1', 'failed', phase)).not.toMatchObject({ isTerminal: true });
      nowMs += 10_000;
    }
    expect(thread()[0]?.text).toContain('failed');
  });

  it('T4 T12 a connection that breaks after Slack has posted leaves no second message', async () => {
    await open('http');
    sandbox.faults.add({ method: 'chat.postMessage', kind: 'reset-after', count: 2 });
    await show();
    const keys = thread().map((one) => one.text);
    expect(new Set(keys).size).toBe(keys.length);
    expect(sandbox.messages(SHOP)).toHaveLength(1);
  });

  it('Socket Mode comes back after the connection was cut', async () => {
    await open('socket');
    await slack.start();
    sandbox.socket.cut();
    const isServed = async () => (await sandbox.slash(DAN, SHOP, '/belay', 'help')).error === null;
    await expect.poll(isServed, { timeout: 120_000 }).toBe(true);
  });

  it('Socket Mode waits for a Slack that is down, and refuses to start with a token that is wrong', async () => {
    await open('socket');
    const outage = sandbox.faults.add({ kind: 'server-error', method: 'apps.connections.open', count: null });
    await slack.start();
    sandbox.faults.clear(outage);
    await sandbox.waitFor(() => sandbox.socket.connections > 0);
    const wrong = belay('socket', 'xapp-wrong');
    await expect(wrong.start()).rejects.toThrow('refused the app token');
    await wrong.stop();
  });
});
