import { createHmac } from 'node:crypto';
import type { Fields } from './fields.ts';
import type { Clock } from './workspace.ts';

/** What is sent to the bot. */
export type Letter = {
  kind: 'slash_commands' | 'interactive' | 'events_api';
  payload: Fields;
  retry?: { num: number; reason: string };
};

/** How the bot took it. `status` 0: it never answered; `error` then says why, in Slack's word. */
export type Delivery = {
  status: number;
  body: unknown;
  ackMs: number;
  error: 'timeout' | 'connection_failed' | 'http_error' | 'not_connected' | 'refused' | null;
};

/** The way to the bot: HTTP, or Socket Mode. Never throws. */
export type Line = { deliver(letter: Letter): Promise<Delivery> };

/** Slack's `v0` signature of a request body. */
export function sign(secret: string, timestampSec: number, body: string): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${timestampSec}:${body}`).digest('hex')}`;
}

type HttpSetup = { requestUrl: () => string | null; signingSecret: string; clock: Clock; ackDeadlineMs: number };

/** Slack's side of HTTP mode: signed POSTs to the request URL, 3 seconds to answer. */
export function httpLine(setup: HttpSetup): Line {
  return {
    deliver: async (letter) => {
      const url = setup.requestUrl();
      if (!url) return { status: 0, body: null, ackMs: 0, error: 'not_connected' };
      const { body, contentType } = encode(letter);
      const timestampSec = Math.floor(setup.clock.now() / 1000);
      const headers: Record<string, string> = {
        'content-type': contentType,
        'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
        'x-slack-request-timestamp': String(timestampSec),
        'x-slack-signature': sign(setup.signingSecret, timestampSec, body),
      };
      if (letter.retry) {
        headers['x-slack-retry-num'] = String(letter.retry.num);
        headers['x-slack-retry-reason'] = letter.retry.reason;
      }
      return post(url, headers, body, setup.ackDeadlineMs);
    },
  };
}

function encode(letter: Letter): { body: string; contentType: string } {
  if (letter.kind === 'events_api') {
    return { body: JSON.stringify(letter.payload), contentType: 'application/json' };
  }
  const form =
    letter.kind === 'slash_commands'
      ? new URLSearchParams(
          Object.entries(letter.payload).map(([key, value]): [string, string] => [key, String(value)]),
        )
      : new URLSearchParams({ payload: JSON.stringify(letter.payload) });
  return { body: form.toString(), contentType: 'application/x-www-form-urlencoded' };
}

async function post(url: string, headers: Record<string, string>, body: string, deadlineMs: number): Promise<Delivery> {
  const startedMs = performance.now();
  const ackMs = () => Math.round(performance.now() - startedMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(deadlineMs),
    });
    const answer = parsed(await response.text());
    return { status: response.status, body: answer, ackMs: ackMs(), error: response.ok ? null : 'http_error' };
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    return { status: 0, body: null, ackMs: ackMs(), error: late ? 'timeout' : 'connection_failed' };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
