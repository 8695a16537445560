import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App, HTTPReceiver, SocketModeReceiver } from '@slack/bolt';
import { afterEach, describe, expect, it } from 'vitest';
import { ANA, BEN, BOT_USER, CHO, DEPLOYS, MALLORY, OTHER_TEAM, TEAM } from '../../sandbox/slack/people.ts';
import type { SandboxSlack, SlackSetup } from '../../sandbox/slack/slack.ts';
import {
  APP_TOKEN,
  BOT_TOKEN,
  button,
  handClock,
  openSlack,
  plain,
  QUIET,
  SIGNING_SECRET,
  section,
} from './slack-world.ts';

type Mode = SlackSetup['mode'];
const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end();
});

/** An ordinary Bolt app, that knows nothing of a sandbox but the address of the API. */
async function start(
  mode: Mode,
  listen: (app: App) => void,
  setup: Partial<SlackSetup> = {},
  { secret = SIGNING_SECRET, comesBackAfterMs = 30_000 } = {},
): Promise<SandboxSlack> {
  const slack = await openSlack({ mode, ...setup });
  ending.push(() => slack.stop());
  const common = {
    token: BOT_TOKEN,
    logger: QUIET,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } },
  };
  if (mode === 'socket') {
    // Bolt waits for this long before it connects again.
    const receiver = new SocketModeReceiver({
      appToken: APP_TOKEN,
      logger: QUIET,
      clientPingTimeout: comesBackAfterMs,
      installerOptions: { clientOptions: common.clientOptions },
    });
    const app = new App({ ...common, receiver });
    listen(app);
    await app.start();
    ending.push(() => app.stop());
  } else {
    const receiver = new HTTPReceiver({ signingSecret: secret, logger: QUIET, endpoints: '/slack/events' });
    const app = new App({ ...common, receiver });
    listen(app);
    const server = await app.start(0);
    ending.push(() => app.stop());
    slack.setRequestUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`);
  }
  return slack;
}

const card = { type: 'actions', block_id: 'gate', elements: [button('approve', { value: 'r1:3' })] };

describe.each<Mode>(['http', 'socket'])('an unchanged Bolt app over %s', (mode) => {
  it('is sent a slash command, and its acknowledgement is shown to that person alone', async () => {
    const slack = await start(mode, (app) => {
      app.command('/deploy', ({ ack, command }) => ack(`${command.user_name} said: ${command.text}`));
    });
    const delivery = await slack.slash(ANA, DEPLOYS, '/deploy', 'plan shop');
    expect(delivery).toMatchObject({ status: 200, error: null });
    expect(delivery.ackMs).toBeLessThan(3000);
    expect(slack.ephemerals(ANA)).toMatchObject([{ text: 'ana said: plan shop', channel: DEPLOYS }]);
    expect(slack.messages(DEPLOYS)).toEqual([]);
  });

  it('is told the team of somebody from outside, in a command and in a mention', async () => {
    const seen: unknown[] = [];
    const slack = await start(mode, (app) => {
      app.command('/oncall', async ({ ack, command }) => {
        seen.push([command.text, command.team_id]);
        await ack();
      });
      app.event('app_mention', async ({ event }) => {
        seen.push([event.text, 'user_team' in event ? event.user_team : null]);
      });
    });
    await slack.slash(ANA, DEPLOYS, '/oncall', 'swap @cho for shop@main');
    await slack.slash(MALLORY, DEPLOYS, '/oncall', '');
    await slack.mention(MALLORY, DEPLOYS, 'status');
    await slack.waitFor(() => seen.length === 3);
    expect(seen).toEqual([
      ['swap @cho for shop@main', TEAM],
      ['', OTHER_TEAM],
      [`<@${BOT_USER}> status`, OTHER_TEAM],
    ]);
  });

  it('is told ids for the names in a command when its manifest asks for that', async () => {
    const seen: string[] = [];
    const listen = (app: App) =>
      app.command('/oncall', async ({ ack, command }) => {
        seen.push(command.text);
        await ack();
      });
    const slack = await start(mode, listen, { escapeCommands: true });
    await slack.slash(ANA, DEPLOYS, '/oncall', 'swap @cho for shop@main');
    expect(seen).toEqual([`swap <@${CHO}|cho> for shop@main`]);
  });

  it('is sent a click with everything it needs, and answers through the response_url', async () => {
    const clicks: unknown[] = [];
    const slack = await start(mode, (app) => {
      app.action('approve', async ({ ack, action, body, respond }) => {
        await ack();
        if (body.type !== 'block_actions') return;
        clicks.push({ action, container: body.container, channel: body.channel, ts: body.message?.ts });
        await respond({ text: 'You were first.', response_type: 'ephemeral', replace_original: false });
        await respond({ text: 'Approved', blocks: [section('Approved')], replace_original: true });
      });
    });
    const { ts } = slack.workspace.post({ channel: DEPLOYS, user: BOT_USER, text: 'card', blocks: [card] });
    await slack.click(BEN, { channel: DEPLOYS, ts }, 'approve');
    await slack.waitFor(() => slack.messages(DEPLOYS)[0]?.text === 'Approved');
    expect(clicks).toMatchObject([
      {
        action: { type: 'button', action_id: 'approve', block_id: 'gate', value: 'r1:3', text: plain('Press') },
        container: { type: 'message', message_ts: ts, channel_id: DEPLOYS, is_ephemeral: false },
        channel: { id: DEPLOYS, name: 'deploys' },
        ts,
      },
    ]);
    expect(slack.ephemerals(BEN)).toMatchObject([{ text: 'You were first.' }]);
  });

  it('opens a modal, refuses a field, and closes it when it is right', async () => {
    const view = {
      type: 'modal' as const,
      callback_id: 'deploy',
      title: plain('Deploy'),
      submit: plain('Plan'),
      blocks: [
        {
          type: 'input' as const,
          block_id: 'service',
          label: plain('Service'),
          element: {
            type: 'static_select' as const,
            action_id: 'pick',
            options: ['shop', 'search'].map((value) => ({ text: plain(value), value })),
          },
        },
        {
          type: 'input' as const,
          block_id: 'ref',
          label: plain('Ref'),
          element: { type: 'plain_text_input' as const, action_id: 'typed' },
        },
      ],
    };
    const submitted: unknown[] = [];
    const slack = await start(mode, (app) => {
      app.command('/deploy', async ({ ack, body, client }) => {
        await ack();
        await client.views.open({ trigger_id: body.trigger_id, view });
      });
      app.view('deploy', async ({ ack, view: sent }) => {
        const { values } = sent.state;
        submitted.push(values);
        if (values.ref?.typed?.value === 'mian')
          await ack({ response_action: 'errors', errors: { ref: 'Not found.' } });
        else await ack();
      });
    });
    await slack.slash(ANA, DEPLOYS, '/deploy', '');
    const open = await slack.waitFor(() => slack.views(ANA)[0]);
    const incomplete = await slack.submitView(ANA, open.id, { service: 'shop' });
    expect(incomplete).toMatchObject({ error: 'refused', body: { errors: { ref: expect.any(String) } } });
    expect(submitted).toEqual([]);
    await slack.submitView(ANA, open.id, { service: 'shop', ref: 'mian' });
    expect(slack.views(ANA)[0]?.errors).toEqual({ ref: 'Not found.' });
    await slack.submitView(ANA, open.id, { ref: 'main' });
    expect(slack.views(ANA)).toEqual([]);
    expect(submitted.at(-1)).toEqual({
      service: { pick: { type: 'static_select', selected_option: { text: plain('shop'), value: 'shop' } } },
      ref: { typed: { type: 'plain_text_input', value: 'main' } },
    });
  });

  it('changes, stacks and clears modals by what it answers, and hears of one that is closed', async () => {
    const modal = (callback_id: string) => ({
      type: 'modal' as const,
      callback_id,
      title: plain(callback_id),
      submit: plain('On'),
      notify_on_close: true,
      blocks: [section(callback_id)],
    });
    const closed: unknown[] = [];
    const slack = await start(mode, (app) => {
      app.shortcut('begin', async ({ ack, client, shortcut }) => {
        await ack();
        await client.views.open({ trigger_id: shortcut.trigger_id, view: modal('one') });
      });
      app.view('one', ({ ack }) => ack({ response_action: 'update', view: modal('two') }));
      app.view('two', ({ ack }) => ack({ response_action: 'push', view: modal('three') }));
      app.view('three', ({ ack }) => ack({ response_action: 'clear' }));
      app.view({ callback_id: 'one', type: 'view_closed' }, async ({ ack, view }) => {
        closed.push(view.callback_id);
        await ack();
      });
    });
    const top = () => slack.views(ANA).map((one) => one.spec.callback_id);
    const submitTop = () => slack.submitView(ANA, slack.views(ANA).at(-1)?.id ?? '');
    await slack.shortcut(ANA, 'begin');
    await slack.waitFor(() => slack.views(ANA).length > 0);
    await submitTop();
    expect(top()).toEqual(['two']);
    await submitTop();
    expect(top()).toEqual(['two', 'three']);
    await submitTop();
    expect(top()).toEqual([]);
    await slack.shortcut(ANA, 'begin');
    const again = await slack.waitFor(() => slack.views(ANA)[0]);
    await slack.closeView(ANA, again.id);
    expect(closed).toEqual(['one']);
  });

  it('hears a mention in a thread, and publishes a home when it is opened', async () => {
    const slack = await start(mode, (app) => {
      app.event('app_mention', ({ event, client }) =>
        client.chat
          .postMessage({ channel: event.channel, thread_ts: event.thread_ts ?? event.ts, text: event.text })
          .then(() => {}),
      );
      app.event('app_home_opened', ({ event, client }) =>
        client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [section('home')] } }).then(() => {}),
      );
    });
    const { ts } = slack.workspace.post({ channel: DEPLOYS, user: BOT_USER, text: 'card' });
    await slack.mention(ANA, DEPLOYS, 'retry', ts);
    const answer = await slack.waitFor(() => slack.thread(DEPLOYS, ts)[2]);
    expect(answer).toMatchObject({ user: BOT_USER, text: `<@${BOT_USER}> retry` });
    await slack.openHome(CHO);
    await slack.waitFor(() => slack.home(CHO));
  });

  it('that does not acknowledge in time is reported to the person, and a late answer is not shown', async () => {
    const slack = await start(
      mode,
      (app) => {
        app.command('/deploy', () => new Promise<void>(() => {}));
      },
      { ackDeadlineMs: 60 },
    );
    const delivery = await slack.slash(ANA, DEPLOYS, '/deploy', 'shop');
    expect(delivery).toMatchObject({ status: 0, error: 'timeout' });
    expect(slack.ephemerals(ANA)).toMatchObject([{ text: '/deploy failed with the error "operation_timeout"' }]);
  });

  it('is sent the last request again, the same event in it', async () => {
    const seen: string[] = [];
    const slack = await start(mode, (app) => {
      app.event('app_mention', async ({ body }) => {
        seen.push(body.event_id);
      });
    });
    await slack.mention(ANA, DEPLOYS, 'status');
    await slack.repeatLast();
    await slack.waitFor(() => seen.length === 2);
    expect(seen[1]).toBe(seen[0]);
  });
});

describe('HTTP mode', () => {
  it('signs what it sends: a Bolt app with another secret takes nothing', async () => {
    const heard: string[] = [];
    const slack = await start(
      'http',
      (app) => {
        app.command('/deploy', async ({ ack }) => {
          heard.push('deploy');
          await ack();
        });
      },
      {},
      { secret: 'another-secret' },
    );
    expect(await slack.slash(ANA, DEPLOYS, '/deploy', 'shop')).toMatchObject({ status: 401, error: 'http_error' });
    expect(heard).toEqual([]);
  });

  it('sends an event again that the bot did not take', async () => {
    const retries: unknown[] = [];
    const bot = createServer((request, response) => {
      retries.push(request.headers['x-slack-retry-num'] ?? null);
      response.writeHead(retries.length < 3 ? 500 : 200).end();
    });
    await new Promise<void>((resolve) => bot.listen(0, '127.0.0.1', () => resolve()));
    ending.push(() => new Promise((resolve) => bot.close(resolve)));
    const slack = await openSlack({
      botRequestUrl: `http://127.0.0.1:${(bot.address() as AddressInfo).port}/`,
      eventRetriesMs: [0, 1, 2],
    });
    ending.push(() => slack.stop());
    await slack.mention(ANA, DEPLOYS, 'status');
    await slack.waitFor(
      () => slack.requests.all().filter((one) => one.way === 'out' && one.status === 200).length === 1,
    );
    expect(retries).toEqual([null, '1', '2']);
  });
});

