import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BelayProcess, belayProcess } from '../../sandbox/belay/process.ts';
import { type BelayRecord, readRecord } from '../../sandbox/belay/record.ts';
import { type GithubSandbox, startGithub } from '../../sandbox/github/github.ts';
import { GITHUB_IDS } from '../../sandbox/github/people.ts';
import { ANA, APP, BEN, CHO, DAN, DEPLOYS, SHOP, TEAM } from '../../sandbox/slack/people.ts';
import { type SandboxSlack, type SlackSetup, startSlack } from '../../sandbox/slack/slack.ts';
import type { Message } from '../../sandbox/slack/workspace.ts';
import { type Platform, startPlatform } from './platform.ts';

export const SIGNING_SECRET = 'a-signing-secret-of-the-tests';
export const WEBHOOK_SECRET = 'a-webhook-secret-of-the-tests';

/** The sandbox's world with a platform that has no processes: for tests whose point is not the fleet. */
export type Town = {
  slack: SandboxSlack;
  github: GithubSandbox;
  platform: Platform;
  belay: BelayProcess;
  record: BelayRecord;
  env: Record<string, string>;
  configPath: string;
  databasePath: string;
  initialDigest: string;
  /** Merges a reviewed change of Ana's and builds it; Belay hears of it when the build is green. */
  merge(options?: MergeOptions): Promise<Merged>;
  /** A commit of Ana's straight to main, without a review. */
  push(): Promise<Merged>;
  stop(): Promise<void>;
};

export type MergeOptions = { isBad?: boolean; isBadInWaves?: boolean; isCrashing?: boolean };
export type Merged = { sha: string; digest: string };

export type TownOptions = {
  slackMode?: 'socket' | 'http';
  slack?: Partial<SlackSetup>;
  /** How often GitHub is asked besides its webhooks. */
  poll?: string;
  /** How long each step is watched. */
  bake?: string;
  /** How long on-call has before the default happens. */
  decide?: string;
  /** How often what runs is compared with what is recorded. */
  drift?: string;
  /** How long the platform works on a change. */
  workMs?: number;
  /** Targets on which nothing runs yet. */
  empty?: string[];
  /** Whether Belay is started at once. */
  isStarted?: boolean;
};

