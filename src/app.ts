import cron from 'node-cron';
import type { Ready } from './cli/command.ts';
import { createDesk } from './compose/desk.ts';
import {
  createEdgesOf,
  createGithubOf,
  githubEdge,
  later,
  linkHosts,
  peopleEdge,
  readBranch,
} from './compose/edges.ts';
import { clock, createLog, hash, newId } from './compose/world.ts';
import { nearest } from './core/nearest.ts';
import type { ServiceSpec } from './core/pipeline.ts';
import { createCommands } from './engine/commands.ts';
import { createDriftWatch, type DriftWatchOptions } from './engine/drift.ts';
import { createDriftCommands } from './engine/drift-commands.ts';
import { createEngine } from './engine/engine.ts';
import { coalesced, createIntake } from './engine/intake.ts';
import type { Ledger } from './engine/ledger.ts';
import { punctualLedger } from './engine/punctual-ledger.ts';
import { createWebhookHandler } from './github/receive.ts';
import { resolveRef } from './github/refs.ts';
import { createPerform, createPerformDrift, type Edges } from './perform.ts';
import { createReadFacts } from './plan-facts.ts';
import { createSlack, type SlackParts } from './slack/app.ts';
import type { Pictures } from './slack/pictures.ts';
import { openDatabase } from './store/database.ts';
import { GroupCommit } from './store/group-commit.ts';
import { createInbox, createPosted, type Delivery, type Inbox } from './store/inbox.ts';
import { createLedger } from './store/ledger.ts';
import { lockDatabase } from './store/lock.ts';
import { migrate } from './store/migrate.ts';
import { createPictures } from './store/pictures.ts';
import { createAlertHint } from './web/alert-hint.ts';
import { createWebServer, type Handler, listen } from './web/server.ts';

/** How often the watch for drift asks whose turn it is; each service says itself how often that is. */
const LOOK_FOR_DUE_MS = 5000;

/** The cron expression for looking every so often: node-cron counts whole seconds, minutes and hours. */
export function every(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 60) return `*/${seconds} * * * * *`;
  return `*/${Math.min(59, Math.round(seconds / 60))} * * * *`;
}

/**
 * Runs Belay until the signal aborts and everything is put away. Rejects, with what to do, when it cannot start: a
 * database that cannot be used or is used already, an address in use, credentials that Slack refuses.
 */
