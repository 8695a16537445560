import { createHash } from 'node:crypto';
import { caseId, type DriftCase } from '../core/drift-case.ts';
import type { Announcement } from '../core/effect.ts';
import type { Phase, Rollout } from '../core/rollout.ts';
import { type Budget, createBudget } from './budget.ts';
import type { Gallery } from './pictures.ts';
import { announcementOf } from './views/announcement.ts';
import type { Message } from './views/block.ts';
import type { Extra } from './views/card.ts';
import { type DriftSource, driftMessages } from './views/drift.ts';
import { messagesOf } from './views/messages.ts';
import { pageOf } from './views/page.ts';
import { type Shown, type Wanted, wantedOf } from './views/picture.ts';
import type { Web } from './web.ts';

/**
 * Where a message is and what it says: `hash` is of the newest text that Slack confirmed. `ts` is empty while it is being
 * posted: whether it arrived, and with which text, is not known.
 */
export type PostedMessage = { channel: string; ts: string; hash: string };

/** What was posted, durable; asked for by Slack's output, kept by the store. Keys begin with the rollout's id. */
export interface Posted {
  get(key: string): Promise<PostedMessage | null>;
  put(key: string, message: PostedMessage): Promise<void>;
}

export type OutputAnswer =
  | { is: 'done' }
  | { is: 'running'; retryAfterMs: number }
  | { is: 'failed'; isTerminal: boolean; detail: string; error?: string };

export type Output = {
  /**
   * Makes channel and thread show this state. What is there already costs no call; only the newest state is ever sent.
   * Words first: pictures are brought one a try and shown once all of a step are there, and no word waits for them.
   */
  project(rollout: Rollout, extra: Extra): Promise<OutputAnswer>;
  /** Posts once under `key` (an effect's), in the thread; announcements are broadcast to the channel. */
  announce(key: string, rollout: Rollout, what: Announcement, phase: Phase, extra: Extra): Promise<OutputAnswer>;
  page(
    key: string,
    rollout: Rollout,
    page: { who: string; phase: Phase; round: number },
    extra: Extra,
  ): Promise<OutputAnswer>;
  /** Makes the channel show this state of a drift: one message for each, edited. */
  projectDrift(known: DriftCase, source: DriftSource): Promise<OutputAnswer>;
};

const DONE: OutputAnswer = { is: 'done' };

/** The message is gone or can no longer be edited: it is posted anew. */
const GONE = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed', 'thread_not_found']);

/** Trying again cannot help; somebody has to change something. */
const TERMINAL: Record<string, string> = {
  channel_not_found:
    'Slack does not know the channel, or Belay is not in it: invite Belay, or correct `channel` of the service.',
  not_in_channel: 'Belay is not in the channel: invite it.',
  is_archived: 'The channel is archived: give the service another one.',
  restricted_action: 'The workspace does not let Belay post in this channel.',
  missing_scope: 'Belay’s Slack app lacks a scope: install it again from manifest.yml.',
  invalid_blocks: 'Slack refused the layout of the message.',
  msg_too_long: 'Slack refused the message as too long.',
  msg_blocks_too_long: 'Slack refused the message as too long.',
};

