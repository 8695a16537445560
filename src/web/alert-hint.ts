import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { answer, type Handler } from './server.ts';

/** Alertmanager groups alerts; a body beyond this is none of its usual ones. */
const MAX_BYTES = 1024 * 1024;
const MIN_TOKEN = 16;

export type AlertHintParts = {
  /** What the sender must prove to know: `Authorization: Bearer …`. */
  token: string;
  /** Some alert may have changed: look. Must not throw. */
  changed(): void;
  log: { warn(fields: object, message: string): void };
};

/**
 * `POST /alertmanager/webhook`: a hint that there may be something to see, and nothing more. The body is taken to its end
 * and thrown away: what fires is asked of Alertmanager. Throws at once when the token is shorter than 16 characters.
 */
export function createAlertHint({ token, changed, log }: AlertHintParts): Handler {
  if (token.length < MIN_TOKEN) throw new Error(`The webhook's token needs at least ${MIN_TOKEN} characters`);
  const wanted = digest(`Bearer ${token}`);
  return (request, response) => {
    const refuse = (status: number, is: string) => {
      log.warn({ reason: is, status }, "Alertmanager's webhook was turned away");
      response.setHeader('connection', 'close');
      answer(response, status, { ok: false, is });
    };
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), wanted)) return refuse(401, 'bad-token');
    drain(request).then(
      (isWhole) => {
        if (!isWhole) return refuse(413, 'too-large');
        answer(response, 202, { ok: true, is: 'accepted' });
        changed();
      },
      // The sender went away in the middle: there is nobody to answer.
      () => response.destroy(),
    );
  };
}

async function drain(request: IncomingMessage): Promise<boolean> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) return false;
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BYTES) return false;
  }
  return true;
}

/** Of one length, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
