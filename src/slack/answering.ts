import type { Reply } from './actions/click.ts';
import { type Log, withoutSecrets } from './log.ts';
import type { Message } from './views/block.ts';
import { refusalOf } from './views/refusal.ts';

/** Slack waits 3 s. Work that takes longer is acknowledged now, without a word on how it ends, and answered later. */
const ACK_WITHIN_MS = 2_400;

/** What failed is said: nothing was changed, because what changes something commits or rejects. */
export async function guarded(log: Log, work: () => Promise<Message | null>): Promise<Message | null> {
  try {
    return await work();
  } catch (error) {
    const message = withoutSecrets(error instanceof Error ? error.message : 'unknown');
    log.error({ error: message }, 'What somebody asked for in Slack failed');
    return refusalOf(
      'Belay could not do this: an error of its own, which is in its log. Nothing was changed; try again in a minute.',
    );
  }
}

/** The same for what answers with more than a message. */
export async function guardedReply(log: Log, work: () => Promise<Reply | null>): Promise<Reply | null> {
  let reply: Reply | null = null;
  const failure = await guarded(log, async () => {
    reply = await work();
    return null;
  });
  return failure ? { message: failure, isError: true, channel: null } : reply;
}

/** Waits for `work` as long as Slack does. */
export async function soon<T>(work: Promise<T>): Promise<{ isLate: false; value: T } | { isLate: true }> {
  const { promise, resolve } = Promise.withResolvers<{ isLate: true }>();
  const timer = setTimeout(() => resolve({ isLate: true }), ACK_WITHIN_MS);
  try {
    return await Promise.race([work.then((value) => ({ isLate: false as const, value })), promise]);
  } finally {
    clearTimeout(timer);
  }
}