/** `gallery`: where pictures come from; without it there are none. */
export function createOutput(parts: { web: Web; posted: Posted; clock: () => number; gallery?: Gallery }): Output {
  const { web, posted, gallery } = parts;
  const budget = createBudget(parts.clock);
  const oneAtATime = serializer();
  /** Intended here, and certainly not with Slack. After a crash nothing is certain. */
  const unsent = new Set<string>();

  /** A message that is known to be there. */
  async function known(key: string): Promise<PostedMessage | null> {
    const message = await posted.get(key);
    return message && message.ts !== '' ? message : null;
  }

  /** Posts or edits one message. `parentKey`: the message in whose thread it stands. */
  async function show(
    key: string,
    channel: string,
    message: Message,
    where: Record<string, unknown>,
    parentKey: string | null,
  ): Promise<OutputAnswer> {
    const hash = sha256(JSON.stringify([message.text, message.blocks]));
    const intended = await posted.get(key);
    const before = intended && intended.ts !== '' ? intended : null;
    if (before?.hash === hash) return DONE;
    const content = { text: message.text, blocks: message.blocks, parse: 'none', link_names: false };
    if (before) {
      const answer = await send(web, budget, 'chat.update', { ...content, channel: before.channel, ts: before.ts });
      if (answer.is === 'sent') {
        await posted.put(key, { ...before, hash });
        return DONE;
      }
      if (answer.is !== 'gone') return answer.answer;
    }
    // Of two posts under one id Slack keeps the first one's text: what an earlier try may have posted is edited afterwards.
    const isFirstTry = intended === null || unsent.has(key);
    if (intended === null) await posted.put(key, { channel, ts: '', hash: '' });
    // The id depends on what is replaced, so that a message that was deleted is not taken for a duplicate of itself.
    const lost = before ? `/${before.ts}` : '';
    for (const attempt of ['', '/again']) {
      const args = {
        ...content,
        ...where,
        channel,
        unfurl_links: false,
        unfurl_media: false,
        client_msg_id: uuidOf(`${key}${lost}${attempt}`),
      };
      const answer = await send(web, budget, 'chat.postMessage', args);
      const isUnsent = answer.is === 'gone' || answer.is === 'later' || (answer.is === 'failed' && answer.error !== '');
      if (isFirstTry && isUnsent) unsent.add(key);
      else unsent.delete(key);
      if (answer.is === 'sent') {
        if (answer.ts === null)
          return { is: 'failed', isTerminal: false, detail: 'Slack did not say which message it posted' };
        await posted.put(key, { channel: answer.channel ?? channel, ts: answer.ts, hash: isFirstTry ? hash : '' });
        return isFirstTry ? DONE : show(key, channel, message, where, parentKey);
      }
      if (answer.is === 'gone') {
        // Somebody deleted the card: with its text forgotten, the next projection finds out and posts it anew.
        const parent = parentKey === null ? null : await posted.get(parentKey);
        if (parent && parentKey !== null) await posted.put(parentKey, { ...parent, hash: '' });
        return { is: 'failed', isTerminal: false, detail: 'The thread of this message is gone' };
      }
      // Slack remembers the id, but not its message any more: under another id it is a new one.
      if (answer.is === 'later' || answer.error !== 'duplicate_message_not_found') return answer.answer;
    }
    return { is: 'failed', isTerminal: false, detail: 'Slack takes the message for a duplicate that it cannot find' };
  }

  /** The words, with the pictures that are there already. `missing`: a step whose pictures are still to come. */
  async function project(rollout: Rollout, extra: Extra): Promise<OutputAnswer & { missing?: Wanted }> {
    const cardKey = `${rollout.id}/card`;
    const pictures: Record<number, Shown[]> = {};
    const hung = new Map<string, Wanted>();
    let missing: Wanted | undefined;
    for (const [index, stage] of gallery ? rollout.plan.stages.entries() : []) {
      const wanted = wantedOf(rollout, index);
      if (!gallery || !wanted) continue;
      const { shown, isComplete } = await gallery.known(rollout, wanted);
      pictures[index] = shown;
      if (shown.length > 0) hung.set(`stage:${stage.name}`, wanted);
      if (!isComplete) missing ??= wanted;
    }
    for (const message of messagesOf(rollout, { ...extra, pictures })) {
      const key = `${rollout.id}/${message.key}`;
      if (message.isOnlyIfPosted && (await posted.get(key)) === null) continue;
      const card = message.parent === 'thread' ? await known(cardKey) : null;
      const where = card ? { thread_ts: card.ts } : {};
      const answer = await show(key, card?.channel ?? rollout.channel, message, where, card ? cardKey : null);
      const refused = hung.get(message.key);
      if (gallery && refused && answer.is === 'failed' && answer.error === 'invalid_blocks') {
        // The words are shown without them at once.
        await gallery.refused(rollout, refused);
        return project(rollout, extra);
      }
      if (answer.is !== 'done') return answer;
    }
    return missing ? { is: 'done', missing } : DONE;
  }

  /** Once posted, an announcement stays as it was said. */
  async function postOnce(key: string, rollout: Rollout, message: Message, extra: Extra, where: object) {
    if (await known(key)) return DONE;
    let card = await known(`${rollout.id}/card`);
    if (!card) {
      const answer = await project(rollout, extra);
      if (answer.is !== 'done') return answer;
      card = await known(`${rollout.id}/card`);
    }
    if (!card) return { is: 'running' as const, retryAfterMs: 1000 };
    return show(key, card.channel, message, { thread_ts: card.ts, ...where }, `${rollout.id}/card`);
  }

  async function projectDrift(drift: DriftCase, source: DriftSource): Promise<OutputAnswer> {
    const id = caseId(drift);
    const cardKey = `${id}/card`;
    for (const { key, parent, ...message } of driftMessages(drift, source)) {
      const card = parent === 'thread' ? await known(cardKey) : null;
      const where = card ? { thread_ts: card.ts, reply_broadcast: true } : {};
      const answer = await show(`${id}/${key}`, card?.channel ?? drift.channel, message, where, card ? cardKey : null);
      if (answer.is !== 'done') return answer;
    }
    return DONE;
  }

  /** A picture is brought beside the rollout's other messages, so that a page never waits for it. */
  async function projectAll(rollout: Rollout, extra: Extra): Promise<OutputAnswer> {
    const { missing, ...answer } = await oneAtATime(rollout.id, () => project(rollout, extra));
    if (!gallery || !missing) return answer;
    const waitMs = await oneAtATime(`${rollout.id}/pictures`, () => gallery.bring(rollout, missing));
    return { is: 'running', retryAfterMs: Math.max(1, waitMs) };
  }

  return {
    projectDrift: (drift, source) =>
      oneAtATime(`drift:${drift.service}/${drift.target}`, () => projectDrift(drift, source)),
    project: projectAll,
    announce: (key, rollout, what, phase, extra) =>
      oneAtATime(rollout.id, () =>
        postOnce(key, rollout, announcementOf(rollout, what, phase), extra, { reply_broadcast: true }),
      ),
    page: (key, rollout, page, extra) =>
      oneAtATime(rollout.id, () => postOnce(key, rollout, pageOf(rollout, page, extra.people), extra, {})),
  };
}

