import type { App } from '@slack/bolt';
import { authorize } from '../core/authorize.ts';
import type { Person, ServiceSpec } from '../core/pipeline.ts';
import type { Actor } from '../core/principal.ts';
import type { Rollout } from '../core/rollout.ts';
import type { Click } from './actions/click.ts';
import { BUTTONS, ONLY_SHOWS, SUBMISSIONS } from './actions/index.ts';
import type { Actors } from './actor.ts';
import { guarded, guardedReply, soon } from './answering.ts';
import type { Asking } from './commands/asking.ts';
import { runCommand, runMention } from './commands/index.ts';
import type { Desk } from './desk.ts';
import type { Replays } from './guard.ts';
import { type Log, withoutSecrets } from './log.ts';
import { fieldOf, isOurs, readClick, readCommand, readMention, readSubmission } from './request.ts';
import type { Ear, Tell } from './tell.ts';
import type { Message } from './views/block.ts';
import { plain } from './views/escape.ts';
import { refusalOf, refusalSentence } from './views/refusal.ts';
import type { Web } from './web.ts';

const EVENT_REMEMBERED_MS = 3_600_000;

export type ListenerParts = {
  desk: Desk;
  actors: Actors;
  web: Web;
  tell: Tell;
  people: Person[];
  teamId: string;
  appId: string | null;
  /** Channels that are listened to; those of the services are always among them. */
  channels: string[];
  replays: Replays;
  log: Log;
  repair: (rolloutId: string) => void;
  repairDrift: (service: string, target: string) => void;
  rolloutOfThread: (channel: string, threadTs: string) => Promise<Rollout | null>;
};

/** What every listener does: verify the origin, read, do (the commit is inside), acknowledge, answer. */
export function listen(app: App, parts: ListenerParts): void {
  const { desk, log } = parts;

  app.use(async ({ body, next, ...args }) => {
    if (isOurs(body, parts)) return next();
    log.warn({}, 'A request of another app or workspace was dropped');
    if ('ack' in args && typeof args.ack === 'function') await args.ack();
  });

  app.command(/.*/, async ({ body, ack }) => {
    const said = readCommand(body);
    const ear: Ear = {
      responseUrl: said.response_url ?? null,
      channel: said.channel_id,
      user: said.user_id,
      threadTs: null,
      isEphemeral: false,
    };
    const work = guarded(log, async () => {
      const refused = await refusedToLook(parts, said.user_id, null, said.channel_id);
      if (refused) return refused;
      const asking = askingOf(parts, said.user_id, null, said.channel_id, said.trigger_id ?? null, null);
      return runCommand(said.command, said.text ?? '', asking);
    });
    const early = await soon(work);
    if (early.isLate) {
      await ack();
      const message = await work;
      if (message) await parts.tell(ear, message, true);
    } else {
      await ack(early.value ? { response_type: 'ephemeral', ...early.value } : undefined);
    }
  });

  app.action({ type: 'block_actions' }, async ({ body, ack }) => {
    const clicked = readClick(body);
    const [action] = clicked.actions;
    const act = action ? BUTTONS.get(action.action_id) : undefined;
    if (!action || !act) return ack();
    const channel = clicked.channel?.id ?? clicked.container?.channel_id ?? null;
    const ear: Ear = {
      responseUrl: clicked.response_url ?? null,
      channel,
      user: clicked.user.id,
      threadTs: null,
      isEphemeral: clicked.container?.is_ephemeral === true,
    };
    const team = clicked.user.team_id ?? null;
    const work = guardedReply(log, async () => {
      const isShown = ONLY_SHOWS.has(action.action_id);
      const refused = isShown
        ? await refusedToLook(parts, clicked.user.id, team, channel)
        : refusedChannel(parts, channel);
      if (refused) return { message: refused, isError: true, channel: null };
      const click = clickOf(parts, {
        user: clicked.user.id,
        team,
        channel,
        value: action.value ?? '',
        triggerId: clicked.trigger_id ?? null,
        field: () => null,
      });
      return act(click);
    });
    await soon(work);
    await ack();
    const reply = await work;
    if (reply) await parts.tell(ear, reply.message, reply.isError);
  });

  app.view(/.*/, async ({ body, ack }) => {
    if (body.type !== 'view_submission') return ack();
    const submitted = readSubmission(body);
    const act = SUBMISSIONS.get(submitted.view.callback_id);
    if (!act) return ack();
    const work = guardedReply(log, () =>
      act(
        clickOf(parts, {
          user: submitted.user.id,
          team: submitted.user.team_id ?? null,
          channel: null,
          value: submitted.view.private_metadata,
          triggerId: null,
          field: (block) => fieldOf(submitted, block),
        }),
      ),
    );
    const early = await soon(work);
    if (!early.isLate && early.value?.isError) {
      const sentence = plain(early.value.message.text, 500);
      return ack({ response_action: 'errors', errors: { reason: sentence } });
    }
    await ack();
    const reply = await work;
    if (!reply || !isListed(parts, reply.channel)) return;
    const ear: Ear = {
      responseUrl: null,
      channel: reply.channel,
      user: submitted.user.id,
      threadTs: null,
      isEphemeral: false,
    };
    await parts.tell(ear, reply.message, reply.isError);
  });

  app.event('app_mention', async ({ body }) => {
    const { event, event_id } = readMention(body);
    // Another bot is never answered: two bots would not stop.
    if (event.bot_id !== undefined || !isListed(parts, event.channel)) return;
    if (event_id && (await parts.replays.seen(`event:${event_id}`, desk.now() + EVENT_REMEMBERED_MS))) return;
    const threadTs = event.thread_ts ?? null;
    const ear: Ear = { responseUrl: null, channel: event.channel, user: event.user, threadTs, isEphemeral: false };
    const message = await guarded(log, async () => {
      const refused = await refusedToLook(parts, event.user, event.user_team ?? null, event.channel);
      if (refused) return refused;
      const rollout = threadTs === null ? null : await parts.rolloutOfThread(event.channel, threadTs);
      return runMention(event.text, askingOf(parts, event.user, event.user_team ?? null, event.channel, null, rollout));
    });
    if (message) await parts.tell(ear, message, true);
  });

  app.error(async (error) => {
    log.error({ error: withoutSecrets(error.message) }, 'A request from Slack could not be handled');
    throw error;
  });
}