export async function start(ready: Ready, signal: AbortSignal): Promise<void> {
  const { installation } = ready;
  const { services } = installation;
  const log = createLog(ready);
  // Put away in the reverse order, also when starting fails half-way.
  await using owned = new AsyncDisposableStack();
  owned.use(lockDatabase(installation.database));
  const database = openDatabase(installation.database);
  owned.defer(() => database.close());
  const applied = migrate(database.raw, clock.now());
  if (applied.length > 0) log.info({ applied }, 'the database was brought to the schema of this version');

  const commits = new GroupCommit(database.writer);
  const ledger = punctualLedger(createLedger(database, commits), clock, log);
  const inbox = createInbox(database, commits);
  const github = createGithubOf(ready);
  // Slack asks the desk, the desk asks the engine, and the engine's effects reach Slack: the circle closes below.
  const people = Promise.withResolvers<Edges['people']>();
  const world = owned.use(createEdgesOf(ready, github));
  const edges: Edges = { ...world, github: githubEdge(github), people: later(people.promise) };
  const performDrift = createPerformDrift(edges);
  const engine = createEngine({ ledger, perform: createPerform(edges), performDrift, clock, log });
  const commands = createCommands({ ledger, engine, now: clock.now, newId, hash, readFacts: createReadFacts(edges) });
  const driftCommands = createDriftCommands({ services, ledger, engine, now: clock.now, newId, hash });
  const desk = createDesk({
    services,
    ledger,
    engine,
    commands,
    driftCommands,
    resolveRef: (service, ref) => resolveRef(github, { ...service, service: service.name, newId, ref }),
    nearest,
    now: clock.now,
  });
  const posted = createPosted(database, commits);
  const pictures = picturesOf(ledger, createPictures(database, commits));
  const slack = createSlack({ ...slackOf(ready), desk, clock: clock.now, log, pictures, ...slackStore(inbox, posted) });
  people.resolve(peopleEdge(slack, services));

  const read = (service: ServiceSpec, sinceSha: string | null) => readBranch(github, service, sinceSha);
  const intake = createIntake({ services, ledger, commands, read, log });
  const quietly = (what: string, work: Promise<unknown>): void => {
    work.catch((error: unknown) => log.error({ detail: String(error) }, what));
  };
  /** What was received and not processed yet: after a start, and whenever something new came. */
  const drain = coalesced(async () => {
    const deliveries = await inbox.unprocessed();
    if (deliveries.length === 0) return;
    const repos = [...new Set(deliveries.map((one) => one.repo))];
    const ids = deliveries.map((one) => one.id);
    // Not processed until the repository was really read: the next schedule looks again.
    if (await intake.lookAt(repos)) await inbox.processed(ids, clock.now());
  });
  const changed = ({ buildSha }: { buildSha: string | null }): void => {
    if (buildSha !== null) {
      const hastened = ledger.hastenBuilds(buildSha, clock.now()).then(engine.kick);
      quietly('a build could not be hastened', hastened);
    }
    quietly('what webhooks said could not be looked at', drain());
  };

  let whyNotReady: string | null = 'starting';
  const handlers: Record<string, Handler> = {};
  if (slack.httpHandler) handlers['POST /slack/events'] = slack.httpHandler;
  const webhook = webhookOf(ready);
  if (webhook) {
    const accept = (delivery: Delivery) => inbox.receive(delivery, clock.now());
    handlers['POST /github/webhook'] = createWebhookHandler({ ...webhook, accept, changed, log });
  }
  const token = ready.secrets.alertmanagerWebhookToken;
  if (token !== null) {
    const alerting = Object.entries(installation.sources).filter(([, one]) => one.kind === 'alertmanager');
    const names = alerting.map(([name]) => name);
    const look = coalesced(() => ledger.hastenLooks(names, clock.now()).then(engine.kick));
    const hinted = () => quietly('looks could not be hastened', look());
    handlers['POST /alertmanager/webhook'] = createAlertHint({ token, changed: hinted, log });
  }
  const server = createWebServer({ handlers, whyNotReady: () => whyNotReady });
  const { host, port } = installation.http;
  const listening = await listen(server, host, port);
  owned.defer(() => {
    server.close();
    // Whoever works was waited for; what is left are half requests.
    server.closeAllConnections();
  });

  const ending = new AbortController();
  const running = engine.run(AbortSignal.any([signal, ending.signal]));
  owned.defer(async () => {
    ending.abort();
    await running;
  });
  owned.defer(() => slack.stop());
  await slack.start();

  const poll = async (): Promise<void> => {
    await intake.lookAt(null);
    await drain();
  };
  await poll();
  const pollQuietly = () => quietly('polling failed', poll());
  const schedule = cron.schedule(every(installation.github.pollEveryMs), pollQuietly, { noOverlap: true });
  owned.defer(async () => void (await schedule.destroy()));
  const watch = createDriftWatch({ services, ledger, engine, clock, log, observe: observeOf(edges) });
  if (services.some((one) => one.driftEveryMs !== null)) {
    const look = () => quietly('looking for drift failed', watch.tick());
    const looks = cron.schedule(every(LOOK_FOR_DUE_MS), look, { noOverlap: true });
    owned.defer(async () => void (await looks.destroy()));
  }
  whyNotReady = null;
  const facts = { host, port: listening, services: services.map((one) => one.name), slack: installation.slack.mode };
  log.info(facts, 'Belay runs');

  await aborted(signal);
  whyNotReady = 'ending';
  log.info({}, 'Belay ends; what is under way is continued by the next start');
}

/** Every instance of a target, read back by its provider. */
function observeOf(edges: Pick<Edges, 'provider'>): DriftWatchOptions['observe'] {
  return async ({ name }, target, signal) => {
    const found = edges.provider(name);
    if (!found) throw new Error(`${name} has no provider`);
    return found.provider.observe({ service: name, target, options: found.options(target) }, signal);
  };
}

function slackOf(ready: Ready) {
  const { installation, secrets, settings } = ready;
  return {
    token: secrets.slackBotToken,
    signingSecret: secrets.slackSigningSecret,
    appToken: secrets.slackAppToken,
    apiUrl: settings.slackApiUrl,
    ...installation.slack,
    people: installation.people,
    linkHosts: linkHosts(ready),
  };
}

function slackStore(inbox: Inbox, posted: ReturnType<typeof createPosted>): Pick<SlackParts, 'posted' | 'replays'> {
  return {
    posted: { get: posted.get, put: (key, message) => posted.put(key, message, clock.now()) },
    replays: { seen: (digest, expiresAtMs) => inbox.seen(digest, clock.now(), expiresAtMs) },
  };
}

/** The renderer is loaded with the first picture: most starts never need its fonts and its 2.5 MB of WebAssembly. */
function picturesOf(ledger: Ledger, kept: ReturnType<typeof createPictures>): Pictures {
  return {
    looks: ledger.looks,
    get: kept.get,
    put: (key, picture) => kept.put(key, picture, clock.now()),
    render: async (chart) => (await import('./chart/render.ts')).renderChart(chart),
  };
}

/** What a webhook must prove; null: none are taken, the repositories are polled. */
function webhookOf({ installation, secrets }: Ready) {
  if (secrets.githubWebhookSecret === null) return null;
  const { repos, installationId } = installation.github;
  const branchesOf = (repo: string) =>
    installation.services.filter((service) => service.repo === repo).map((service) => service.branch);
  return {
    secret: secrets.githubWebhookSecret,
    installationId,
    repos: repos.map((name) => ({ name, id: null, branches: branchesOf(name) })),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
