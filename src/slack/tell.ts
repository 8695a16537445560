import type { Log } from './log.ts';
import { isResponseUrl } from './request.ts';
import type { Message } from './views/block.ts';
import type { Web } from './web.ts';

/** Where somebody can be answered so that nobody else sees it. */
export type Ear = {
  responseUrl: string | null;
  channel: string | null;
  user: string;
  threadTs: string | null;
  /** The click was on a message that only this person sees: an accepted answer takes its place. */
  isEphemeral: boolean;
};

const TIMEOUT_MS = 5_000;

export type Tell = (ear: Ear, message: Message, isError: boolean) => Promise<void>;

/**
 * Answers one person. By the request's own `response_url` when its host is Slack's, else by an ephemeral message. What
 * cannot be said is logged: the commit it speaks of stands either way.
 */
export function createTell(parts: { web: Web; apiUrl: string | null; log: Log; fetch: typeof fetch }): Tell {
  return async (ear, message, isError) => {
    if (ear.responseUrl !== null && isResponseUrl(ear.responseUrl, parts.apiUrl)) {
      const body = {
        ...message,
        response_type: 'ephemeral',
        replace_original: ear.isEphemeral && !isError,
        ...(ear.threadTs ? { thread_ts: ear.threadTs } : {}),
      };
      try {
        const response = await parts.fetch(ear.responseUrl, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
          redirect: 'error',
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        await response.body?.cancel();
        if (response.ok) return;
      } catch {
        // The other way is tried below.
      }
    }
    if (ear.channel === null) return;
    const answer = await parts.web.call('chat.postEphemeral', {
      channel: ear.channel,
      user: ear.user,
      ...message,
      parse: 'none',
      link_names: false,
      ...(ear.threadTs ? { thread_ts: ear.threadTs } : {}),
    });
    if (answer.is !== 'ok')
      parts.log.warn({ channel: ear.channel, answer: answer.is }, 'Somebody could not be answered in Slack');
  };
}
