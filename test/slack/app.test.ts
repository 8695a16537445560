import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newCase } from '../../src/core/drift-case.ts';
import { createSlack, type Slack } from '../../src/slack/app.ts';
import type { PostedMessage } from '../../src/slack/messenger.ts';
import { driftAddress } from '../../src/slack/views/drift.ts';
import { aRecord, four, given } from '../support/drifted.ts';
import { phases } from '../support/phases.ts';
import { aRollout, CHANNEL, NOON_MS, PEOPLE, sha, TEAM } from '../support/rollout.ts';
import { aDesk, type FakeDesk, replaysInMemory, SILENT } from './desk.ts';

const SECRET = 'a-signing-secret-of-32-characters';

/** Slack as a server: keeps the calls, answers users.info by `users`, and takes what is sent to a response_url. */
type Call = { path: string; args: Record<string, string> };
let calls: Call[] = [];
let users: Record<string, Record<string, unknown>> = {};
let api: Server;
let front: Server;
let slack: Slack;
let desk: FakeDesk;
let apiPort = 0;
let frontPort = 0;
let posted: Map<string, PostedMessage>;
let sequence = 0;

beforeEach(async () => {
  calls = [];
  users = {};
  api = createServer(async (request, response) => {
    const body = await readText(request);
    const isJson = request.headers['content-type']?.includes('json');
    const args = isJson ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
    const path = request.url ?? '';
    calls.push({ path, args });
    response.setHeader('content-type', 'application/json');
    const user = users[args.user] ?? { id: args.user, team_id: TEAM, name: String(args.user).toLowerCase() };
    const fails = 'httpStatus' in user;
    if (fails && path.endsWith('users.info')) response.statusCode = Number(user.httpStatus);
    response.end(
      JSON.stringify({ ok: true, ts: `${1_700_000_000 + calls.length}.000100`, channel: args.channel, user }),
    );
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  apiPort = (api.address() as AddressInfo).port;
  posted = new Map();
  start([aRollout()]);
  front = createServer((request, response) => slack.httpHandler?.(request, response)).listen(0, '127.0.0.1');
  await once(front, 'listening');
  frontPort = (front.address() as AddressInfo).port;
});

function start(rollouts: ReturnType<typeof aRollout>[]): void {
  desk = aDesk(rollouts);
  slack = createSlack({
    token: 'xoxb-test',
    mode: 'http',
    signingSecret: SECRET,
    appToken: null,
    apiUrl: `http://127.0.0.1:${apiPort}/api/`,
    teamId: TEAM,
    appId: 'A0BELAY',
    channels: [],
    people: PEOPLE,
    linkHosts: [],
    desk,
    posted: {
      get: async (key) => posted.get(key) ?? null,
      put: async (key, message) => {
        posted.set(key, message);
      },
    },
    pictures: null,
    replays: replaysInMemory(),
    clock: () => NOON_MS,
    log: SILENT,
  });
}

afterEach(async () => {
  await slack.stop();
  for (const server of [api, front]) {
    server.closeAllConnections();
    server.close();
  }
});

async function send(
  body: string,
  type = 'application/x-www-form-urlencoded',
): Promise<{ status: number; text: string }> {
  const seconds = NOON_MS / 1000 - (sequence++ % 250);
  const signature = `v0=${createHmac('sha256', SECRET).update(`v0:${seconds}:${body}`).digest('hex')}`;
  const response = await fetch(`http://127.0.0.1:${frontPort}/slack/events`, {
    method: 'POST',
    headers: { 'content-type': type, 'x-slack-request-timestamp': String(seconds), 'x-slack-signature': signature },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const payload = (value: object) => send(`payload=${encodeURIComponent(JSON.stringify(value))}`);

function click(user: string, actionId: string, over: Record<string, unknown> = {}, value = 'ro-1|7') {
  return payload({
    type: 'block_actions',
    api_app_id: 'A0BELAY',
    team: { id: TEAM },
    user: { id: user, team_id: TEAM },
    channel: { id: CHANNEL },
    trigger_id: 'trigger',
    response_url: `http://127.0.0.1:${apiPort}/answer/${user}`,
    actions: [{ type: 'button', action_id: actionId, block_id: 'b', value }],
    nonce: sequence,
    ...over,
  });
}

function submit(user: string, callbackId: string, values: Record<string, string>, metadata = 'ro-1|7') {
  const fields = Object.entries(values).map(([name, value]) => [name, { value: { type: 'plain_text_input', value } }]);
  return payload({
    type: 'view_submission',
    api_app_id: 'A0BELAY',
    team: { id: TEAM },
    user: { id: user, team_id: TEAM },
    nonce: sequence,
    view: {
      type: 'modal',
      callback_id: callbackId,
      private_metadata: metadata,
      state: { values: Object.fromEntries(fields) },
    },
  });
}

function slash(command: string, text: string, over: Record<string, string> = {}) {
  const fields = {
    command,
    text,
    api_app_id: 'A0BELAY',
    team_id: TEAM,
    user_id: 'U0CARO',
    channel_id: CHANNEL,
    trigger_id: 'trigger',
    response_url: `http://127.0.0.1:${apiPort}/answer/slash`,
    nonce: String(sequence),
    ...over,
  };
  return send(new URLSearchParams(fields).toString());
}

/** What was said to one person. */
const said = () => calls.filter((one) => one.path.startsWith('/answer/')).map((one) => String(one.args.text));
const opened = () =>
  calls.filter((one) => one.path.endsWith('views.open')).map((one) => JSON.parse(one.args.view ?? '{}'));
const stateOf = (id = 'ro-1') => desk.rollouts.get(id)?.phase.is;

describe('clicks', () => {
  it('T13 are acknowledged after the commit, and say nothing when the card says it all', async () => {
    expect(await click('U0ANA', 'approve')).toEqual({ status: 200, text: '' });
    expect(desk.rollouts.get('ro-1')?.approvals.map((one) => one.by)).toEqual([`slack:${TEAM}/U0ANA`]);
    expect(stateOf()).toBe('clearing');
    expect(said()).toEqual([]);
  });

  it('T13 show an error when the commit fails, and nothing has happened', async () => {
    desk.failure = new Error('disk full xoxb-123-secret');
    expect((await click('U0ANA', 'approve')).status).toBe(200);
    expect(stateOf()).toBe('gated');
    await expect.poll(said).toEqual([expect.stringContaining('Nothing was changed')]);
    expect(said().join()).not.toContain('xoxb');
  });

  it('T3 H054 of two people at once make one transition, and the second is told who was first', async () => {
    await Promise.all([click('U0ANA', 'approve'), click('U0BEN', 'approve')]);
    expect(desk.rollouts.get('ro-1')?.approvals).toHaveLength(1);
    await expect.poll(said).toEqual([expect.stringMatching(/(Ana|Ben) did it 0 s ago\. It is now: clearing/)]);
  });

  it('T3 H055 to approve and to reject end in exactly one decision, in every order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(['approve', 'reject', 'approve-again', 'abort'], { minLength: 2 }),
        async (order) => {
          start([aRollout()]);
          const acts: Record<string, () => Promise<unknown>> = {
            approve: () => click('U0ANA', 'approve'),
            'approve-again': () => click('U0ANA', 'approve'),
            reject: () => submit('U0BEN', 'reject', { reason: 'too risky' }),
            abort: () => submit('U0BEN', 'abort', { reason: 'stop it' }),
          };
          await Promise.all(order.map((one) => acts[one]?.()));
          const rollout = desk.rollouts.get('ro-1');
          if (order.includes('abort')) expect(rollout?.phase.is).toBe('aborted');
          else expect(['clearing', 'aborted']).toContain(rollout?.phase.is);
          const approved = rollout?.approvals.length ?? 0;
          expect(approved).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('G1 of a participant, a guest, an external or somebody who cannot be verified change nothing, and say why', async () => {
    users.U0GUEST = { id: 'U0GUEST', team_id: TEAM, is_restricted: true };
    users.U0BEN = { httpStatus: 503 };
    await click('U0CARO', 'approve');
    await click('U0GUEST', 'approve');
    await click('U0ANA', 'approve', { user: { id: 'U0ANA', team_id: 'T0OTHER' } });
    await click('U0BEN', 'approve');
    expect(stateOf()).toBe('gated');
    await expect.poll(() => said().length).toBe(4);
    expect(said()[0]).toContain('role approver or on-call');
    expect(said()[1]).toContain('Guests');
    expect(said()[2]).toContain('another organisation');
    expect(said()[3]).toContain('cannot verify you right now');
  });

  it('H052 of another app or workspace are dropped before anything looks at them', async () => {
    expect((await click('U0ANA', 'approve', { api_app_id: 'A0OTHER' })).status).toBe(200);
    expect((await click('U0ANA', 'approve', { team: { id: 'T0OTHER' } })).status).toBe(200);
    expect((await click('U0ANA', 'approve', { team: null, enterprise: { id: 'E1' } })).status).toBe(200);
    expect(calls).toEqual([]);
    expect(desk.asked.events).toEqual([]);
  });

  it('H057 in another channel than the rollout’s, or with a value that is made up, change nothing', async () => {
    start([aRollout({ channel: 'C0WEB' })]);
    await click('U0ANA', 'approve');
    await click('U0ANA', 'approve', {}, 'ro-other|7');
    await click('U0ANA', 'approve', {}, '{"gate":"gate_1"}');
    await click('U0ANA', 'approve', { channel: { id: 'C0ELSE' } });
    expect(desk.asked.events).toEqual([]);
    await expect.poll(() => said().length).toBe(4);
  });

  it('H059 on a card of an older state are refused, and the card is repaired', async () => {
    await slack.project('ro-1');
    const before = calls.length;
    start([aRollout({ generation: 9, phase: phases()[5] as never })]);
    await click('U0ANA', 'approve');
    expect(desk.rollouts.get('ro-1')?.approvals).toEqual([]);
    await expect.poll(said).toEqual([expect.stringContaining('earlier state')]);
    await expect.poll(() => calls.slice(before).some((one) => one.path.endsWith('chat.update'))).toBe(true);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'https://hooks.slack.com.evil.test/x',
    'https://hooks.slack.com@evil.test/x',
  ])('H062-H064 never answer to %s', async (response_url) => {
    await click('U0CARO', 'approve', { response_url });
    await expect.poll(() => calls.filter((one) => one.path.endsWith('chat.postEphemeral')).length).toBe(1);
  });

  it('D2 decide, and stop the countdown, each with its own event', async () => {
    const deciding = () => aRollout({ phase: phases()[8] as never, touched: ['stg', 'prod'] });
    for (const [action, phase] of [
      ['decide:roll-back', 'rolling-back'],
      ['decide:hold', 'holding'],
      ['stop-countdown', 'deciding'],
    ] as const) {
      start([deciding()]);
      await click('U0BEN', action);
      expect(stateOf(), action).toBe(phase);
    }
    expect(desk.rollouts.get('ro-1')?.phase).toMatchObject({ countdown: null });
  });
});

describe('forms', () => {
  it('open at once for what needs a reason, and carry an address only', async () => {
    for (const id of ['reject', 'rollback', 'abort', 'decide:continue', 'decide:begin-anyway'])
      await click('U0BEN', id);
    expect(opened().map((one) => [one.callback_id, one.private_metadata])).toEqual([
      ['reject', 'ro-1|7'],
      ['rollback', 'ro-1|7'],
      ['abort', 'ro-1|7'],
      ['continue', 'ro-1|7'],
      ['begin-anyway', 'ro-1|7'],
    ]);
    expect(desk.asked.events).toEqual([]);
  });

  it('H065 are authorized when they are submitted, and stay open with the reason for a refusal', async () => {
    const answer = await submit('U0CARO', 'reject', { reason: 'no' });
    expect(JSON.parse(answer.text)).toMatchObject({
      response_action: 'errors',
      errors: { reason: expect.stringContaining('role') },
    });
    expect(stateOf()).toBe('gated');
    expect((await submit('U0BEN', 'reject', { reason: ' ' })).text).toContain('A reason is needed');
    expect((await submit('U0BEN', 'reject', { reason: 'x' }, '{"gate":"gate_2","role":"admin"}')).text).toContain(
      'does not know',
    );
    expect(await submit('U0BEN', 'reject', { reason: 'too risky' })).toEqual({ status: 200, text: '' });
    expect(stateOf()).toBe('aborted');
  });
});

describe('commands', () => {
  it('X6 answer with the plan; one confirmed click deploys exactly that, a second one nothing more', async () => {
    desk.rollouts.clear();
    const answer = JSON.parse((await slash('/deploy', 'api to prod because it is time')).text);
    expect(answer).toMatchObject({ response_type: 'ephemeral' });
    expect(desk.asked.deploys).toEqual([]);
    const value = /"value":"(\{.*?\})"/.exec(JSON.stringify(answer))?.[1]?.replaceAll('\\"', '"') ?? '';
    await Promise.all([click('U0CARO', 'confirm-deploy', {}, value), click('U0CARO', 'confirm-deploy', {}, value)]);
    await click('U0CARO', 'confirm-deploy', {}, value);
    expect(desk.asked.deploys).toMatchObject([
      { service: 'api', upTo: 'prod', because: 'it is time', release: { sha: sha('a') } },
    ]);
    const forged = JSON.stringify({ ...JSON.parse(value), planHash: 'another' });
    await click('U0CARO', 'confirm-deploy', {}, forged);
    expect(desk.asked.deploys).toHaveLength(1);
    await expect.poll(() => said().some((one) => one.includes('plan has changed'))).toBe(true);
  });

  it('deploy once when both clicks of a double click arrive before the first has committed', async () => {
    desk.rollouts.clear();
    const answer = (await slash('/deploy', 'api to prod')).text;
    const value = /"value":"(\{.*?\})"/.exec(answer)?.[1]?.replaceAll('\\"', '"') ?? '';
    const slow = Promise.withResolvers<void>();
    const { deploy } = desk;
    desk.deploy = async (request) => {
      await slow.promise;
      return deploy(request);
    };
    const first = click('U0CARO', 'confirm-deploy', {}, value);
    const second = click('U0CARO', 'confirm-deploy', {}, value);
    await expect.poll(said).toEqual([expect.stringContaining('being done already')]);
    slow.resolve();
    await Promise.all([first, second]);
    expect(desk.asked.deploys).toHaveLength(1);
  });

  it('D5 roll back after one confirmed click, while GitHub is down', async () => {
    desk.resolve = async () => ({ code: 'source-unreachable', detail: 'down' });
    const answer = (await slash('/rollback', 'api on prod because it burns')).text;
    const value = /"value":"(\{.*?\})"/.exec(answer)?.[1]?.replaceAll('\\"', '"') ?? '';
    await click('U0CARO', 'confirm-rollback', {}, value);
    expect(desk.asked.rollbacks).toMatchObject([{ service: 'api', stage: 'prod', to: null, because: 'it burns' }]);
  });

  it('are refused in a channel that is not listed, and from another workspace', async () => {
    expect((await slash('/deploy', 'status', { channel_id: 'C0ELSE' })).text).toContain('does not listen');
    expect((await slash('/deploy', 'status', { team_id: 'T0OTHER' })).text).toBe('');
    expect((await slash('/deploy', 'status')).text).toContain('Status of api');
  });
});

describe('mentions', () => {
  const mention = (text: string, eventId: string, over: object = {}) =>
    send(
      JSON.stringify({
        type: 'event_callback',
        api_app_id: 'A0BELAY',
        team_id: TEAM,
        event_id: eventId,
        event: {
          type: 'app_mention',
          user: 'U0BEN',
          text,
          channel: CHANNEL,
          ts: '1.1',
          thread_ts: '1700000001.000100',
          ...over,
        },
      }),
      'application/json',
    );

  it('X2 work in the thread of a rollout, once for each event, and never for another bot', async () => {
    start([aRollout({ phase: phases()[8] as never })]);
    await slack.project('ro-1');
    const thread = { thread_ts: posted.get('ro-1/card')?.ts };
    const answers = () => calls.filter((one) => one.path.endsWith('chat.postEphemeral'));
    await mention('<@U0BELAY> retry', 'Ev1', thread);
    await expect.poll(() => answers().length).toBe(1);
    expect(answers()[0]?.args.blocks).toContain('decide:retry');
    await mention('<@U0BELAY> retry', 'Ev1', thread);
    await mention('<@U0BELAY> retry', 'Ev2', { ...thread, bot_id: 'B1' });
    await mention('<@U0BELAY> help', 'Ev3', thread);
    await expect.poll(() => answers().length).toBe(2);
    expect(desk.asked.events).toEqual([]);
  });
});

describe('R6 what people answer to a drift', () => {
  const all = Object.fromEntries(['eu-1', 'eu-2', 'eu-3', 'eu-4'].map((id) => [id, { digest: 'sha256:other' }]));
  const drifted = () => ({ ...given(four(all)).known, service: 'api', channel: CHANNEL });
  const stateOfDrift = () => desk.known.get('eu')?.phase.is;

  beforeEach(() => {
    desk.known.set('eu', drifted());
  });

  it('T3 of two who press Fix at once one is first, and the other is told who it was', async () => {
    const value = driftAddress(drifted());
    await Promise.all([click('U0ANA', 'drift:fix', {}, value), click('U0BEN', 'drift:fix', {}, value)]);
    expect(stateOfDrift()).toBe('fixing');
    await expect.poll(said).toEqual([expect.stringMatching(/(Ana|Ben) did it 0 s ago/)]);
    expect(desk.asked.drifts.map((one) => one.act)).toEqual(['fix', 'fix']);
  });

  it('Accept asks why in a form, and takes it for exactly the state that was shown', async () => {
    const value = driftAddress(drifted());
    await click('U0ANA', 'drift:accept', {}, value);
    expect(opened().at(-1)).toMatchObject({ callback_id: 'drift:accept', private_metadata: value });
    const stale = driftAddress({ ...drifted(), generation: 0 });
    expect((await submit('U0ANA', 'drift:accept', { reason: 'a hotfix' }, stale)).text).toContain('errors');
    expect(stateOfDrift()).toBe('open');
    expect((await submit('U0ANA', 'drift:accept', { reason: 'a hotfix' }, value)).text).toBe('');
    expect(desk.known.get('eu')?.phase).toMatchObject({ end: { acceptances: [{ name: 'Ana', because: 'a hotfix' }] } });
  });

  it('Ignore asks until when, and means tomorrow on the clock of whoever asks', async () => {
    users.U0ANA = { id: 'U0ANA', team_id: TEAM, name: 'ana', tz_offset: 3600 };
    const value = driftAddress(drifted());
    await click('U0ANA', 'drift:ignore', {}, value);
    expect(JSON.stringify(opened().at(-1))).toContain('until tomorrow 09:00, your time');
    await submit('U0ANA', 'drift:ignore', { reason: 'the host is being mended', until: 'tomorrow' }, value);
    expect(desk.known.get('eu')?.phase).toMatchObject({ is: 'ignored', untilMs: Date.UTC(2026, 2, 3, 8) });
  });

  it('T15 is refused in another channel, with a made-up time, of an unknown target, and to who may not', async () => {
    const value = driftAddress(drifted());
    await click('U0ANA', 'drift:fix', { channel: { id: 'C0ELSEWHERE' } }, value);
    for (const until of ['never', '', '99h']) await submit('U0ANA', 'drift:ignore', { reason: 'abc', until }, value);
    for (const bad of [
      '',
      '[]',
      'ro-1|7',
      '["api","mars",1,1]',
      '["api","eu",1.5,1]',
      '{"a":1}',
      `["${'x'.repeat(999)}"]`,
    ]) {
      await click('U0ANA', 'drift:fix', {}, bad);
    }
    expect(desk.asked.drifts).toEqual([]);
    await click('U0CARO', 'drift:fix', {}, value);
    expect(stateOfDrift()).toBe('fixing');
    desk.known.set('eu', drifted());
    await submit('U0CARO', 'drift:accept', { reason: 'mine' }, value);
    expect(stateOfDrift()).toBe('open');
  });

  it('T13 a commit that fails changes nothing and is said', async () => {
    desk.failure = new Error('disk full');
    await click('U0ANA', 'drift:fix', {}, driftAddress(drifted()));
    await expect.poll(said).toEqual([expect.stringContaining('Nothing was changed')]);
    expect(stateOfDrift()).toBe('open');
  });

  it('the message follows in the channel of the service, and what was never known fails for good', async () => {
    expect(await slack.projectDrift('api', 'eu')).toEqual({ is: 'done' });
    expect(calls.filter((one) => one.path.endsWith('chat.postMessage'))).toHaveLength(1);
    expect(await slack.projectDrift('api', 'mars')).toMatchObject({ is: 'failed', isTerminal: true });
    desk.known.set('us', newCase('api', CHANNEL, aRecord({ target: 'us' })));
    expect(await slack.projectDrift('api', 'us')).toEqual({ is: 'done' });
  });
});
