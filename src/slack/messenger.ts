import { createHash } from 'node:crypto';
import { type Budget, createBudget } from './budget.ts';
import type { Message } from './views/block.ts';
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

export type Messenger = {
  /** A message that is known to be there; null: it is not, or that is not known. */
  known(key: string): Promise<PostedMessage | null>;
  /** Posts or edits one message. `parentKey`: the message in whose thread it stands. */
  show(
    key: string,
    channel: string,
    message: Message,
    where: Record<string, unknown>,
    parentKey: string | null,
  ): Promise<OutputAnswer>;
};

/**
 * One message under one key, however often it is asked for and whatever became of earlier tries: posted once, then edited.
 * Within Slack's allowances; one key must not be shown twice at once.
 */
export function createMessenger(parts: { web: Web; posted: Posted; clock: () => number }): Messenger {
  const { web, posted } = parts;
  const budget = createBudget(parts.clock);
  /** Intended here, and certainly not with Slack. After a crash nothing is certain. */
  const unsent = new Set<string>();

  async function known(key: string): Promise<PostedMessage | null> {
    const message = await posted.get(key);
    return message && message.ts !== '' ? message : null;
  }

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

  return { known, show };
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

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Always the same UUID (version 5 by form) for the same key: posting again after an unknown outcome adds no second message. */
export function uuidOf(key: string): string {
  const hex = sha256(`belay message ${key}`);
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
