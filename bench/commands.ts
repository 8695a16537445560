import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { App, HTTPReceiver, LogLevel } from '@slack/bolt';
import { createDesk } from '../src/compose/desk.ts';
import { systemClock } from '../src/engine/clock.ts';
import { createCommands } from '../src/engine/commands.ts';
import { createDriftCommands } from '../src/engine/drift-commands.ts';
import { createEngine } from '../src/engine/engine.ts';
import { createSlack } from '../src/slack/app.ts';
import { createInbox, createPosted } from '../src/store/inbox.ts';
import { createWebServer } from '../src/web/server.ts';
import { actor, aService } from '../test/support/service.ts';
import { sha256 } from '../test/support/store.ts';
import { loaded, serving } from './loaded.ts';
import { type Benchmark, interleaved, percentile, type Size, show } from './measure.ts';
import { copyOf, openStore, rolloutIn, SILENT, type Store, temporaryFolder } from './world.ts';

const SECRET = 'a-signing-secret-of-the-benchmark';
const CHANNEL = 'C0SHOP';
const LIVE = 1000;

/** Slack's API as far as these commands ask: who somebody is. */
function slackApi(): Server {
  return createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const user = { id: 'U0DAN', team_id: 'T1', name: 'dan', deleted: false, is_bot: false };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ok: true, user }));
    });
  });
}

/** Belay's way in over HTTP with its desk over the real store, as app.ts composes them. */
function belays(store: Store, apiUrl: string): Server {
  const { ledger, database, commits } = store;
  const engine = createEngine({ ledger, perform: async () => ({ is: 'done' }), clock: systemClock, log: SILENT });
  const newId = () => crypto.randomUUID();
  const commands = createCommands({
    ledger,
    engine,
    now: systemClock.now,
    newId,
    hash: sha256,
    readFacts: async () => null,
  });
  const services = [aService({ channel: CHANNEL })];
  const desk = createDesk({
    services,
    ledger,
    engine,
    commands,
    driftCommands: createDriftCommands({ services, ledger, engine, now: systemClock.now, newId, hash: sha256 }),
    resolveRef: async () => ({ code: 'source-unreachable', detail: 'none here' }),
    nearest: () => null,
    now: systemClock.now,
  });
  const inbox = createInbox(database, commits);
  const posted = createPosted(database, commits);
  const { principal, githubId } = actor('dan');
  const slack = createSlack({
    token: 'xoxb-benchmark',
    mode: 'http',
    signingSecret: SECRET,
    appToken: null,
    apiUrl,
    teamId: 'T1',
    appId: null,
    channels: [],
    people: [{ name: 'Dan', principal, githubId, githubLogin: 'dan' }],
    linkHosts: [],
    desk,
    posted: { get: posted.get, put: (key, message) => posted.put(key, message, Date.now()) },
    pictures: null,
    replays: { seen: (digest, expiresAtMs) => inbox.seen(digest, Date.now(), expiresAtMs) },
    clock: systemClock.now,
    log: SILENT,
  });
  if (!slack.httpHandler) throw new Error('Slack in HTTP mode has a handler');
  return createWebServer({ handlers: { 'POST /slack/events': slack.httpHandler }, whyNotReady: () => null });
}

/** Bolt as its own tutorial sets it up: a signature, a listener, an acknowledgement with a text. */
function bolts(): Server {
  const receiver = new HTTPReceiver({ signingSecret: SECRET, logLevel: LogLevel.ERROR });
  const app = new App({
    receiver,
    authorize: async () => ({ botToken: 'xoxb-benchmark' }),
    convoStore: false,
    logLevel: LogLevel.ERROR,
  });
  app.command(/.*/, async ({ ack }) => {
    await ack({ response_type: 'ephemeral', text: 'Understood.' });
  });
  return createServer(receiver.requestListener.bind(receiver));
}

async function run({ isQuick, rounds }: Size) {
  const count = isQuick ? 300 : 500;
  using folder = temporaryFolder();
  await using store = openStore(join(folder.path, 'belay.db'));
  const template = await rolloutIn('baking');
  // Each on a lane of its own; one of them is of the service that the command asks about.
  const rollouts = [template, ...Array.from({ length: LIVE - 1 }, (_, n) => copyOf(template, n))];
  await Promise.all(rollouts.map((one) => store.ledger.write((tx) => tx.saveRollout(one))));
  await using api = await serving(slackApi());
  await using belay = await serving(belays(store, `http://127.0.0.1:${api.port}/api/`));
  await using bolt = await serving(bolts());

  const p99 = (port: number, command: string, text: string) => async () => {
    const fields = {
      token: 'unused',
      team_id: 'T1',
      channel_id: CHANNEL,
      user_id: 'U0DAN',
      command,
      text,
      response_url: 'https://hooks.slack.com/commands/T1/1/1',
      api_app_id: 'A1',
    };
    const request = { is: 'slack', secret: SECRET, fields } as const;
    const load = { port, path: '/slack/events', connections: 4, count, request };
    const answered = await loaded(load, '200');
    if (!answered.lastBody.includes('ephemeral') || answered.lastBody.includes('could not')) {
      throw new Error(`${command} ${text} was not answered but refused: ${answered.lastBody.slice(0, 300)}`);
    }
    return percentile(answered.latenciesMs, 0.99);
  };
  const contest = await interleaved(rounds, [
    p99(bolt.port, '/belay', 'help'),
    p99(belay.port, '/belay', 'help'),
    p99(belay.port, '/deploy', 'status'),
  ]);
  const [yardstick = 0, help = 0, status = 0] = contest.medians;
  const line = (words: string, ms: number, ratio: number, notes: string[]) => ({
    what: `Signed \`${words}\` to its acknowledgement with ${LIVE.toLocaleString('en')} live rollouts, p99 at 4 at once`,
    belay: show.ms(ms),
    beside: `bare Bolt HTTPReceiver ${show.ms(yardstick)}`,
    ratio,
    goal: '≤ 2',
    isMet: ratio <= 2,
    notes,
  });
  return [
    line('/belay help', help, contest.ratio(1, 0), []),
    line('/deploy status', status, contest.ratio(2, 0), [
      'Bolt keeps nothing. Belay notes each request on disk (synchronous=FULL), before whatever it changes, so that the ' +
        'same one again is known; and `status` reads the database. Both answer in the acknowledgement.',
    ]),
  ];
}

export const commands: Benchmark = { name: 'commands', run };
