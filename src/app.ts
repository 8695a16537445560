import { createHash } from 'node:crypto';
import cron from 'node-cron';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Ready, RollbackAnswer, RollbackWish } from './cli/command.ts';
import { resolveSecrets } from './config/references.ts';
import type { Effect } from './core/effect.ts';
import { nearest } from './core/nearest.ts';
import type { ServiceSpec } from './core/pipeline.ts';
import { isPlanProblem, type Plan, planOf } from './core/plan.ts';
import { type Actor, principalKey } from './core/principal.ts';
import { isOver } from './core/rollout.ts';
import { createDesk } from './desk.ts';
import { systemClock } from './engine/clock.ts';
import { createCommands } from './engine/commands.ts';
import { createEngine, type Engine } from './engine/engine.ts';
import { createIntake, type Reading } from './engine/intake.ts';
import type { Performed } from './engine/perform.ts';
import { watchBuild } from './github/build.ts';
import { createGithub, type GithubClient } from './github/client.ts';
import { compare, isChangesProblem, isOnBranch, readChanges, readHead } from './github/facts.ts';
import { createWebhookHandler } from './github/receive.ts';
import { resolveRef } from './github/refs.ts';
import { SOURCES } from './health/index.ts';
import type { Source } from './health/source.ts';
import { createPerform, type Edges } from './perform.ts';
import { PROVIDERS } from './providers/index.ts';
import type { Provider } from './providers/provider.ts';
import { createSlack, type Slack } from './slack/app.ts';
import type { RefProblem } from './slack/desk.ts';
import type { OutputAnswer } from './slack/output.ts';
import { openDatabase, StoreError } from './store/database.ts';
import { GroupCommit } from './store/group-commit.ts';
import { createInbox, createPosted } from './store/inbox.ts';
import { createLedger } from './store/ledger.ts';
import { lockDatabase } from './store/lock.ts';
import { migrate, migrationState } from './store/migrate.ts';
import { createWebServer, type Handler, listen } from './web/server.ts';

const clock = systemClock;
const newId = (): string => uuidv7();
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** How long a rollback by the command line, with no Belay running, may take before the next start has to finish it. */
const HOST_ROLLBACK_MS = 15 * 60_000;

function createLog(ready: Ready) {
  return pino({
    level: ready.settings.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['token', '*.token', 'authorization', '*.authorization', 'secret', '*.secret'],
      censor: '[secret]',
    },
  });
}

/** The platforms and sources of the installation, each built once with its real options. */
function createEdgesOf(ready: Ready): Pick<Edges, 'provider' | 'source'> {
  const { installation, variables } = ready;
  const context = { fetch: globalThis.fetch, now: clock.now };
  const providers = new Map<string, Provider>();
  for (const [name, { kind, options }] of Object.entries(installation.providers)) {
    const known = PROVIDERS[kind];
    if (!known) throw new Error(`There is no provider of the kind ${kind}`);
    providers.set(name, known.create(known.schema.parse(resolveSecrets(options, variables)), context));
  }
  const provider: Edges['provider'] = (service) => {
    const spec = installation.services.find((one) => one.name === service);
    const found = spec && providers.get(spec.provider);
    return spec && found ? { provider: found, options: (target) => spec.targets[target] ?? {} } : null;
  };
  const instances = async (service: string, target: string, signal: AbortSignal) => {
    const found = provider(service);
    if (!found) return [];
    return (await found.provider.observe({ service, target, options: found.options(target) }, signal)).instances;
  };
  const sources = new Map<string, Source>();
  for (const [name, { kind, options }] of Object.entries(installation.sources)) {
    const known = SOURCES[kind];
    if (!known) throw new Error(`There is no source of the kind ${kind}`);
    sources.set(name, known.create(known.schema.parse(resolveSecrets(options, variables)), { ...context, instances }));
  }
  return { provider, source: (name) => sources.get(name) ?? null };
}

