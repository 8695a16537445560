import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Dispatcher } from './dispatcher.ts';
import { Faults } from './faults.ts';
import { copyOf } from './fields.ts';
import { type Clickable, type ClickOptions, Gestures } from './gestures.ts';
import { type Delivery, httpLine } from './line.ts';
import type { Outlook } from './page/outlook.ts';
import { type Channel, defaultChannels, defaultGroups, defaultMembers, type Group, type Member } from './people.ts';
import { RateLimiter, type RateLimits } from './rate.ts';
import { RequestLog } from './request-log.ts';
import { createHandler } from './server.ts';
import { SocketMode } from './socket-mode.ts';
import { WebApi } from './web-api.ts';
import { type Clock, type Message, type View, Workspace } from './workspace.ts';

/** What the bot's app may do, as Belay's manifest asks for it. */
export const BELAY_SCOPES: readonly string[] = [
  'commands',
  'chat:write',
  'app_mentions:read',
  'users:read',
  'usergroups:read',
  'channels:read',
  'groups:read',
  'im:write',
  'files:write',
];

const LOOK_EVERY_MS = 50;
const GIVE_UP_AFTER_MS = 120_000;

export type SlackSetup = Outlook & {
  mode: 'http' | 'socket';
  signingSecret: string;
  botToken: string;
  appToken: string;
  /** 0 or left out: any free port. */
  port?: number;
  /** Where the bot listens in HTTP mode; can be set later. */
  botRequestUrl?: string;
  scopes?: readonly string[];
  members?: Member[];
  channels?: Channel[];
  groups?: Group[];
  clock?: Clock;
  /** How long the bot has to acknowledge; Slack gives 3 s. */
  ackDeadlineMs?: number;
  /** How long a trigger_id is good; Slack gives 3 s. */
  triggerLifeMs?: number;
  /** How long a file is looked through before a block may show it; default 0. */
  fileScanMs?: number;
  /** null (default): no limits. `SLACK_RATE_LIMITS` for Slack's own. */
  rateLimits?: RateLimits | null;
  /** When an event that failed is sent again; Slack: at once, after 1 minute, after 5. */
  eventRetriesMs?: readonly number[];
  /** Whether `@name` in a command arrives as `<@id|name>`: `should_escape` in the manifest. Default: no. */
  escapeCommands?: boolean;
};

/** A Slack workspace on this machine. All that it hands out are copies, except `workspace` itself. */
export type SandboxSlack = {
  /** The page to click in. */
  url: string;
  /** What the bot takes for Slack's API; ends in a slash. */
  apiUrl: string;
  workspace: Workspace;
  faults: Faults;
  requests: RequestLog;
  /** What stands in a channel, oldest first: roots, and replies that were broadcast. */
  messages(channel: string): Message[];
  /** A thread: its root and its replies. */
  thread(channel: string, ts: string): Message[];
  ephemerals(user: string): Message[];
  /** The modals before a person, the one on top last. */
  views(user: string): View[];
  home(user: string): View | null;
  slash(user: string, channel: string, command: string, text: string): Promise<Delivery>;
  click(user: string, on: Clickable, actionId: string, options?: ClickOptions): Promise<Delivery>;
  submitView: Gestures['submitView'];
  closeView: Gestures['closeView'];
  /** Writes a message; one with `@belay` in it reaches the bot. */
  say: Gestures['say'];
  /** Writes `@belay <text>`, in a thread if one is named. */
  mention(user: string, channel: string, text: string, threadTs?: string | null): Promise<Delivery>;
  openHome(user: string): Promise<Delivery>;
  shortcut: Gestures['shortcut'];
  /** Sends the last request to the bot once more, the same ids in it. */
  repeatLast(): Promise<Delivery>;
  setRequestUrl(url: string): void;
  /** Open Socket Mode connections; how to refresh them, and how to cut them. */
  socket: Pick<SocketMode, 'disconnect' | 'cut'> & { readonly connections: number };
  /**
   * The first answer that is neither null, undefined nor false; looked for again after each change, and now and then: what
   * is waited for may be somewhere else than in Slack. The time only ends a wait that would never end.
   */
  waitFor<T>(look: () => T | null | undefined | false, timeoutMs?: number): Promise<T>;
  stop(): Promise<void>;
};

