import type { IncomingMessage, ServerResponse } from 'node:http';
import { App, webApi } from '@slack/bolt';
import type { Announcement } from '../core/effect.ts';
import type { Person } from '../core/pipeline.ts';
import type { Phase, Rollout } from '../core/rollout.ts';
import { type Actors, createActors } from './actor.ts';
import { createBudget } from './budget.ts';
import type { Desk } from './desk.ts';
import type { Replays } from './guard.ts';
import { createHttpReceiver } from './http-receiver.ts';
import { listen } from './listeners.ts';
import { boltLogger, type Log } from './log.ts';
import type { OutputAnswer, Posted } from './messenger.ts';
import { createOutput } from './output.ts';
import { createGallery, type Pictures } from './pictures.ts';
import { createSocket } from './socket.ts';
import { createTell } from './tell.ts';
import type { Extra } from './views/card.ts';
import { etaOf } from './views/eta.ts';
import { clientRules, createUpload, createWeb } from './web.ts';

export type SlackParts = {
  /** The bot's token. */
  token: string;
  mode: 'socket' | 'http';
  /** For `http`; at least 16 characters. */
  signingSecret: string | null;
  /** For `socket`. */
  appToken: string | null;
  /** Another Slack than Slack's own (the sandbox), ending in `/api/`; null: Slack's. */
  apiUrl: string | null;
  teamId: string;
  appId: string | null;
  channels: string[];
  people: Person[];
  /** Hosts, besides a release's own, that messages may link to. */
  linkHosts: string[];
  desk: Desk;
  posted: Posted;
  /** null: no pictures are drawn. */
  pictures: Pictures | null;
  replays: Replays;
  clock: () => number;
  log: Log;
};

export type Slack = {
  /** Rejects when Slack refuses the credentials; what may pass by itself is tried again in the background. */
  start(): Promise<void>;
  /** Takes nothing more, and waits for what is being done. */
  stop(): Promise<void>;
  /** For `POST /slack/events`; null in Socket Mode. Never throws. */
  httpHandler: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  /** Makes the channel show the rollout's newest state. */
  project(rolloutId: string): Promise<OutputAnswer>;
  announce(key: string, rolloutId: string, what: Announcement, phase: Phase): Promise<OutputAnswer>;
  page(key: string, rolloutId: string, page: { who: string; phase: Phase; round: number }): Promise<OutputAnswer>;
  /** Makes the channel show what is known of a target that drifted. */
  projectDrift(service: string, target: string): Promise<OutputAnswer>;
} & Actors;

const STOP_WITHIN_MS = 5_000;
const HISTORY_FOR_ETA = 50;

