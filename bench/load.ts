import { createHmac, randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/**
 * The load generator, in a process of its own: so many keep-alive connections over loopback, each with one request under
 * way, until `count` were answered. It writes and reads bare HTTP/1.1, so that it costs less than what it measures.
 */
export type Load = {
  port: number;
  path: string;
  connections: number;
  count: number;
  /** How the n-th request is made and signed. */
  request:
    | { is: 'github'; secret: string; event: string; body: string }
    | { is: 'slack'; secret: string; fields: Record<string, string> };
};

export type Loaded = { ms: number; latenciesMs: number[]; statuses: Record<string, number>; lastBody: string };

function requestsOf({ path, request }: Load): (index: number) => Buffer {
  const post = (headers: Record<string, string>, body: string | Buffer) => {
    const fields = { host: '127.0.0.1', 'content-length': String(Buffer.byteLength(body)), ...headers };
    const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head.join('')}\r\n`), Buffer.from(body)]);
  };
  if (request.is === 'github') {
    const body = Buffer.from(request.body);
    const signature = `sha256=${createHmac('sha256', request.secret).update(body).digest('hex')}`;
    return () =>
      post(
        {
          'content-type': 'application/json',
          'x-github-event': request.event,
          'x-github-delivery': randomUUID(),
          'x-hub-signature-256': signature,
        },
        body,
      );
  }
  return (index) => {
    const seconds = Math.floor(Date.now() / 1000);
    // Slack's own requests differ in their trigger; the same bytes again would be a replay.
    const body = new URLSearchParams({ ...request.fields, trigger_id: `${index}.${randomUUID()}` }).toString();
    const signature = createHmac('sha256', request.secret).update(`v0:${seconds}:${body}`).digest('hex');
    return post(
      {
        'content-type': 'application/x-www-form-urlencoded',
        'x-slack-request-timestamp': String(seconds),
        'x-slack-signature': `v0=${signature}`,
      },
      body,
    );
  };
}

/** The answer when all of it is there; null: more must come. */
function readAnswer(text: string): { status: string; body: string } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [, status = '?'] = /^HTTP\/1\.1 (\d{3})/.exec(text) ?? [];
  const body = text.slice(end + 4);
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end)) ?? [];
  const isWhole = length === undefined ? body.endsWith('0\r\n\r\n') : Buffer.byteLength(body) >= Number(length);
  return isWhole ? { status, body } : null;
}

async function generate(load: Load): Promise<Loaded> {
  const next = requestsOf(load);
  const loaded: Loaded = { ms: 0, latenciesMs: [], statuses: {}, lastBody: '' };
  let sent = 0;
  const startedMs = performance.now();
  const worker = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      let text = '';
      let sentMs = 0;
      const send = () => {
        if (sent >= load.count) {
          socket.end();
          return resolve();
        }
        text = '';
        const bytes = next(sent);
        sent += 1;
        sentMs = performance.now();
        socket.write(bytes);
      };
      socket.setNoDelay(true);
      socket.setEncoding('utf8');
      socket.once('connect', send);
      socket.once('error', reject);
      socket.on('close', () => reject(new Error(`The server ended a connection after: ${text.slice(0, 300)}`)));
      socket.on('data', (piece) => {
        text += piece;
        const answer = readAnswer(text);
        if (!answer) return;
        loaded.latenciesMs.push(performance.now() - sentMs);
        loaded.statuses[answer.status] = (loaded.statuses[answer.status] ?? 0) + 1;
        loaded.lastBody = answer.body;
        send();
      });
    });
  const sockets = Array.from({ length: load.connections }, () => connect(load.port, '127.0.0.1'));
  await Promise.all(sockets.map(worker));
  return { ...loaded, ms: performance.now() - startedMs };
}

process.once('message', async (load: Load) => {
  process.send?.(await generate(load));
  process.disconnect();
});
