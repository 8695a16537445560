import type { IncomingMessage, ServerResponse } from 'node:http';
import type { App, Receiver } from '@slack/bolt';
import { createGuard, type Replays } from './guard.ts';
import type { Log } from './log.ts';

/** Slack gives up after 3 s: a request that is not acknowledged by then is answered as not done. */
const DEADLINE_MS = 2_900;

export type HttpReceiver = Receiver & { handle: (request: IncomingMessage, response: ServerResponse) => void };

/**
 * Bolt's way in over HTTP, with Belay's own guard in front of it. It owns no server: `handle` is called for
 * `POST /slack/events`, and never rejects.
 */
export function createHttpReceiver(parts: {
  signingSecret: string;
  clock: () => number;
  replays: Replays;
  log: Log;
}): HttpReceiver {
  const verify = createGuard(parts);
  const { log } = parts;
  let app: App | null = null;

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const verified = await verify(request);
    if ('status' in verified) {
      if (verified.status >= 400)
        log.warn({ status: verified.status, why: verified.why }, 'A request to Slack’s address was turned away');
      // What is left of a body that is too large is not read.
      if (verified.status === 413) response.setHeader('connection', 'close');
      return end(response, verified.status);
    }
    const { body } = verified;
    if (body.type === 'url_verification') return end(response, 200, { challenge: String(body.challenge) });
    if (!app) return end(response, 503);
    const timer = setTimeout(() => end(response, 503), DEADLINE_MS);
    try {
      const retryNum = Number(request.headers['x-slack-retry-num'] ?? Number.NaN);
      await app.processEvent({
        body,
        ack: async (answer: unknown) => end(response, 200, answer),
        ...(Number.isInteger(retryNum) ? { retryNum } : {}),
      });
      end(response, 404);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    init: (started) => {
      app = started;
    },
    start: async () => {},
    stop: async () => {},
    handle: (request, response) => {
      receive(request, response).catch((error: unknown) => {
        log.error({ error: error instanceof Error ? error.message : 'unknown' }, 'A request from Slack failed');
        end(response, 500);
      });
    },
  };
}

/** Answers once; whatever comes later is too late and changes nothing. */
function end(response: ServerResponse, status: number, answer?: unknown): void {
  if (response.headersSent || response.writableEnded) return;
  if (answer === undefined || answer === null || answer === '') {
    response.writeHead(status).end();
  } else if (typeof answer === 'string') {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(answer);
  } else {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(answer));
  }
}
