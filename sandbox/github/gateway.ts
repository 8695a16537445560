import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A body is sent as JSON, unless it is a text whose headers say what it is. */
export type Answer = { status: number; body: unknown; headers?: Record<string, string> };
export type Question = { method: string; path: string; query: URLSearchParams; authorization: string; body: unknown };

/**
 * One listening address on loopback. `answer` says null for what the emulator behind should answer itself; `rewrite`
 * sees every answer of it before it goes out.
 */
export async function openGateway(
  port: number,
  answer: (question: Question) => Promise<Answer | null>,
  forward: (question: Question) => Promise<Answer>,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    read(request)
      .then(async (question) => (await answer(question)) ?? (await forward(question)))
      .then(
        (given) => write(response, given),
        (error: unknown) => write(response, { status: 502, body: { message: `Sandbox: ${String(error)}` } }),
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<Question> {
  const url = new URL(request.url ?? '/', 'http://gateway');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    authorization: request.headers.authorization ?? '',
    body: text === '' ? null : JSON.parse(text),
  };
}

function write(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8', ...answer.headers });
  const { body, headers } = answer;
  const isText = typeof body === 'string' && headers?.['content-type'] !== undefined;
  response.end(answer.status === 204 ? undefined : isText ? body : JSON.stringify(body));
}
