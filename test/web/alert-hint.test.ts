import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAlertHint } from '../../src/web/alert-hint.ts';
import { createWebServer, listen } from '../../src/web/server.ts';

const TOKEN = 'a-token-of-the-webhook';
const PATH = '/alertmanager/webhook';

let server: ReturnType<typeof createWebServer>;
let port: number;
let hints: number;
let warned: object[];

beforeEach(async () => {
  hints = 0;
  warned = [];
  const changed = () => {
    hints += 1;
  };
  const hint = createAlertHint({ token: TOKEN, changed, log: { warn: (fields) => void warned.push(fields) } });
  server = createWebServer({ handlers: { [`POST ${PATH}`]: hint }, whyNotReady: () => null });
  port = await listen(server, '127.0.0.1', 0);
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const post = async (authorization: string, body: string | Uint8Array<ArrayBuffer> = '{}') =>
  (await fetch(`http://127.0.0.1:${port}${PATH}`, { method: 'POST', headers: { authorization }, body })).status;

describe("H1 Alertmanager's webhook", () => {
  it('is a hint, whatever it carries', async () => {
    for (const body of ['{"status":"firing"}', 'no JSON', '', new Uint8Array([0xff, 0xfe])]) {
      expect(await post(`Bearer ${TOKEN}`, body)).toBe(202);
    }
    expect(hints).toBe(4);
  });
  it.each(['', 'Bearer', 'Bearer ', `bearer ${TOKEN}`, `Bearer ${TOKEN} `.padEnd(60, 'x'), `Basic ${TOKEN}`, TOKEN])(
    'T15 nobody without the token gives one: %s',
    async (authorization) => {
      expect(await post(authorization)).toBe(401);
      expect(hints).toBe(0);
      expect(JSON.stringify(warned)).not.toContain(TOKEN);
    },
  );
  it('T17 a body without an end is turned away, and one that breaks off gives no hint', async () => {
    expect(await post(`Bearer ${TOKEN}`, 'x'.repeat(1024 * 1024 + 1))).toBe(413);
    const socket = connect(port, '127.0.0.1');
    const head = `POST ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 9\r\n\r\n`;
    await new Promise<void>((resolve) => socket.write(`${head}half`, () => resolve()));
    const isClosed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume().end();
    await isClosed;
    expect(hints).toBe(0);
  });
  it('T15 a short token stops the start', () => {
    const parts = { changed: () => {}, log: { warn: () => {} } };
    expect(() => createAlertHint({ ...parts, token: 'short' })).toThrow('at least 16 characters');
  });
});
