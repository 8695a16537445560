import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { belayYml, DEMO_PACE, type Pace, type Setting, shopYml } from './belay/config.ts';
import { type BelayProcess, belayProcess } from './belay/process.ts';
import { type BelayRecord, readRecord } from './belay/record.ts';
import { DEFAULT_REGIONS, type Fleet, type FleetSettings, startFleet } from './fleet/fleet.ts';
import { type GithubSandbox, startGithub } from './github/github.ts';
import type { Login } from './github/people.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';
import { type Merged, openReleases, type ReleaseKind, type Releases } from './releases.ts';
import { shownFleet } from './shown-fleet.ts';
import type { PullRequest } from './slack/page/outlook.ts';
import { type Channel, defaultChannels, SHOP } from './slack/people.ts';
import { type SandboxSlack, startSlack } from './slack/slack.ts';

export type WorldOptions = {
  /** Where configuration, database and log go. Default: a temporary one, removed at the end. */
  folder?: string;
  slackMode?: 'socket' | 'http';
  /** The page's port, if it is free. Left out: any free one. */
  slackPort?: number;
  /** Judge by a real Prometheus server that scrapes the fleet. */
  prometheus?: boolean;
  pace?: Partial<Pace>;
  /** What the fleet is like: regions, the neighbour, how much fails always. */
  fleet?: Pick<FleetSettings, 'regions' | 'payments' | 'backgroundFailsEvery'>;
  /** How long CI takes; null: builds end only by `github.finishBuild`. */
  buildMs?: number | null;
  /** The files as they will be written, to be changed. */
  configure?: (files: Files, setting: Setting) => Files;
};

/** What Belay is started with: belay.yml, the service that things happen to, and any others by their file's name. */
export type Files = { belay: string; shop: string; others?: Record<string, string> };

/** A company on this machine: its Slack, its GitHub, its fleet, and the real Belay between them. */
export type World = {
  slack: SandboxSlack;
  github: GithubSandbox;
  fleet: Fleet;
  prometheus: Prometheus | null;
  belay: BelayProcess;
  record: BelayRecord;
  folder: string;
  configPath: string;
  databasePath: string;
  /** The environment that Belay is started with, for other commands of its command line. */
  env: Record<string, string>;
  /** What runs everywhere at the start. */
  initialDigest: string;
  /** Merges a reviewed pull request whose build behaves like this. By default Ana merges what Ana wrote and Ben reviewed. */
  merge(kind: ReleaseKind, by?: Login): Promise<Merged>;
  pullRequests(): PullRequest[];
  waitForPhase: BelayRecord['waitForPhase'];
  /** What every instance of a target says that it runs, asked over HTTP; null: it does not answer. */
  runs(target: string): Promise<(string | null)[]>;
  /** Ends everything, the newest first. */
  stop(): Promise<void>;
};

/** An instance that says nothing for this long is not there: longer than a busy machine stalls. */
const READ_WITHIN_MS = 10_000;

const TOKENS = {
  bot: 'xoxb-sandbox-bot',
  app: 'xapp-1-sandbox-app',
  signing: 'sandbox-signing-secret',
  webhook: 'sandbox-webhook-secret',
  fleet: 'sandbox-fleet-token',
};

