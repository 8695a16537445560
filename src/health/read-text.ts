import type { Missing } from '../core/judge/signal.ts';

export type TextAnswer = { ok: true; status: number; text: string } | { ok: false; missing: Missing; detail: string };

export type TextRequest = {
  fetch: typeof fetch;
  url: string;
  method?: 'GET' | 'HEAD';
  headers?: Record<string, string>;
  timeoutMs: number;
  maxBytes: number;
  signal: AbortSignal;
};

/**
 * One HTTP request for a text: any status is an answer, redirects are not followed, the body is bounded and whole.
 * Never throws: no connection, a deadline, a body that is too large or not UTF-8 are answers too.
 */
export async function readText(request: TextRequest): Promise<TextAnswer> {
  const deadline = AbortSignal.any([request.signal, AbortSignal.timeout(request.timeoutMs)]);
  try {
    const response = await request.fetch(request.url, {
      method: request.method ?? 'GET',
      headers: request.headers ?? {},
      redirect: 'manual',
      signal: deadline,
    });
    const bytes = await readBytes(response, request.maxBytes);
    if (bytes === null) {
      return { ok: false, missing: 'bad-answer', detail: `the answer is larger than ${request.maxBytes} bytes` };
    }
    return { ok: true, status: response.status, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    if (deadline.aborted) {
      return { ok: false, missing: 'unreachable', detail: `no whole answer within ${request.timeoutMs} ms` };
    }
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      return { ok: false, missing: 'bad-answer', detail: 'the answer is not UTF-8 text' };
    }
    return { ok: false, missing: 'unreachable', detail: whyNot(error) };
  }
}

async function readBytes(response: Response, maxBytes: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The code (ECONNREFUSED) rather than the message, which may quote the address with its query. */
function whyNot(error: unknown): string {
  const cause = error instanceof Error ? error.cause : null;
  const code = cause !== null && typeof cause === 'object' && 'code' in cause ? String(cause.code) : null;
  return code === null ? 'the connection failed' : `the connection failed: ${code}`;
}
