import type { IncomingMessage, ServerResponse } from 'node:http';
import { createWebhook, type WebhookOptions } from './webhook.ts';

export type WebhookParts = WebhookOptions & {
  /** Commits the delivery; `known`: it was processed before. */
  accept(delivery: { id: string; event: string; repo: string }): Promise<'accepted' | 'known'>;
  /** Something may have changed: look. */
  changed(hint: { repo: string; buildSha: string | null }): void;
  log: { warn(fields: object, message: string): void; error(fields: object, message: string): void };
};

const MAX_BYTES = 5 * 1024 * 1024;

/** `POST /github/webhook`: verify, commit, answer; what follows from it is read from GitHub afterwards. Never rejects. */
export function createWebhookHandler(parts: WebhookParts) {
  const verify = createWebhook({ ...parts, maxBytes: MAX_BYTES });
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await read(request);
    if (body === null) {
      parts.log.warn({ reason: 'too-large' }, 'A webhook was turned away');
      response.setHeader('connection', 'close');
      return end(response, 413, 'too-large');
    }
    const delivery = verify(request.headers, body);
    if (!delivery.ok) {
      parts.log.warn({ reason: delivery.reason, status: delivery.status }, 'A webhook was turned away');
      return end(response, delivery.status, delivery.reason);
    }
    const { deliveryId: id, event, repo, hint } = delivery;
    if (hint === null || repo === null) return end(response, 202, 'nothing to look at');
    const accepted = await parts.accept({ id, event, repo });
    end(response, 202, accepted);
    if (accepted === 'accepted') parts.changed({ repo, buildSha: hint.kind === 'build' ? hint.sha : null });
  }
  return (request: IncomingMessage, response: ServerResponse): void => {
    receive(request, response).catch((error: unknown) => {
      // Not committed, so not accepted: GitHub shows it as failed, and polling finds what it was about.
      parts.log.error(
        { detail: error instanceof Error ? error.message : 'unknown' },
        'A webhook could not be accepted',
      );
      end(response, 503, 'not accepted');
    });
  };
}

async function read(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function end(response: ServerResponse, status: number, word: string): void {
  if (response.headersSent || response.writableEnded) return;
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ ok: status < 300, is: word }));
}