describe('Socket Mode', () => {
  it('asks the bot to come again, and the bot does', async () => {
    const listen = (app: App) => app.command('/deploy', ({ ack }) => ack('here'));
    const slack = await start('socket', listen, {}, { comesBackAfterMs: 1_500 });
    expect(slack.socket.connections).toBe(1);
    const opened = () => slack.requests.count('apps.connections.open');
    slack.socket.disconnect();
    await slack.waitFor(() => opened() >= 2 && slack.socket.connections === 1);
    expect(await slack.slash(ANA, DEPLOYS, '/deploy', '')).toMatchObject({ status: 200, body: { text: 'here' } });
  });

  it('lets nobody in without a ticket, and a ticket is good once', async () => {
    const slack = await openSlack({ mode: 'socket', ackDeadlineMs: 50 });
    ending.push(() => slack.stop());
    const opened = await fetch(`${slack.apiUrl}apps.connections.open`, {
      method: 'POST',
      headers: { authorization: `Bearer ${APP_TOKEN}` },
    });
    const { url } = (await opened.json()) as { url: string };
    const tried = (to: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(to);
        ending.push(async () => socket.close());
        socket.addEventListener('message', (event) => resolve(JSON.parse(String(event.data)).type));
        socket.addEventListener('error', () => resolve('refused'));
      });
    expect(await tried(url)).toBe('hello');
    expect(await tried(url)).toBe('refused');
    expect(await slack.slash(ANA, DEPLOYS, '/deploy', '').then((one) => one.error)).toBe('timeout');
  });
});

