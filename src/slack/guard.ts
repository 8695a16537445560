import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** What has been seen already, durable for as long as it matters. */
export interface Replays {
  /** Notes `digest` until `expiresAtMs`; true when it had been noted before. */
  seen(digest: string, expiresAtMs: number): Promise<boolean>;
}

export type Verified = { body: Record<string, unknown> };
export type Turned = { status: 200 | 400 | 401 | 405 | 413 | 415 | 503; why: string };

const MAX_BYTES = 1024 * 1024;
const MAX_SKEW_MS = 300_000;
const MIN_SECRET = 16;

/**
 * Is this really from Slack, now, and for the first time? Headers are judged before the body is read, the body before
 * it is hashed, the signature before anything is parsed.
 */
export function createGuard(parts: { signingSecret: string; clock: () => number; replays: Replays }) {
  const { signingSecret, clock, replays } = parts;
  if (signingSecret.trim().length < MIN_SECRET) {
    throw new Error(
      `The Slack signing secret has ${signingSecret.trim().length} characters, expected at least ${MIN_SECRET}. Copy it from the app’s “Basic Information” page.`,
    );
  }

  return async function verify(request: IncomingMessage): Promise<Verified | Turned> {
    if (request.method !== 'POST') return { status: 405, why: 'method' };
    const claim = readClaim(request.headers, clock());
    if ('status' in claim) return claim;
    const raw = await readBody(request);
    if (raw === null) return { status: 413, why: 'too large' };

    const computed = createHmac('sha256', signingSecret).update(`v0:${claim.seconds}:`).update(raw).digest();
    if (!timingSafeEqual(computed, claim.signature)) return { status: 401, why: 'signature' };
    const expiresAtMs = Number(claim.seconds) * 1000 + MAX_SKEW_MS;
    try {
      if (await replays.seen(`slack:${computed.toString('hex')}`, expiresAtMs)) return { status: 200, why: 'replayed' };
    } catch {
      return { status: 503, why: 'the replay table cannot be asked' };
    }
    return parseBody(raw.toString('utf8'), request.headers['content-type'] ?? '');
  };
}

function readClaim(headers: IncomingHttpHeaders, nowMs: number): { seconds: string; signature: Buffer } | Turned {
  const seconds = headers['x-slack-request-timestamp'];
  const signature = headers['x-slack-signature'];
  if (typeof seconds !== 'string' || !/^\d{1,12}$/.test(seconds)) return { status: 401, why: 'timestamp' };
  if (!(Math.abs(nowMs - Number(seconds) * 1000) <= MAX_SKEW_MS)) return { status: 401, why: 'stale or future' };
  if (typeof signature !== 'string' || !/^v0=[0-9a-f]{64}$/.test(signature)) return { status: 401, why: 'signature' };
  if (Number(headers['content-length'] ?? 0) > MAX_BYTES) return { status: 413, why: 'too large' };
  return { seconds, signature: Buffer.from(signature.slice(3), 'hex') };
}

/** null: larger than allowed. Nothing beyond the limit is kept. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseBody(text: string, contentType: string): Verified | Turned {
  const media = contentType.split(';')[0]?.trim().toLowerCase();
  if (media === 'application/json') return asObject(text);
  if (media !== 'application/x-www-form-urlencoded') return { status: 415, why: 'content type' };
  const fields = [...new URLSearchParams(text)];
  const body = new Map(fields);
  if (body.size !== fields.length) return { status: 400, why: 'a field is there twice' };
  if (body.has('ssl_check')) return { status: 200, why: 'ssl_check' };
  const payload = body.get('payload');
  return payload === undefined ? { body: Object.fromEntries(body) } : asObject(payload);
}

function asObject(text: string): Verified | Turned {
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return { body: value as Record<string, unknown> };
    }
  } catch {
    // Answered below like any other body that makes no sense.
  }
  return { status: 400, why: 'not a JSON object' };
}