type Sent =
  | { is: 'sent'; ts: string | null; channel: string | null }
  | { is: 'gone' }
  | { is: 'failed'; error: string; answer: OutputAnswer }
  | { is: 'later'; answer: OutputAnswer };

async function send(web: Web, budget: Budget, method: string, args: Record<string, unknown>): Promise<Sent> {
  const waitMs = budget.take(method, String(args.channel));
  if (waitMs > 0) return { is: 'later', answer: { is: 'running', retryAfterMs: waitMs } };
  const answer = await web.call(method, args);
  switch (answer.is) {
    case 'ok': {
      const { ts, channel } = answer.body;
      return {
        is: 'sent',
        ts: typeof ts === 'string' ? ts : null,
        channel: typeof channel === 'string' ? channel : null,
      };
    }
    case 'limited':
      budget.blocked(method, answer.retryAfterMs);
      return { is: 'later', answer: { is: 'running', retryAfterMs: answer.retryAfterMs } };
    case 'refused': {
      if (GONE.has(answer.error)) return { is: 'gone' };
      const known = TERMINAL[answer.error];
      const detail = `Slack refused ${method} (${answer.error}). ${known ?? ''}`.trim();
      return {
        is: 'failed',
        error: answer.error,
        answer: { is: 'failed', isTerminal: known !== undefined, detail, error: answer.error },
      };
    }
    case 'unknown':
      return { is: 'failed', error: '', answer: { is: 'failed', isTerminal: false, detail: answer.detail } };
  }
}

/** Runs what belongs to one key in turn, so that two projections of a rollout never post the same message twice. */
function serializer(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const run = (tails.get(key) ?? Promise.resolve()).then(work, work);
    tails.set(key, run);
    const forget = () => {
      if (tails.get(key) === run) tails.delete(key);
    };
    run.then(forget, forget);
    return run;
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Always the same UUID (version 5 by form) for the same key: posting again after an unknown outcome adds no second message. */
export function uuidOf(key: string): string {
  const hex = sha256(`belay message ${key}`);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
