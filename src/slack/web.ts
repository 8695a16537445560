import { webApi } from '@slack/bolt';
import { withoutSecrets } from './log.ts';

/** What Slack answered to one call. `unknown`: it may or may not have happened. */
export type WebAnswer =
  | { is: 'ok'; body: Record<string, unknown> }
  | { is: 'limited'; retryAfterMs: number }
  | { is: 'refused'; error: string }
  | { is: 'unknown'; detail: string };

/** One call to Slack's Web API: once, with a deadline, never thrown. */
export type Web = { call(method: string, args: Record<string, unknown>): Promise<WebAnswer> };

const TIMEOUT_MS = 10_000;
/** When a 429 does not say how long. */
const UNSAID_RETRY_MS = 30_000;

/**
 * The rules for every client: no retries of its own (the outbox retries, with a key), a deadline, a 429 is an answer
 * and pauses nothing else, no other host. A new object each time: Socket Mode writes into the one that it is given.
 */
export function clientRules(apiUrl: string | null): webApi.WebClientOptions {
  return {
    retryConfig: { retries: 0 },
    timeout: TIMEOUT_MS,
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    ...(apiUrl === null ? {} : { slackApiUrl: apiUrl }),
  };
}

export function createWeb(client: webApi.WebClient): Web {
  return {
    call: async (method, args) => {
      try {
        const { ok: _ok, ...body } = await client.apiCall(method, args);
        return { is: 'ok', body };
      } catch (error) {
        return answerOf(error);
      }
    },
  };
}

/** Sends a file to the address that Slack gave for it. */
export type Upload = (url: string, bytes: Uint8Array) => Promise<WebAnswer>;

/** Only to Slack's own host for uploads (or the sandbox's), without a redirect: an answer names no other place to send to. */
export function createUpload(parts: { apiUrl: string | null; fetch: typeof fetch }): Upload {
  return async (url, bytes) => {
    if (!isUploadUrl(url, parts.apiUrl)) return { is: 'refused', error: 'upload_url_of_another_host' };
    try {
      const response = await parts.fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: new Uint8Array(bytes),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      if (response.status === 429) {
        const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
        return { is: 'limited', retryAfterMs: seconds >= 0 && seconds <= 3600 ? seconds * 1000 : UNSAID_RETRY_MS };
      }
      return response.ok
        ? { is: 'ok', body: {} }
        : { is: 'unknown', detail: `The upload was answered HTTP ${response.status}` };
    } catch (error) {
      const message = error instanceof Error ? error.message : 'no reason given';
      return { is: 'unknown', detail: `The upload failed: ${withoutSecrets(message).slice(0, 200)}` };
    }
  };
}

/** Slack's own address for uploads, or the sandbox's; anything else is not called. */
export function isUploadUrl(url: string, apiUrl: string | null): boolean {
  if (!URL.canParse(url)) return false;
  const parsed = new URL(url);
  if (parsed.username !== '' || parsed.password !== '') return false;
  if (apiUrl !== null) return parsed.origin === new URL(apiUrl).origin;
  return parsed.origin === 'https://files.slack.com' || parsed.origin === 'https://files.slack-gov.com';
}

function answerOf(error: unknown): WebAnswer {
  if (error instanceof webApi.WebAPIRateLimitedError) {
    const seconds = error.retryAfter;
    return { is: 'limited', retryAfterMs: seconds >= 0 && seconds <= 3600 ? seconds * 1000 : UNSAID_RETRY_MS };
  }
  if (error instanceof webApi.WebAPIPlatformError) {
    const code = error.data.error;
    return code === 'ratelimited' || code === 'rate_limited'
      ? { is: 'limited', retryAfterMs: UNSAID_RETRY_MS }
      : { is: 'refused', error: withoutSecrets(code).slice(0, 100) };
  }
  if (error instanceof webApi.WebAPIHTTPError)
    return { is: 'unknown', detail: `Slack answered HTTP ${error.statusCode}` };
  const message = error instanceof Error ? error.message : 'no reason given';
  if (message.startsWith('Retry header did not contain')) return { is: 'limited', retryAfterMs: UNSAID_RETRY_MS };
  return { is: 'unknown', detail: `Slack could not be reached: ${withoutSecrets(message).slice(0, 200)}` };
}