/** Starts a workspace on 127.0.0.1. */
export async function startSlack(setup: SlackSetup): Promise<SandboxSlack> {
  for (const key of ['signingSecret', 'botToken', 'appToken'] as const) {
    if (!setup[key]) throw new Error(`The sandbox's Slack needs a ${key}; found none. Any text will do.`);
  }
  const clock = setup.clock ?? { now: () => Date.now() };
  const ackDeadlineMs = setup.ackDeadlineMs ?? 3000;
  const workspace = new Workspace({
    members: setup.members ?? defaultMembers(),
    channels: setup.channels ?? defaultChannels(),
    groups: setup.groups ?? defaultGroups(),
    clock,
    triggerLifeMs: setup.triggerLifeMs ?? 3000,
    fileScanMs: setup.fileScanMs ?? 0,
  });
  const changed = () => workspace.changed();
  const server = createServer();
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const socket = new SocketMode(ackDeadlineMs, changed);
  const faults = new Faults(() => {
    if (faults.outage) socket.cut();
    changed();
  });
  const requests = new RequestLog();
  let requestUrl = setup.botRequestUrl ?? null;
  const line =
    setup.mode === 'socket'
      ? socket
      : httpLine({ requestUrl: () => requestUrl, signingSecret: setup.signingSecret, clock, ackDeadlineMs });
  const eventRetriesMs = setup.eventRetriesMs ?? [0, 60_000, 300_000];
  const dispatcher = new Dispatcher({ workspace, line, log: requests, eventRetriesMs });
  const gestures = new Gestures({ workspace, dispatcher, url, escapeCommands: setup.escapeCommands ?? false });
  const api = new WebApi({
    workspace,
    faults,
    rate: new RateLimiter(setup.rateLimits ?? null),
    log: requests,
    botToken: setup.botToken,
    appToken: setup.appToken,
    scopes: setup.scopes ?? BELAY_SCOPES,
    url,
    socketUrl: () => `${url().replace('http:', 'ws:')}/link?ticket=${socket.issueTicket()}&app_id=sandbox`,
  });

  const slack: SandboxSlack = {
    url: '',
    apiUrl: '',
    workspace,
    faults,
    requests,
    socket,
    messages: (channel) =>
      workspace.posted.filter((one) => one.channel === channel && (!one.threadTs || one.broadcast)).map(copyOf),
    thread: (channel, ts) =>
      workspace.posted.filter((one) => one.channel === channel && (one.ts === ts || one.threadTs === ts)).map(copyOf),
    ephemerals: (user) => workspace.ephemerals.filter((one) => one.onlyFor === user).map(copyOf),
    views: (user) => workspace.stack(user).map(copyOf),
    home: (user) => copyOf(workspace.homes.get(user) ?? null),
    slash: (user, channel, command, text) => gestures.slash(user, channel, command, text),
    click: (user, on, actionId, options) => gestures.click(user, on, actionId, options),
    submitView: (user, viewId, values) => gestures.submitView(user, viewId, values),
    closeView: (user, viewId, all) => gestures.closeView(user, viewId, all),
    say: (user, channel, text, threadTs) => gestures.say(user, channel, text, threadTs),
    mention: async (user, channel, text, threadTs = null) => {
      const { delivery } = await gestures.say(user, channel, `@belay ${text}`, threadTs);
      if (!delivery) throw new Error(`A mention in ${channel} does not reach the bot: it is a direct message.`);
      return delivery;
    },
    openHome: (user) => gestures.openHome(user),
    shortcut: (user, callbackId, on) => gestures.shortcut(user, callbackId, on),
    repeatLast: () => dispatcher.repeatLast(),
    setRequestUrl: (to) => {
      requestUrl = to;
    },
    waitFor: (look, timeoutMs = GIVE_UP_AFTER_MS) => waitFor(workspace, look, timeoutMs),
    stop: async () => {
      dispatcher.stop();
      socket.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };

  const handler = createHandler({ slack, api, outlook: setup, url });
  server.on('request', handler);
  server.on('upgrade', (request, wire, head) => {
    const target = new URL(request.url ?? '/', 'http://sandbox');
    if (target.pathname !== '/link' || faults.outage) wire.destroy();
    else socket.accept(target.searchParams.get('ticket') ?? '', request, wire, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(setup.port ?? 0, '127.0.0.1', () => resolve());
  });
  slack.url = url();
  slack.apiUrl = `${url()}/api/`;
  return slack;
}

function waitFor<T>(workspace: Workspace, look: () => T | null | undefined | false, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      stopListening();
      clearInterval(looking);
      clearTimeout(late);
    };
    const tryNow = () => {
      try {
        const found = look();
        if (found === null || found === undefined || found === false) return;
        end();
        resolve(found);
      } catch (error) {
        end();
        reject(error);
      }
    };
    const stopListening = workspace.onChange(tryNow);
    const looking = setInterval(tryNow, LOOK_EVERY_MS);
    const late = setTimeout(() => {
      end();
      reject(new Error(`Nothing that was waited for happened in Slack within ${timeoutMs} ms.`));
    }, timeoutMs);
    tryNow();
  });
}
