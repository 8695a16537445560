import { connect, type NetConnectOpts } from 'node:net';
import type { TextAnswer } from './read-text.ts';

export type SocketRequest = {
  to: NetConnectOpts;
  /** One line; the other side answers and closes. */
  line: string;
  timeoutMs: number;
  maxBytes: number;
  signal: AbortSignal;
};

/**
 * Sends one line over a socket and reads the answer to its end: bounded, whole, within its time. Never throws: no
 * connection, a deadline, an answer that is too large or not UTF-8 are answers too.
 */
export function readSocket({ to, line, timeoutMs, maxBytes, signal }: SocketRequest): Promise<TextAnswer> {
  return new Promise((resolve) => {
    const socket = connect(to);
    const chunks: Buffer[] = [];
    let size = 0;
    const end = (answer: TextAnswer) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = () => end({ ok: false, missing: 'unreachable', detail: `no whole answer within ${timeoutMs} ms` });
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp);
    socket.on('connect', () => socket.write(`${line}\n`));
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxBytes) {
        end({ ok: false, missing: 'bad-answer', detail: `the answer is larger than ${maxBytes} bytes` });
      }
    });
    socket.on('error', (error) => {
      const code = 'code' in error ? `: ${error.code}` : '';
      end({ ok: false, missing: 'unreachable', detail: `the connection failed${code}` });
    });
    socket.on('close', () => end(decoded(Buffer.concat(chunks))));
    if (signal.aborted) giveUp();
  });
}

function decoded(bytes: Buffer): TextAnswer {
  try {
    return { ok: true, status: 200, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { ok: false, missing: 'bad-answer', detail: 'the answer is not UTF-8 text' };
  }
}