/** Starts everything and settles when Belay is ready and has read where main is. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { slackMode = 'socket' } = options;
  await using started = new AsyncDisposableStack();
  const folder = resolve(options.folder ?? (await mkdtemp(join(tmpdir(), 'belay-sandbox-'))));
  if (options.folder === undefined) started.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'services'), { recursive: true });

  const github = await startGithub({
    webhookSecret: TOKENS.webhook,
    appId: 1001,
    buildMs: options.buildMs === undefined ? 1_000 : options.buildMs,
  });
  started.defer(() => github.stop());
  const initialDigest = github.digestOf(github.initialSha);
  const fleet = await startFleet({
    behaviours: new Map(),
    initialDigest,
    token: TOKENS.fleet,
    regions: DEFAULT_REGIONS,
    ...options.fleet,
  });
  started.defer(() => fleet.stop());
  const prometheus = options.prometheus ? await startPrometheus(folder, fleet.url) : null;
  if (prometheus) started.defer(() => prometheus.stop());
  const releases: Releases = await openReleases(github, fleet, 'staging');
  const slack = await onPort(options.slackPort ?? 0, (port) =>
    startSlack({
      mode: slackMode,
      signingSecret: TOKENS.signing,
      botToken: TOKENS.bot,
      appToken: TOKENS.app,
      port,
      channels: shopFirst(),
      fleetState: shownFleet(fleet, releases),
      merges: { list: releases.list, merge: (id) => releases.mergeNumber(Number(id)) },
      ...(prometheus ? { links: [{ title: 'Prometheus', url: prometheus.url }] } : {}),
    }),
  );
  started.defer(() => slack.stop());

  const setting: Setting = {
    slackMode,
    appId: github.appId,
    installationId: github.installationId,
    fleetUrl: fleet.url,
    prometheusUrl: prometheus?.url ?? null,
    pace: { ...DEMO_PACE, ...options.pace },
  };
  const usual: Files = { belay: belayYml(setting), shop: shopYml(setting) };
  const files = options.configure?.(usual, setting) ?? usual;
  const configPath = join(folder, 'belay.yml');
  const databasePath = join(folder, 'belay.db');
  await writeFile(configPath, files.belay);
  for (const [name, text] of Object.entries({ 'shop.yml': files.shop, ...files.others })) {
    await writeFile(join(folder, 'services', name), text);
  }

  const env = {
    PATH: process.env.PATH ?? '',
    // Reading the program takes most of a start.
    NODE_COMPILE_CACHE: join(tmpdir(), 'belay-sandbox-compiled'),
    SLACK_BOT_TOKEN: TOKENS.bot,
    SLACK_APP_TOKEN: TOKENS.app,
    SLACK_SIGNING_SECRET: TOKENS.signing,
    SLACK_API_URL: slack.apiUrl,
    GITHUB_APP_PRIVATE_KEY: github.privateKey,
    GITHUB_WEBHOOK_SECRET: TOKENS.webhook,
    GITHUB_API_URL: github.url,
    FLEET_TOKEN: TOKENS.fleet,
  };
  const belay = belayProcess({
    configPath,
    logPath: join(folder, 'belay.log'),
    env,
    started(url) {
      github.setWebhookUrl(`${url}/github/webhook`);
      slack.setRequestUrl(`${url}/slack/events`);
    },
  });
  started.defer(() => belay.stop());
  await belay.start();
  const record = readRecord(databasePath);

  // All of it runs: from here on it is ended by `stop`, and no longer by the end of this function.
  const running = started.move();
  return {
    slack,
    github,
    fleet,
    prometheus,
    belay,
    record,
    folder,
    configPath,
    databasePath,
    env,
    initialDigest,
    merge: releases.merge,
    pullRequests: releases.list,
    waitForPhase: record.waitForPhase,
    runs: (target) => whatRuns(fleet, target),
    stop: () => running.disposeAsync(),
  };
}

/** The page opens with the first channel: the one in which things happen. */
function shopFirst(): Channel[] {
  const isShop = (one: Channel) => one.id === SHOP;
  const all = defaultChannels();
  return [...all.filter(isShop), ...all.filter((one) => !isShop(one))];
}

/** On the wished port, or on any when somebody else has it. */
async function onPort<T>(wished: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(wished);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return start(0);
  }
}

async function whatRuns(fleet: Fleet, target: string): Promise<(string | null)[]> {
  const found = fleet.state().targets.find((one) => one.target === target);
  if (!found) throw new Error(`The fleet has no target ${target}`);
  return Promise.all(
    found.instances.map(async ({ metricsUrl }) => {
      if (metricsUrl === null) return null;
      try {
        const answer = await fetch(new URL('/healthz', metricsUrl), { signal: AbortSignal.timeout(READ_WITHIN_MS) });
        return ((await answer.json()) as { digest: string }).digest;
      } catch {
        return null;
      }
    }),
  );
}
