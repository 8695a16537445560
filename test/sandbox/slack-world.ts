import { LogLevel, WebClient, type WebClientOptions } from '@slack/web-api';
import { type SandboxSlack, type SlackSetup, startSlack } from '../../sandbox/slack/slack.ts';

export const BOT_TOKEN = 'xoxb-sandbox';
export const APP_TOKEN = 'xapp-sandbox';
export const SIGNING_SECRET = 'a-signing-secret-of-the-sandbox';

export function openSlack(setup: Partial<SlackSetup> = {}): Promise<SandboxSlack> {
  return startSlack({
    mode: 'http',
    signingSecret: SIGNING_SECRET,
    botToken: BOT_TOKEN,
    appToken: APP_TOKEN,
    eventRetriesMs: [],
    ...setup,
  });
}

/** Slack's own client, which gives up at once instead of trying for half an hour. */
export function clientOf(slack: SandboxSlack, options: WebClientOptions = {}, token = BOT_TOKEN): WebClient {
  return new WebClient(token, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: LogLevel.ERROR,
    logger: QUIET,
    ...options,
  });
}

/** Refusals are what these tests are about; they are not to be printed. */
export const QUIET = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => LogLevel.ERROR,
  setName: () => {},
};

/** What Slack refused a call with: its code and messages. */
export async function refusal(call: Promise<unknown>): Promise<{ error: string; messages: string[] }> {
  try {
    await call;
  } catch (error) {
    const data = (error as { data?: { error?: string; response_metadata?: { messages?: string[] } } }).data;
    if (data?.error) return { error: data.error, messages: data.response_metadata?.messages ?? [] };
    throw error;
  }
  throw new Error('Slack took it.');
}

/** A clock that only moves when it is told to. */
export function handClock(startMs = Date.now()) {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

export const plain = (text: string) => ({ type: 'plain_text' as const, text });
export const section = (text: string) => ({ type: 'section' as const, text: { type: 'mrkdwn' as const, text } });
export const button = (actionId: string, more: Record<string, unknown> = {}) => ({
  type: 'button' as const,
  action_id: actionId,
  text: plain('Press'),
  ...more,
});
