import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ANA,
  APPROVERS,
  BEN,
  BOT_USER,
  CHO,
  DEPLOYS,
  EVE,
  MALLORY,
  PARTNERS,
  TEAM,
} from '../../sandbox/slack/people.ts';
import { SLACK_RATE_LIMITS } from '../../sandbox/slack/rate.ts';
import type { SandboxSlack, SlackSetup } from '../../sandbox/slack/slack.ts';
import { APP_TOKEN, clientOf, handClock, openSlack, plain, refusal, section } from './slack-world.ts';

let slack: SandboxSlack | null = null;
async function open(setup: Partial<SlackSetup> = {}): Promise<SandboxSlack> {
  slack = await openSlack(setup);
  return slack;
}
afterEach(async () => {
  await slack?.stop();
  slack = null;
});

const post = (where: SandboxSlack, more: Record<string, unknown> = {}) =>
  clientOf(where).chat.postMessage({ channel: DEPLOYS, text: 'words', ...more });

describe('who may call', () => {
  it('answers auth.test with the bot, and refuses an unknown token, none, and the wrong kind', async () => {
    const here = await open();
    expect(await clientOf(here).auth.test()).toMatchObject({ ok: true, user_id: BOT_USER, team_id: TEAM });
    expect((await refusal(clientOf(here, {}, 'xoxb-other').auth.test())).error).toBe('invalid_auth');
    expect((await refusal(clientOf(here, {}, '').auth.test())).error).toBe('not_authed');
    expect((await refusal(clientOf(here, {}, APP_TOKEN).auth.test())).error).toBe('not_allowed_token_type');
    expect((await refusal(clientOf(here).apps.connections.open({}))).error).toBe('not_allowed_token_type');
  });

  it('names the scope that is missing', async () => {
    expect((await refusal(clientOf(await open()).team.info())).error).toBe('missing_scope');
    const wide = await openSlack({ scopes: ['team:read'] });
    expect((await clientOf(wide).team.info()).team?.id).toBe(TEAM);
    await wide.stop();
  });

  it('answers an unknown method with 200 and unknown_method, and names what is missing', async () => {
    const here = await open();
    const response = await fetch(`${here.apiUrl}chat.shout`, { method: 'POST' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ ok: false, error: 'unknown_method' });
    expect(await refusal(clientOf(here).apiCall('chat.update', { channel: DEPLOYS }))).toEqual({
      error: 'invalid_arguments',
      messages: ['[ERROR] missing required field: ts'],
    });
  });

  it('is not for pages of other sites', async () => {
    const here = await open();
    const headers = { origin: 'http://evil.example', 'content-type': 'application/json' };
    const response = await fetch(`${here.url}/sandbox/say`, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(403);
  });
});

describe('messages', () => {
  it('posts once for one client_msg_id, however often it is sent, within the hour', async () => {
    const clock = handClock();
    const here = await open({ clock });
    const client_msg_id = randomUUID();
    const first = await post(here, { client_msg_id });
    const second = await post(here, { client_msg_id });
    expect(second.ts).toBe(first.ts);
    expect(here.messages(DEPLOYS)).toHaveLength(1);
    expect(here.requests.count('chat.postMessage')).toBe(2);
    await clientOf(here).chat.delete({ channel: DEPLOYS, ts: first.ts ?? '' });
    expect((await refusal(post(here, { client_msg_id }))).error).toBe('duplicate_message_not_found');
    clock.pass(61 * 60_000);
    expect((await post(here, { client_msg_id })).ts).not.toBe(first.ts);
    expect((await refusal(post(here, { client_msg_id: 'mine' }))).error).toBe('invalid_arguments');
  });

  it('keeps what an update leaves out, and refuses to edit what is not there or not its own', async () => {
    const here = await open();
    const { ts = '' } = await post(here, { blocks: [section('one')] });
    await clientOf(here).chat.update({ channel: DEPLOYS, ts, text: 'edited' });
    expect(here.messages(DEPLOYS)[0]).toMatchObject({ text: 'edited', edits: 1, blocks: [{ text: { text: 'one' } }] });
    const { message } = await here.say(ANA, DEPLOYS, 'mine');
    const update = (of: string) => refusal(clientOf(here).chat.update({ channel: DEPLOYS, ts: of, text: 'x' }));
    expect((await update('1.000001')).error).toBe('message_not_found');
    expect((await update(message.ts)).error).toBe('cant_update_message');
  });

  it('puts replies into an existing thread only, and broadcasts when asked', async () => {
    const here = await open();
    const root = (await post(here)).ts ?? '';
    await post(here, { thread_ts: root, text: 'quiet' });
    await post(here, { thread_ts: root, text: 'loud', reply_broadcast: true });
    expect(here.thread(DEPLOYS, root).map((one) => one.text)).toEqual(['words', 'quiet', 'loud']);
    expect(here.messages(DEPLOYS).map((one) => one.text)).toEqual(['words', 'loud']);
    expect((await refusal(post(here, { thread_ts: '1.000001' }))).error).toBe('thread_not_found');
  });

  it('refuses empty, endless and misplaced ones', async () => {
    const here = await open();
    expect((await refusal(post(here, { text: '' }))).error).toBe('no_text');
    expect((await refusal(post(here, { text: 'x'.repeat(40_001) }))).error).toBe('msg_too_long');
    expect((await refusal(post(here, { channel: 'C404' }))).error).toBe('channel_not_found');
    const deploys = here.workspace.channels.get(DEPLOYS);
    if (deploys) deploys.members = [ANA];
    expect((await refusal(post(here))).error).toBe('not_in_channel');
    if (deploys) deploys.archived = true;
    expect((await refusal(post(here))).error).toBe('is_archived');
  });

  it('shows an ephemeral message to one person, who must be in the channel', async () => {
    const here = await open();
    const whisper = (user: string) => clientOf(here).chat.postEphemeral({ channel: DEPLOYS, user, text: 'psst' });
    await whisper(BEN);
    expect(here.ephemerals(BEN).map((one) => one.text)).toEqual(['psst']);
    expect(here.messages(DEPLOYS)).toEqual([]);
    expect((await refusal(whisper(MALLORY))).error).toBe('user_not_in_channel');
  });

  it('writes to a person directly, always in the same channel', async () => {
    const here = await open();
    const first = await clientOf(here).conversations.open({ users: ANA });
    const second = await clientOf(here).conversations.open({ users: ANA });
    expect(second.channel?.id).toBe(first.channel?.id);
    expect((await post(here, { channel: ANA })).channel).toBe(first.channel?.id);
  });

  it('gives a permalink that opens the page there', async () => {
    const here = await open();
    const { ts = '' } = await post(here);
    const { permalink = '' } = await clientOf(here).chat.getPermalink({ channel: DEPLOYS, message_ts: ts });
    expect(await (await fetch(permalink)).text()).toContain('words');
  });
});

describe('people, groups and channels', () => {
  it('tells guests and externals apart, and lists a group', async () => {
    const client = clientOf(await open());
    expect((await client.users.info({ user: EVE })).user?.is_restricted).toBe(true);
    expect((await client.users.info({ user: MALLORY })).user).toMatchObject({ is_stranger: true });
    expect((await refusal(client.users.info({ user: 'U404' }))).error).toBe('user_not_found');
    expect((await client.usergroups.users.list({ usergroup: APPROVERS })).users).toEqual([BEN, CHO]);
    expect((await client.conversations.info({ channel: PARTNERS })).channel?.is_ext_shared).toBe(true);
  });

  it('pages through long lists', async () => {
    const client = clientOf(await open());
    const first = await client.conversations.list({ limit: 2 });
    const cursor = first.response_metadata?.next_cursor ?? '';
    const second = await client.conversations.list({ limit: 2, cursor });
    expect([...(first.channels ?? []), ...(second.channels ?? [])].map((one) => one.name)).toEqual([
      'deploys',
      'shop',
      'partners',
    ]);
    expect(second.response_metadata?.next_cursor).toBe('');
  });
});

describe('files', () => {
  it('takes an upload in three steps and shows the file in the thread', async () => {
    const here = await open();
    const { ts = '' } = await post(here);
    const file = Buffer.from('a,b\n1,2\n');
    await clientOf(here).filesUploadV2({
      channel_id: DEPLOYS,
      thread_ts: ts,
      file,
      filename: 'evidence.txt',
      title: 'Evidence',
    });
    const stored = here.thread(DEPLOYS, ts)[1]?.files[0];
    expect(stored).toMatchObject({ name: 'evidence.txt', title: 'Evidence' });
    expect(Buffer.from(stored?.bytes ?? []).toString()).toBe(file.toString());
  });
});

describe('views', () => {
  const modal = (title = 'Deploy') => ({ type: 'modal' as const, title: plain(title), blocks: [section('x')] });

  it('opens with a trigger once, within three seconds', async () => {
    const clock = handClock();
    const here = await open({ clock });
    const opening = (trigger_id: string) => clientOf(here).views.open({ trigger_id, view: modal() });
    const good = here.workspace.issueTrigger(ANA);
    await opening(good);
    expect(here.views(ANA)).toHaveLength(1);
    expect((await refusal(opening(good))).error).toBe('exchanged_trigger_id');
    expect((await refusal(opening('1.2.3'))).error).toBe('invalid_trigger_id');
    const late = here.workspace.issueTrigger(ANA);
    clock.pass(3001);
    expect((await refusal(opening(late))).error).toBe('expired_trigger_id');
  });

  it('refuses a title over 24 characters, private metadata over 3000, and 101 blocks', async () => {
    const here = await open();
    const refused = async (view: Record<string, unknown>) =>
      refusal(clientOf(here).apiCall('views.open', { trigger_id: here.workspace.issueTrigger(ANA), view }));
    expect((await refused(modal('x'.repeat(25)))).messages[0]).toContain('/view/title/text');
    expect((await refused({ ...modal(), private_metadata: 'x'.repeat(3001) })).messages[0]).toContain(
      'private_metadata',
    );
    expect((await refused({ ...modal(), blocks: Array(101).fill({ type: 'divider' }) })).error).toBe(
      'invalid_arguments',
    );
    expect(here.views(ANA)).toEqual([]);
  });

  it('updates by id with the hash that it gave, stacks three, and publishes a home', async () => {
    const here = await open();
    const client = clientOf(here);
    const opened = await client.views.open({ trigger_id: here.workspace.issueTrigger(ANA), view: modal() });
    const view_id = opened.view?.id ?? '';
    const stale = client.views.update({ view_id, hash: '1.old', view: modal('New') });
    expect((await refusal(stale)).error).toBe('hash_conflict');
    await client.views.update({ view_id, hash: opened.view?.hash ?? '', view: modal('New') });
    expect(here.views(ANA)[0]?.spec).toMatchObject({ title: { text: 'New' } });
    const push = () => client.views.push({ trigger_id: here.workspace.issueTrigger(ANA), view: modal() });
    await push();
    await push();
    expect((await refusal(push())).error).toBe('push_limit_reached');
    await client.views.publish({ user_id: BEN, view: { type: 'home', blocks: [section('hello')] } });
    expect(here.home(BEN)?.spec.blocks).toMatchObject([{ text: { text: 'hello' } }]);
    expect(here.home(ANA)).toBeNull();
  });
});

describe('how Slack fails', () => {
  it('rate-limits with Retry-After for as many calls as were asked for', async () => {
    const here = await open();
    here.faults.add({ method: 'chat.postMessage', kind: 'rate-limited', retryAfterSec: 7, count: 1 });
    await expect(post(here)).rejects.toMatchObject({ code: 'slack_webapi_rate_limited_error', retryAfter: 7 });
    expect((await post(here)).ok).toBe(true);
  });

  it('answers 500 and forgets the call', async () => {
    const here = await open();
    here.faults.add({ kind: 'server-error' });
    await expect(post(here)).rejects.toMatchObject({ statusCode: 500 });
    here.faults.clear();
    expect(here.messages(DEPLOYS)).toEqual([]);
  });

  it.each([
    ['timeout-before', 0],
    ['timeout-after', 1],
    ['reset-before', 0],
    ['reset-after', 1],
    ['outage', 0],
  ] as const)('%s leaves %i messages behind', async (kind, left) => {
    const here = await open();
    here.faults.add({ method: 'chat.postMessage', kind, count: 1 });
    const call = clientOf(here, { timeout: 300 }).chat.postMessage({ channel: DEPLOYS, text: 'words' });
    await expect(call).rejects.toMatchObject({ code: 'slack_webapi_request_error' });
    expect(here.messages(DEPLOYS)).toHaveLength(left);
  });

  it('is switched over HTTP, too, and refuses a fault that does not exist', async () => {
    const here = await open();
    const send = (body: unknown) =>
      fetch(`${here.url}/sandbox/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await send({ kind: 'outage' })).status).toBe(200);
    expect(here.faults.list()).toMatchObject([{ method: '*', kind: 'outage' }]);
    expect((await send({ kind: 'sulk' })).status).toBe(400);
    await fetch(`${here.url}/sandbox/faults`, { method: 'DELETE' });
    expect(here.faults.list()).toEqual([]);
  });

  it('limits posts to about one a second in a channel, with a burst, when asked to', async () => {
    const clock = handClock();
    const here = await open({ clock, rateLimits: { ...SLACK_RATE_LIMITS, channelBurst: 2 } });
    await post(here);
    await post(here);
    await expect(post(here)).rejects.toMatchObject({ retryAfter: 1 });
    expect((await post(here, { channel: PARTNERS })).ok).toBe(true);
    clock.pass(1000);
    expect((await post(here)).ok).toBe(true);
  });

  it('never writes a token into its log', async () => {
    const here = await open();
    await fetch(`${here.apiUrl}auth.test`, { method: 'POST', body: new URLSearchParams({ token: 'xoxb-sandbox' }) });
    expect(JSON.stringify(here.requests.all())).not.toContain('xoxb-sandbox');
  });
});