describe('a response_url', () => {
  it('is good five times in thirty minutes, and can delete what was clicked', async () => {
    const clock = handClock();
    const slack = await openSlack({ clock });
    ending.push(() => slack.stop());
    const message = slack.workspace.post({ channel: DEPLOYS, user: BOT_USER, text: 'card', blocks: [card] });
    const url = () => `${slack.url}/actions/${TEAM}/${slack.workspace.issueResponse(BEN, DEPLOYS, message)}`;
    const say = async (to: string, body: unknown) => {
      const response = await fetch(to, { method: 'POST', body: JSON.stringify(body) });
      return [response.status, await response.text()];
    };
    const one = url();
    for (let i = 0; i < 5; i += 1) expect(await say(one, { text: `answer ${i}` })).toEqual([200, 'ok']);
    expect(await say(one, { text: 'a sixth' })).toEqual([404, 'used_url']);
    const late = url();
    clock.pass(30 * 60_000 + 1);
    expect(await say(late, { text: 'late' })).toEqual([404, 'expired_url']);
    expect(slack.ephemerals(BEN)).toHaveLength(5);
    expect(await say(url(), { text: 'x', blocks: [{ type: 'banner' }] })).toEqual([400, 'invalid_blocks']);
    await say(url(), { delete_original: true });
    expect(slack.messages(DEPLOYS)).toEqual([]);
  });
});

describe('a person', () => {
  it('can click on a card as it was when it was read, but not on what was never there', async () => {
    const values: unknown[] = [];
    const slack = await start('http', (app) => {
      app.action('approve', async ({ ack, action }) => {
        values.push('value' in action ? action.value : null);
        await ack();
      });
    });
    const { ts } = slack.workspace.post({ channel: DEPLOYS, user: BOT_USER, text: 'card', blocks: [card] });
    const [read] = slack.messages(DEPLOYS);
    const stored = slack.workspace.find(DEPLOYS, ts);
    if (!read || !stored) throw new Error('The card is gone.');
    slack.workspace.edit(stored, { text: 'over', blocks: [] });
    await expect(slack.click(BEN, { channel: DEPLOYS, ts }, 'approve')).rejects.toThrow('nothing with the action_id');
    await slack.click(BEN, read, 'approve');
    expect(values).toEqual(['r1:3']);
  });
});