function isListed(parts: ListenerParts, channel: string | null): channel is string {
  if (channel === null) return false;
  return parts.channels.includes(channel) || parts.desk.services().some((one) => one.channel === channel);
}

function refusedChannel(parts: ListenerParts, channel: string | null): Message | null {
  return isListed(parts, channel)
    ? null
    : refusalOf(
        'Belay does not listen in this channel. Use the channel of the service, or have this one added to the configuration.',
      );
}

/** Whoever may not even look: in a channel that is not listed, a guest, somebody who cannot be verified. */
async function refusedToLook(
  parts: ListenerParts,
  user: string,
  team: string | null,
  channel: string | null,
): Promise<Message | null> {
  const elsewhere = refusedChannel(parts, channel);
  if (elsewhere) return elsewhere;
  const allowed = authorize(await parts.actors.actorOf(user, team, null), 'look');
  return allowed.allowed ? null : refusalOf(refusalSentence(allowed.refusal, parts.desk.now()));
}

function askingOf(
  parts: ListenerParts,
  user: string,
  team: string | null,
  channel: string,
  triggerId: string | null,
  rollout: Rollout | null,
): Asking {
  const own = parts.desk.services().filter((one) => one.channel === channel);
  return {
    desk: parts.desk,
    people: parts.people,
    actorFor: (service: ServiceSpec | null): Promise<Actor> => parts.actors.actorOf(user, team, service),
    channel,
    // A channel that several services share is none's own.
    bound: own.length === 1 ? (own[0] ?? null) : null,
    rollout,
    open: triggerId === null ? null : (modal) => open(parts.web, triggerId, modal),
  };
}

async function open(web: Web, triggerId: string, view: object): Promise<void> {
  const answer = await web.call('views.open', { trigger_id: triggerId, view });
  if (answer.is !== 'ok') throw new Error('Slack did not open the form in time. Nothing was done; try again.');
}

function clickOf(
  parts: ListenerParts,
  click: {
    user: string;
    team: string | null;
    channel: string | null;
    value: string;
    triggerId: string | null;
    field: (block: string) => string | null;
  },
): Click {
  const { user, team, channel, triggerId } = click;
  return {
    desk: parts.desk,
    people: parts.people,
    actorFor: (service) => parts.actors.actorOf(user, team, service),
    value: click.value,
    channel,
    field: click.field,
    open: async (modal) => {
      if (triggerId === null) throw new Error('Slack gave no way to open a form here.');
      await open(parts.web, triggerId, modal);
    },
    repair: parts.repair,
    repairDrift: parts.repairDrift,
    utcOffsetMs: () => parts.actors.utcOffsetMs(user),
    runCommand: (command, text) =>
      runCommand(command, text, askingOf(parts, user, team, channel ?? '', triggerId, null)),
  };
}