export async function startTown(options: TownOptions = {}): Promise<Town> {
  const { slackMode = 'socket', poll = '5m', bake = '200ms', decide = '1h', drift = '5m', workMs = 30 } = options;
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'belay-acceptance-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'services'));
  const github = await startGithub({ webhookSecret: WEBHOOK_SECRET, appId: 1001, buildMs: null });
  started.defer(() => github.stop());
  const initialDigest = github.digestOf(github.initialSha);
  const platform = await startPlatform(initialDigest, workMs, options.empty);
  started.defer(() => platform.stop());
  const slack = await startSlack({
    mode: slackMode,
    signingSecret: SIGNING_SECRET,
    botToken: 'xoxb-acceptance',
    appToken: 'xapp-1-acceptance',
    eventRetriesMs: [],
    ...options.slack,
  });
  started.defer(() => slack.stop());

  const configPath = join(folder, 'belay.yml');
  const databasePath = join(folder, 'belay.db');
  await writeFile(configPath, belayYml({ slackMode, poll, github, platform }));
  await writeFile(join(folder, 'services', 'shop.yml'), shopYml(bake, decide, drift));
  const env = {
    PATH: process.env.PATH ?? '',
    // Reading the program takes most of a start, and these tests start it often.
    NODE_COMPILE_CACHE: join(tmpdir(), 'belay-acceptance-compiled'),
    SLACK_BOT_TOKEN: 'xoxb-acceptance',
    SLACK_APP_TOKEN: 'xapp-1-acceptance',
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    SLACK_API_URL: slack.apiUrl,
    GITHUB_APP_PRIVATE_KEY: github.privateKey,
    GITHUB_WEBHOOK_SECRET: WEBHOOK_SECRET,
    GITHUB_API_URL: github.url,
    PLATFORM_TOKEN: platform.token,
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
  if (options.isStarted !== false) await belay.start();

  let changes = 0;
  /** What `land` puts on main is built before Belay is told of anything. */
  async function built(land: () => Promise<string>, behaviour: MergeOptions = {}): Promise<Merged> {
    github.deliveries.holdNext(100);
    const sha = await land();
    const digest = github.digestOf(sha);
    if (behaviour.isBad) platform.bad.add(digest);
    if (behaviour.isBadInWaves) platform.badInWaves.add(digest);
    if (behaviour.isCrashing) platform.crashing.add(digest);
    await github.finishBuild(sha);
    await github.deliveries.release();
    return { sha, digest };
  }

  const running = started.move();
  return {
    slack,
    github,
    platform,
    belay,
    record: readRecord(databasePath),
    env,
    configPath,
    databasePath,
    initialDigest,
    merge: (behaviour) =>
      built(async () => {
        changes += 1;
        const pull = await github.createPullRequest({ title: `Change ${changes}`, author: 'ana' });
        github.approve(pull.number, 'ben');
        return github.merge(pull.number, 'ana');
      }, behaviour),
    push: () => built(() => github.push('ana', 'Straight to main', { [`src/push-${Date.now()}.ts`]: 'export {};\n' })),
    stop: () => running.disposeAsync(),
  };
}

/** The cards of this commit's rollouts in the channel, by their sentence: other cards may name the commit in passing. */
export function cardsOf(town: Pick<Town, 'slack'>, sha: string): Message[] {
  return town.slack.messages(SHOP).filter((one) => one.threadTs === null && one.text.includes(sha.slice(0, 7)));
}

/** A card's thread without the card. */
export function threadOf(town: Pick<Town, 'slack'>, sha: string): Message[] {
  const [card] = cardsOf(town, sha);
  return card ? town.slack.thread(SHOP, card.ts).slice(1) : [];
}

/** The message of the thread that has this button now. */
export function messageWith(town: Pick<Town, 'slack'>, sha: string, actionId: string): Message | null {
  const has = (one: Message) => JSON.stringify(one.blocks).includes(`"action_id":"${actionId}"`);
  return threadOf(town, sha).find(has) ?? cardsOf(town, sha).find(has) ?? null;
}

/** Presses a button as soon as it is there. */
export async function press(town: Pick<Town, 'slack'>, user: string, sha: string, actionId: string): Promise<Message> {
  const message = await town.slack.waitFor(() => messageWith(town, sha, actionId));
  await town.slack.click(user, message, actionId);
  return message;
}

/** What was said to one person only, as JSON. */
export function toldTo(town: Pick<Town, 'slack'>, user: string): string {
  return JSON.stringify(town.slack.ephemerals(user));
}

function belayYml(setting: { slackMode: string; poll: string; github: GithubSandbox; platform: Platform }): string {
  const { github, platform } = setting;
  const people = Object.entries({ ana: ANA, ben: BEN, cho: CHO, dan: DAN }).map(([login, slack]) => {
    const name = `${login.slice(0, 1).toUpperCase()}${login.slice(1)}`;
    return `  - { name: ${name}, slack: ${slack}, github: { id: ${GITHUB_IDS[login as 'ana']}, login: ${login} } }`;
  });
  return `database: belay.db
http: { host: 127.0.0.1, port: 0 }
slack: { mode: ${setting.slackMode}, team: ${TEAM}, app: ${APP}, channels: [${DEPLOYS}] }
github: { app: ${github.appId}, installation: ${github.installationId}, poll: ${setting.poll} }
providers:
  platform: { kind: http, url: '${platform.url}', token: '\${PLATFORM_TOKEN}' }
sources:
  probe: { kind: http, url: '${platform.url}' }
people:
${people.join('\n')}
services: [services/shop.yml]
`;
}

/** The deadlines are so long that no machine is slow enough to come near: what happens at one is tested elsewhere. */
function shopYml(bake: string, decide: string, drift: string): string {
  const watched = `{ for: ${bake}, every: 100ms, deadline: 1h }`;
  return `service: shop
repo: acme/shop
channel: ${SHOP}
roles:
  deployers: [Ana, Ben, Cho, Dan]
  approvers: [Ben, Cho]
  onCall: [Cho]
onCall: Cho
build: { check: build, deadline: 1h }
drift: { every: ${drift} }
provider: platform
targets:
  staging:
  us:
  eu:
stages:
  - name: staging
    targets: [staging]
    signals: [{ name: checkout, kind: check, source: probe, query: { path: /probe/staging } }]
    bake: ${watched}
  - name: production
    protected: true
    approvals: { required: 1, expire: 1h }
    signals: [{ name: checkout, kind: check, source: probe, query: { path: /probe/production } }]
    targets: [us, eu]
    rollout:
      canary: { share: 25%, bake: ${watched} }
      waves: [regions]
    bake: ${watched}
    onDegraded: ask
    decide: { within: ${decide}, default: roll-back }
`;
}