/** Belay in one Slack workspace: listens, asks the desk, and shows rollouts. Reads no environment. */
export function createSlack(parts: SlackParts): Slack {
  const { desk, log, posted, clock, apiUrl } = parts;
  if (parts.token === '') throw new Error('The Slack bot token is empty. Copy it from the app’s “Install App” page.');
  const web = createWeb(new webApi.WebClient(parts.token, { ...clientRules(apiUrl), logger: boltLogger(log) }));
  const upload = createUpload({ apiUrl, fetch });
  const gallery = parts.pictures
    ? createGallery({ web, upload, pictures: parts.pictures, budget: createBudget(clock), clock, log })
    : null;
  const output = createOutput({ web, posted, clock, ...(gallery ? { gallery } : {}) });
  const actors = createActors({ web, teamId: parts.teamId, people: parts.people, clock });
  const running = new Set<Promise<unknown>>();

  const transport = transportOf(parts);
  const app = new App({
    receiver: transport.receiver,
    // One workspace with one token: nothing is looked up for a request, so nothing can fail open.
    authorize: async () => ({ botToken: parts.token }),
    clientOptions: clientRules(apiUrl),
    logger: boltLogger(log),
    convoStore: false,
    ignoreSelf: false,
    attachFunctionToken: false,
  });
  app.use(async ({ next }) => {
    const work = next();
    running.add(work);
    try {
      await work;
    } finally {
      running.delete(work);
    }
  });

  async function extraOf(rollout: Rollout): Promise<Extra> {
    const history = await desk.history(rollout.service, HISTORY_FOR_ETA);
    const extra = { people: parts.people, hosts: parts.linkHosts, eta: etaOf(rollout, history), nowMs: clock() };
    const isAsked = rollout.phase.is === 'deciding' || rollout.phase.is === 'holding';
    return isAsked ? { ...extra, past: await desk.past(rollout) } : extra;
  }

  async function withRollout(id: string, show: (rollout: Rollout, extra: Extra) => Promise<OutputAnswer>) {
    const rollout = await desk.rollout(id);
    if (!rollout) return { is: 'failed' as const, isTerminal: true, detail: `There is no rollout ${id} to show` };
    return show(rollout, await extraOf(rollout));
  }

  const project = (rolloutId: string) => withRollout(rolloutId, (rollout, extra) => output.project(rollout, extra));

  async function projectDrift(service: string, target: string): Promise<OutputAnswer> {
    const known = await desk.drift(service, target);
    if (!known) return { is: 'failed', isTerminal: true, detail: `Nothing is known of ${service} on ${target}` };
    const { rolloutId } = known.recorded;
    const rollout = await desk.rollout(rolloutId);
    if (!rollout)
      return output.projectDrift(known, { is: rolloutId.startsWith('drift:') ? 'accepted' : 'unknown', by: null });
    const { by, name } = rollout.request;
    return output.projectDrift(known, { is: rollout.kind, by: by.kind === 'belay' ? null : name });
  }

  const inBackground = (work: Promise<OutputAnswer>): void => {
    work.catch((error: unknown) => {
      log.warn({ error: error instanceof Error ? error.message : 'unknown' }, 'A card could not be repaired');
    });
  };

  listen(app, {
    desk,
    actors,
    web,
    tell: createTell({ web, apiUrl, log, fetch }),
    people: parts.people,
    teamId: parts.teamId,
    appId: parts.appId,
    channels: parts.channels,
    replays: parts.replays,
    log,
    repair: (rolloutId) => inBackground(project(rolloutId)),
    repairDrift: (service, target) => inBackground(projectDrift(service, target)),
    rolloutOfThread: async (channel, threadTs) => {
      for (const rollout of await desk.live(null)) {
        if (rollout.channel !== channel) continue;
        if ((await posted.get(`${rollout.id}/card`))?.ts === threadTs) return rollout;
      }
      return null;
    },
  });

  return {
    start: transport.start,
    stop: async () => {
      await transport.stop();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, STOP_WITHIN_MS);
      await Promise.race([Promise.allSettled(running), promise]);
      clearTimeout(timer);
    },
    httpHandler: transport.handle,
    project,
    projectDrift,
    announce: (key, rolloutId, what, phase) =>
      withRollout(rolloutId, (rollout, extra) => output.announce(key, rollout, what, phase, extra)),
    page: (key, rolloutId, page) => withRollout(rolloutId, (rollout, extra) => output.page(key, rollout, page, extra)),
    ...actors,
  };
}

function transportOf(parts: SlackParts) {
  if (parts.mode === 'socket') {
    if (!parts.appToken) throw new Error('Socket Mode needs Slack’s app token (xapp-…), and it is empty.');
    const socket = createSocket({ appToken: parts.appToken, apiUrl: parts.apiUrl, log: parts.log });
    return { receiver: socket.receiver, start: socket.start, stop: socket.stop, handle: null };
  }
  const { clock, replays, log } = parts;
  const receiver = createHttpReceiver({ signingSecret: parts.signingSecret ?? '', clock, replays, log });
  return { receiver, start: async () => {}, stop: async () => {}, handle: receiver.handle };
}
