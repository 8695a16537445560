import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type GithubSandbox, startGithub } from '../sandbox/github/github.ts';
import { ANA, APP, BEN, CHO, SHOP, TEAM } from '../sandbox/slack/people.ts';
import { type SandboxSlack, startSlack } from '../sandbox/slack/slack.ts';
import { enter } from '../src/core/door.ts';
import { type Benchmark, interleaved, median, type Size, show } from './measure.ts';
import { copyOf, openStore, rolloutIn, temporaryFolder } from './world.ts';

const BELAY = fileURLToPath(new URL('../bin/belay', import.meta.url));
const BOT_TOKEN = 'xoxb-benchmark';
const SIGNING_SECRET = 'a-signing-secret-of-the-benchmark';
/** Of user and system time in /proc: 100 a second on every Linux of today. */
const TICKS_PER_SECOND = 100;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port was given');
  return address.port;
}

/** Rollouts that wait for an approval, each with its expiry as a timer. */
async function fill(path: string, count: number): Promise<void> {
  await using store = openStore(path);
  const template = await rolloutIn('gated');
  const rollouts = Array.from({ length: count }, (_, n) => copyOf(template, n));
  const dueAtMs = Date.now() + 4 * 3_600_000;
  await Promise.all(
    rollouts.map((one) =>
      store.ledger.write(async (tx) => {
        const { rollout, effects } = enter(one, one.phase, [{ kind: 'wake', timer: 'gate-expiry' }], Date.now());
        await tx.saveRollout(rollout);
        for (const effect of effects) if (effect.kind === 'wake') await tx.owe(rollout, effect, dueAtMs);
      }),
    ),
  );
}

function configure(folder: string, port: number, github: GithubSandbox): string {
  const people = { Ana: [ANA, 100_001, 'ana'], Ben: [BEN, 100_002, 'ben'], Cho: [CHO, 100_003, 'cho'] };
  const belay = {
    database: 'belay.db',
    http: { host: '127.0.0.1', port },
    slack: { mode: 'http', team: TEAM, app: APP },
    github: { app: github.appId, installation: github.installationId, poll: '1m' },
    providers: { platform: { kind: 'memory' } },
    sources: { site: { kind: 'http', url: 'http://127.0.0.1:9' } },
    people: Object.entries(people).map(([name, [slack, id, login]]) => ({ name, slack, github: { id, login } })),
    services: ['shop.yml'],
  };
  const service = {
    service: 'shop',
    repo: github.repo,
    branch: 'main',
    channel: SHOP,
    roles: { deployers: ['Ana'], approvers: ['Ben'], onCall: ['Cho'] },
    onCall: 'Cho',
    provider: 'platform',
    targets: { staging: { regions: { eu: 1 } } },
    signals: [{ name: 'up', kind: 'check', source: 'site', query: { path: '/' } }],
    stages: [{ name: 'staging', targets: ['staging'], bake: { for: '1m' } }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'shop.yml'), JSON.stringify(service));
  const path = join(folder, 'belay.yml');
  writeFileSync(path, JSON.stringify(belay));
  return path;
}

type Belay = AsyncDisposable & { child: ChildProcess; startMs: number };

/** `belay start` as a process of its own; resolves as soon as it answers over HTTP. */
async function startBelay(config: string, port: number, slack: SandboxSlack, github: GithubSandbox): Promise<Belay> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [BELAY, 'start', '--config', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      BELAY_LOG_LEVEL: 'warn',
      SLACK_API_URL: slack.apiUrl,
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      GITHUB_API_URL: github.url,
      GITHUB_APP_PRIVATE_KEY: github.privateKey,
    },
  });
  const ended = once(child, 'exit');
  for (;;) {
    if (child.exitCode !== null) throw new Error(`belay start ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    if (answer?.ok) break;
    await sleep(5);
  }
  return {
    child,
    startMs: performance.now() - startedMs,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000;
}

async function run({ isQuick, rounds }: Size) {
  const live = isQuick ? 100 : 1000;
  const settleMs = isQuick ? 1000 : 5000;
  const watchMs = isQuick ? 2000 : 10_000;
  const github = await startGithub({ webhookSecret: 'a-webhook-secret-of-the-benchmark', appId: 12 });
  const slack = await startSlack({
    mode: 'http',
    signingSecret: SIGNING_SECRET,
    botToken: BOT_TOKEN,
    appToken: 'xapp-benchmark',
  });
  const starts: number[] = [];
  const shares: number[] = [];
  const resident = (count: number) => async () => {
    using folder = temporaryFolder();
    const port = await freePort();
    const config = configure(folder.path, port, github);
    await fill(join(folder.path, 'belay.db'), count);
    await using belay = await startBelay(config, port, slack, github);
    const pid = belay.child.pid ?? 0;
    starts.push(belay.startMs);
    await sleep(settleMs);
    const before = processorMs(pid);
    await sleep(watchMs);
    if (count > 0) shares.push((processorMs(pid) - before) / watchMs);
    return residentKb(pid);
  };
  try {
    const { medians } = await interleaved(Math.min(rounds, 2), [resident(0), resident(live)]);
    const [emptyKb = 0, fullKb = 0] = medians;
    const eachKb = (fullKb - emptyKb) / live;
    const share = median(shares);
    const beside = `${live.toLocaleString('en')} live rollouts that wait for an approval`;
    return [
      {
        what: '`belay start` from nothing to its first answer over HTTP',
        belay: show.ms(median(starts)),
        beside: 'Node alone is a part of it',
        ratio: null,
        goal: 'none set',
        isMet: null,
        notes: ['Against the Slack and GitHub of the sandbox.'],
      },
      {
        what: 'Memory for each live rollout (resident, against a Belay without any)',
        belay: `${eachKb.toFixed(1)} KB`,
        beside: `${beside}; the whole process ${Math.round(fullKb / 1024)} MB`,
        ratio: null,
        goal: '≤ 10 KB',
        isMet: eachKb <= 10,
        notes: ['They are in the database; what is measured is mostly how far the heap happens to have grown.'],
      },
      {
        what: `Processor when idle, over ${watchMs / 1000} s`,
        belay: `${(share * 100).toFixed(2)} %`,
        beside,
        ratio: null,
        goal: '< 1 %',
        isMet: share < 0.01,
        notes: [],
      },
    ];
  } finally {
    await slack.stop();
    await github.stop();
  }
}

export const idle: Benchmark = { name: 'idle', run };
