import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answer, createWebServer, listen } from '../../src/web/server.ts';

let server: Server;
let url: string;
let why: string | null;

beforeEach(async () => {
  why = null;
  const handlers = {
    'POST /slack/events': (_request: unknown, response: Parameters<typeof answer>[0]) =>
      answer(response, 200, { heard: true }),
  };
  server = createWebServer({ handlers, whyNotReady: () => why });
  url = `http://127.0.0.1:${await listen(server, '127.0.0.1', 0)}`;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const ask = async (path: string, method = 'GET') => {
  const response = await fetch(url + path, { method });
  return { status: response.status, body: (await response.json()) as unknown };
};

describe('O2 what an orchestrator asks', () => {
  it('is alive while it starts and ends, and ready only in between, with the reason', async () => {
    why = 'starting';
    expect((await ask('/healthz')).status).toBe(200);
    expect(await ask('/readyz')).toEqual({ status: 503, body: { ok: false, why: 'starting' } });
    why = null;
    expect(await ask('/readyz')).toEqual({ status: 200, body: { ok: true } });
    expect((await ask('/readyz?probe=1')).status).toBe(200);
  });
});

describe('T15 the one server', () => {
  it('answers the paths that it has, in the way that they are meant, and nothing else', async () => {
    expect(await ask('/slack/events', 'POST')).toEqual({ status: 200, body: { heard: true } });
    expect((await ask('/slack/events')).status).toBe(405);
    expect((await ask('/constructor')).status).toBe(404);
    expect((await ask('/slack/events/', 'POST')).status).toBe(404);
  });

  it('says what to do when its port is taken', async () => {
    const second = createWebServer({ handlers: {}, whyNotReady: () => null });
    const port = Number(new URL(url).port);
    await expect(listen(second, '127.0.0.1', port)).rejects.toThrow(/http\.port/);
  });
});