function createGithubOf({ installation, secrets, settings }: Ready): GithubClient {
  return createGithub({
    appId: installation.github.appId,
    privateKey: secrets.githubPrivateKey,
    installationId: installation.github.installationId,
    ...(settings.githubApiUrl ? { baseUrl: settings.githubApiUrl } : {}),
  });
}

function githubEdge(client: GithubClient): Edges['github'] {
  return {
    watchBuild: (repo, sha, check) => watchBuild(client, { repo, sha, check }),
    compare: (repo, base, head) => compare(client, repo, base, head),
    isOnBranch: (repo, branch, sha) => isOnBranch(client, repo, branch, sha),
  };
}

async function readBranch(client: GithubClient, service: ServiceSpec, sinceSha: string | null): Promise<Reading> {
  const { repo, branch, pipeline, name } = service;
  if (sinceSha === null) {
    return { is: 'read', headSha: await readHead(client, repo, branch), releases: [], hasMore: false };
  }
  const changes = await readChanges(client, { repo, branch, service: name, pipeline, newId, sinceSha });
  if (isChangesProblem(changes)) return { is: 'rewritten', headSha: changes.headSha, detail: changes.code };
  return { is: 'read', ...changes };
}

/** Slack as the outbox sees it: what is not done yet is tried again, and what can never be is dropped. */
function peopleEdge(slack: Slack, services: ServiceSpec[]): Edges['people'] {
  const performed = async (answer: Promise<OutputAnswer>): Promise<Performed> => {
    const said = await answer;
    switch (said.is) {
      case 'done':
        return { is: 'done' };
      case 'running':
        return { is: 'later', afterMs: said.retryAfterMs };
      case 'failed':
        return said.isTerminal
          ? { is: 'given-up', detail: said.detail }
          : { is: 'failed', detail: said.detail, retryAfterMs: null };
    }
  };
  return {
    eligibleAmong: async (rollout, principals) => {
      // Whoever lost the role since the rollout was created may approve it no more.
      const now = services.find((service) => service.name === rollout.service) ?? rollout.spec;
      const mayApprove = (key: string) =>
        [rollout.spec, now].every(
          (spec) => spec.roles.approver.includes(key) || spec.roles['on-call'].includes(key) || spec.onCall === key,
        );
      return slack.eligibleAmong(principals.filter(mayApprove));
    },
    project: (rollout) => performed(slack.project(rollout.id)),
    announce: (rollout, effect) => performed(slack.announce(effect.key, rollout.id, effect.what, effect.phase)),
    page: (rollout, effect: Extract<Effect, { kind: 'page' }>) =>
      performed(slack.page(effect.key, rollout.id, { who: effect.who, phase: effect.phase, round: effect.round })),
  };
}

