import { createHmac, generateKeyPairSync, randomUUID, timingSafeEqual } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import { join } from 'node:path';
import { createNodeMiddleware, Probot } from 'probot';
import { createWebhookHandler } from '../src/github/receive.ts';
import { createInbox } from '../src/store/inbox.ts';
import { createWebServer } from '../src/web/server.ts';
import { loaded, serving } from './loaded.ts';
import { type Benchmark, interleaved, perSecond, type Size, show } from './measure.ts';
import { openStore, SILENT, type Store, temporaryFolder } from './world.ts';

const SECRET = 'a-webhook-secret-of-the-benchmark';
const REPO = 'acme/shop';
const CONNECTIONS = 32;
const MERGED = `${'c'.repeat(39)}1`;

/** A push of 24 KB, as GitHub sends it for a merge of some twenty commits. */
export function aPush(): string {
  const commit = (n: number) => ({
    id: n.toString(16).padStart(40, 'd'),
    message: `Change ${n}\n\n${'Why this is done, in a sentence or two. '.repeat(12)}`,
    timestamp: '2026-03-02T10:00:00Z',
    url: `https://github.com/${REPO}/commit/${n.toString(16).padStart(40, 'd')}`,
    author: { name: 'Ana', email: 'ana@example.com', username: 'ana' },
    modified: Array.from({ length: 8 }, (_, file) => `src/part-${n}/file-${file}.ts`),
  });
  const payload = {
    ref: 'refs/heads/main',
    before: 'b'.repeat(40),
    after: MERGED,
    deleted: false,
    repository: { id: 1, full_name: REPO, private: true },
    installation: { id: 4711 },
    sender: { id: 100_001, login: 'ana' },
    commits: Array.from({ length: 22 }, (_, n) => commit(n)),
  };
  const json = JSON.stringify({ ...payload, padding: '' });
  return JSON.stringify({ ...payload, padding: ' '.repeat(Math.max(0, 24 * 1024 - Buffer.byteLength(json))) });
}

/** Rows into `deliveries`, grouped in one commit for all that wait: what Belay's store does, without Belay. */
function bareInserts(store: Store): (id: string, event: string, repo: string) => Promise<void> {
  const insert = store.database.raw.prepare(
    'INSERT INTO deliveries (id, event, repo, received_at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
  );
  let waiting: { row: string[]; resolve: () => void }[] = [];
  const commit = () => {
    const group = waiting;
    waiting = [];
    const all = store.database.raw.transaction(() => {
      for (const { row } of group) insert.run(...row, Date.now());
    });
    all.immediate();
    for (const { resolve } of group) resolve();
  };
  return (...row) =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(commit);
      waiting.push({ row, resolve });
    });
}

/** The least that is right: the signature over the bytes, the repository's name, the row, 202. */
export function bare(store: Store, isParsing: boolean): RequestListener {
  const insert = bareInserts(store);
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks);
      const computed = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
      const claimed = String(request.headers['x-hub-signature-256']);
      if (claimed.length !== computed.length || !timingSafeEqual(Buffer.from(claimed), Buffer.from(computed))) {
        return response.writeHead(401).end();
      }
      const repo = isParsing ? JSON.parse(body.toString()).repository.full_name : REPO;
      await insert(String(request.headers['x-github-delivery']), String(request.headers['x-github-event']), repo);
      response.writeHead(202).end();
    });
  };
}

/** The same row from a handler of Probot's, which answers once the handler is done. */
export async function probots(store: Store): Promise<RequestListener> {
  const insert = bareInserts(store);
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const probot = new Probot({ appId: 1, privateKey, secret: SECRET, logLevel: 'fatal' });
  const listens = (app: Probot) => {
    app.on('push', ({ id, name, payload }) => insert(id, name, payload.repository.full_name));
  };
  const middleware = await createNodeMiddleware(listens, { probot, webhooksPath: '/github/webhook' });
  return (request, response) => void middleware(request, response);
}

export function belays(store: Store) {
  const inbox = createInbox(store.database, store.commits);
  const handler = createWebhookHandler({
    secret: SECRET,
    installationId: 4711,
    repos: [{ name: REPO, id: null, branches: ['main'] }],
    accept: (delivery) => inbox.receive(delivery, Date.now()),
    changed: () => {},
    log: SILENT,
  });
  return createWebServer({ handlers: { 'POST /github/webhook': handler }, whyNotReady: () => null });
}

async function run({ isQuick, rounds }: Size) {
  const count = isQuick ? 1000 : 1500;
  const body = aPush();
  using folder = temporaryFolder();
  const measured = (serve: (store: Store) => Promise<RequestListener | Server>, status: string) => {
    return async () => {
      await using store = openStore(join(folder.path, `${randomUUID()}.db`));
      await using server = await serving(await serve(store));
      const request = { is: 'github', secret: SECRET, event: 'push', body } as const;
      const { port } = server;
      const load = { port, path: '/github/webhook', connections: CONNECTIONS, count, request };
      const { ms } = await loaded(load, status);
      const { rows } = store.database.raw.prepare('SELECT count(*) AS rows FROM deliveries').get() as { rows: number };
      if (rows !== count) throw new Error(`${count} deliveries were answered and ${rows} are in the database`);
      return perSecond(count, ms);
    };
  };
  const contest = await interleaved(rounds, [
    measured(async (store) => belays(store), '202'),
    measured(async (store) => bare(store, true), '202'),
    measured(async (store) => bare(store, false), '202'),
    measured(probots, '200'),
  ]);
  const [belay = 0, parsing = 0, blind = 0, probot = 0] = contest.medians;
  const ratio = contest.ratio(0, 1);
  const what = `Webhooks of ${Math.round(Buffer.byteLength(body) / 1024)} KB, signed, on disk before they are answered, over ${CONNECTIONS} connections`;
  return [
    {
      what,
      belay: show.rate(belay),
      beside: `node:http + HMAC + JSON.parse + the same row ${show.rate(parsing)}`,
      ratio,
      goal: '≥ 0.7',
      isMet: ratio >= 0.7,
      notes: [
        `All with synchronous=FULL and grouped commits. Without reading the body at all, the bare one makes ${show.rate(blind)} ` +
          `(ratio ${show.ratio(contest.ratio(0, 2))}).`,
      ],
    },
    {
      what,
      belay: show.rate(belay),
      beside: `probot 14.3.2 + the same row ${show.rate(probot)}`,
      ratio: contest.ratio(0, 3),
      goal: '≥ 3',
      isMet: contest.ratio(0, 3) >= 3,
      notes: [],
    },
  ];
}

export const webhook: Benchmark = { name: 'webhook', run };
