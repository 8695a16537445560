import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from './faults.ts';
import { type Fields, fieldsOf } from './fields.ts';

const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** The whole body; throws when it is larger than the sandbox takes. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`The body is larger than ${MAX_BODY_BYTES} bytes.`);
    chunks.push(part);
  }
  return Buffer.concat(chunks);
}

/** The body's fields, form-encoded or JSON; null when it is JSON that cannot be read. */
export function parseFields(contentType: string, body: string): Fields | null {
  if (!contentType.includes('application/json')) return Object.fromEntries(new URLSearchParams(body));
  try {
    return fieldsOf(JSON.parse(body));
  } catch {
    return null;
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

export function sendText(response: ServerResponse, status: number, body: string) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(body);
}

/** What is left to do with a call after a fault: everything, its effect without an answer, or nothing. */
export type Remaining = 'all' | 'effect' | 'nothing';

/** Fails the call as the fault says. With `effect`, do the work first and call `end` then. */
export function applyFault(fault: Fault | null, response: ServerResponse): { remaining: Remaining; end: () => void } {
  const silent = () => {};
  const cut = () => response.socket?.destroy();
  switch (fault?.kind) {
    case undefined:
      return { remaining: 'all', end: silent };
    case 'rate-limited':
      sendRateLimited(response, fault.retryAfterSec);
      return { remaining: 'nothing', end: silent };
    case 'server-error':
      sendText(response, 500, 'Internal Server Error');
      return { remaining: 'nothing', end: silent };
    case 'timeout-before':
      return { remaining: 'nothing', end: silent };
    case 'timeout-after':
      return { remaining: 'effect', end: silent };
    case 'reset-before':
    case 'outage':
      cut();
      return { remaining: 'nothing', end: silent };
    case 'reset-after':
      return { remaining: 'effect', end: cut };
  }
}

export function sendRateLimited(response: ServerResponse, retryAfterSec: number) {
  sendJson(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(retryAfterSec) });
}