/** Where messages may link to besides a release's own host: the sources whose graphs they show. */
function linkHosts({ installation, variables }: Ready): string[] {
  const hosts = Object.values(installation.sources).flatMap(({ options }) => {
    const resolved = resolveSecrets(options, variables);
    const url = resolved !== null && typeof resolved === 'object' && 'url' in resolved ? resolved.url : null;
    return typeof url === 'string' && URL.canParse(url) ? [new URL(url).host] : [];
  });
  return [...new Set(hosts)];
}

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
  const { installation, secrets, settings } = ready;
  const log = createLog(ready);
  const { services } = installation;
  using _lock = lockDatabase(installation.database);
  const database = openDatabase(installation.database);
  try {
    const applied = migrate(database.raw, clock.now());
    if (applied.length > 0) log.info({ applied }, 'the database was brought to the schema of this version');
    const commits = new GroupCommit(database.writer);
    const ledger = createLedger(database, commits);
    const inbox = createInbox(database, commits);
    const posted = createPosted(database, commits);
    const github = createGithubOf(ready);

    // Slack asks the desk, the desk asks the engine, and the engine's effects reach Slack: the circle closes here.
    const people = Promise.withResolvers<Edges['people']>();
    const edges: Edges = { ...createEdgesOf(ready), github: githubEdge(github), people: later(people.promise) };
    const engine: Engine = createEngine({ ledger, perform: createPerform(edges), clock, log });
    const commands = createCommands({ ledger, engine, now: clock.now, newId, hash });
    const lane = (service: ServiceSpec) => ({ ...service, service: service.name, newId });
    const desk = createDesk({
      services,
      ledger,
      engine,
      commands,
      resolveRef: (service, ref) => resolveRef(github, { ...lane(service), ref }),
      nearest,
      now: clock.now,
    });
    const slack = createSlack({
      token: secrets.slackBotToken,
      mode: installation.slack.mode,
      signingSecret: secrets.slackSigningSecret,
      appToken: secrets.slackAppToken,
      apiUrl: settings.slackApiUrl,
      teamId: installation.slack.teamId,
      appId: installation.slack.appId,
      channels: installation.slack.channels,
      people: installation.people,
      linkHosts: linkHosts(ready),
      desk,
      posted: { get: posted.get, put: (key, message) => posted.put(key, message, clock.now()) },
      replays: { seen: (digest, expiresAtMs) => inbox.seen(digest, clock.now(), expiresAtMs) },
      clock: clock.now,
      log,
    });
    people.resolve(peopleEdge(slack, services));

    const intake = createIntake({
      services,
      ledger,
      commands,
      read: (service, sinceSha) => readBranch(github, service, sinceSha),
      log,
    });
    /** What was received and not processed yet: after a start, and whenever something new came. */
    async function drain(): Promise<void> {
      const deliveries = await inbox.unprocessed();
      if (deliveries.length === 0) return;
      const repos = [...new Set(deliveries.map((one) => one.repo))];
      // Not processed until the repository was really read: the next schedule looks again.
      if (await intake.lookAt(repos))
        await inbox.processed(
          deliveries.map((one) => one.id),
          clock.now(),
        );
    }
    const quietly = (what: string, work: Promise<unknown>) => {
      work.catch((error: unknown) => log.error({ detail: String(error) }, what));
    };

    let whyNotReady: string | null = 'starting';
    const handlers: Record<string, Handler> = {};
    if (slack.httpHandler) handlers['POST /slack/events'] = slack.httpHandler;
    if (secrets.githubWebhookSecret !== null) {
      handlers['POST /github/webhook'] = createWebhookHandler({
        secret: secrets.githubWebhookSecret,
        installationId: installation.github.installationId,
        repos: installation.github.repos.map((name) => ({
          name,
          id: null,
          branches: services.filter((service) => service.repo === name).map((service) => service.branch),
        })),
        accept: (delivery) => inbox.receive(delivery, clock.now()),
        changed: ({ buildSha }) => {
          if (buildSha !== null)
            quietly('a build could not be hastened', ledger.hastenBuilds(buildSha, clock.now()).then(engine.kick));
          quietly('what webhooks said could not be looked at', drain());
        },
        log,
      });
    }
    const server = createWebServer({ handlers, whyNotReady: () => whyNotReady });
    const { host, port } = installation.http;
    const listening = await listen(server, host, port);

    const running = engine.run(signal);
    await slack.start();
    const poll = async () => {
      await intake.lookAt(null);
      await drain();
    };
    await poll();
    const schedule = cron.schedule(every(installation.github.pollEveryMs), () => quietly('polling failed', poll()), {
      noOverlap: true,
    });
    whyNotReady = null;
    log.info(
      { host, port: listening, services: services.map((one) => one.name), slack: installation.slack.mode },
      'Belay runs',
    );

    await new Promise<void>((resolve) => {
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    whyNotReady = 'ending';
    log.info({}, 'Belay ends; what is under way is continued by the next start');
    await schedule.destroy();
    server.close();
    server.closeIdleConnections();
    await slack.stop();
    await running;
  } finally {
    await database.close();
  }
}

/** Edges that are there a moment later than whoever asks them. */
function later(people: Promise<Edges['people']>): Edges['people'] {
  return {
    eligibleAmong: async (...given) => (await people).eligibleAmong(...given),
    project: async (...given) => (await people).project(...given),
    announce: async (...given) => (await people).announce(...given),
    page: async (...given) => (await people).page(...given),
  };
}

/** What a deploy would do, with facts read from GitHub now. Changes nothing and needs no database. */
export async function plan(
  ready: Ready,
  wish: { service: string; ref: string | null; upTo: string | null },
): Promise<Plan | RefProblem> {
  const { services } = ready.installation;
  const names = services.map((service) => service.name);
  const service = services.find((one) => one.name === wish.service);
  if (!service) {
    return { code: 'unknown-service', found: wish.service, nearest: nearest(wish.service, names), known: names };
  }
  const lane = { ...service, service: service.name, newId };
  const release = await resolveRef(createGithubOf(ready), { ...lane, ref: wish.ref });
  if ('code' in release) return release;
  const made = planOf(service, release, wish.upTo, hash);
  if (!isPlanProblem(made)) return made;
  const stages = service.stages.map((stage) => stage.name);
  const found = wish.upTo ?? '';
  return { code: 'unknown-stage', found, nearest: nearest(found, stages), known: stages };
}

/**
 * A rollback from the host, for when Slack is down. A running Belay carries it out at once; where none runs, this
 * process does, and ends when every instance was read back.
 */
export async function rollback(ready: Ready, wish: RollbackWish): Promise<RollbackAnswer> {
  const { installation } = ready;
  const { services } = installation;
  const names = services.map((service) => service.name);
  const service = services.find((one) => one.name === wish.service);
  if (!service) {
    const problem: RefProblem = {
      code: 'unknown-service',
      found: wish.service,
      nearest: nearest(wish.service, names),
      known: names,
    };
    return { is: 'unknown', problem };
  }
  const lock = tryLock(installation.database);
  const database = openDatabase(installation.database);
  try {
    if (migrationState(database.raw).pending.length > 0) {
      throw new StoreError(`${installation.database} lacks migrations: run belay migrate first`);
    }
    const log = createLog(ready);
    const ledger = createLedger(database, new GroupCommit(database.writer));
    const nobody = async (): Promise<Performed> => ({
      is: 'failed',
      detail: 'Slack is told by the next start',
      retryAfterMs: 60_000,
    });
    const people: Edges['people'] = {
      eligibleAmong: async () => [],
      project: nobody,
      announce: nobody,
      page: nobody,
    };
    const edges: Edges = { ...createEdgesOf(ready), github: githubEdge(createGithubOf(ready)), people };
    const engine = createEngine({ ledger, perform: createPerform(edges), clock, log });
    const commands = createCommands({ ledger, engine, now: clock.now, newId, hash });
    const actor: Actor = {
      principal: { kind: 'host', user: wish.user },
      name: wish.user,
      standing: 'member',
      roles: [],
      githubId: null,
    };
    const { stage, to, because } = wish;
    const outcome = await commands.rollback({ service, stage, to, because, actor });
    if (outcome.is === 'refused') return { is: 'refused', refusal: outcome.refusal };
    const { id } = outcome.rollout;
    if (!lock) return { is: 'requested', id, isRunning: true };
    log.info(
      { by: principalKey(actor.principal), rollout: id },
      'no Belay runs here: the rollback is done by this command',
    );
    const isDone = await runUntilOver(engine, () => ledger.rollout(id));
    return isDone ? { is: 'done', id } : { is: 'requested', id, isRunning: false };
  } finally {
    await database.close();
    lock?.[Symbol.dispose]();
  }
}

function tryLock(path: string): Disposable | null {
  try {
    return lockDatabase(path);
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

async function runUntilOver(
  engine: Engine,
  read: () => Promise<Parameters<typeof isOver>[0] | null>,
): Promise<boolean> {
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  const untilMs = clock.now() + HOST_ROLLBACK_MS;
  let isDone = false;
  while (!isDone && clock.now() < untilMs) {
    await clock.wait(200, stop.signal);
    const rollout = await read();
    isDone = rollout !== null && isOver(rollout);
  }
  stop.abort();
  await running;
  return isDone;
}
