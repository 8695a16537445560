import { webApi } from '@slack/bolt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SHOP } from '../../sandbox/slack/people.ts';
import { type SandboxSlack, type SlackSetup, startSlack } from '../../sandbox/slack/slack.ts';
import type { Message } from '../../sandbox/slack/workspace.ts';
import { renderChart } from '../../src/chart/render.ts';
import type { Chart } from '../../src/core/chart.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { createBudget } from '../../src/slack/budget.ts';
import type { PostedMessage } from '../../src/slack/messenger.ts';
import { createOutput, type Output } from '../../src/slack/output.ts';
import { createGallery, type KeptPicture } from '../../src/slack/pictures.ts';
import type { Extra } from '../../src/slack/views/card.ts';
import type { Looked } from '../../src/slack/views/picture.ts';
import { clientRules, createUpload, createWeb, isUploadUrl } from '../../src/slack/web.ts';
import { QUIET } from '../sandbox/slack-world.ts';
import { aRollout, aService, aStage, NOON_MS, PEOPLE } from '../support/rollout.ts';
import { aSignal } from '../support/service.ts';

const EXTRA: Extra = { people: PEOPLE, hosts: [], eta: null, nowMs: NOON_MS };
const SIGNALS = [
  aSignal({ name: 'errors', healthyWhen: { max: 1 }, unit: '%' }),
  aSignal({ name: 'latency', healthyWhen: { max: 500 }, unit: 'ms' }),
];
const SERVICE = aService({ channel: SHOP, stages: [aStage({ signals: SIGNALS })] });
const AT = { stage: 0, step: 0 };
const LOOKS: Looked[] = [0.2, 0.7, 1.4].map((errors, index) => ({
  sinceMs: NOON_MS,
  atMs: NOON_MS + (index + 1) * 30_000,
  signals: [
    { signal: 'latency', now: 200, baseline: 190, verdict: 'healthy' },
    { signal: 'errors', now: errors, baseline: 0.3, verdict: index === 2 ? 'degraded' : 'healthy' },
  ],
}));
const judgement = { verdict: 'degraded' as const, score: null, atMs: NOON_MS + 90_000, signals: [] };
const trouble = { code: 'degraded' as const, signals: ['errors'] };

const baking = aRollout({
  serviceSpec: SERVICE,
  steps: [],
  stepStartedAtMs: NOON_MS - 60_000,
  phase: {
    is: 'baking',
    sinceMs: NOON_MS,
    at: AT,
    round: 3,
    observedMs: 0,
    forMs: 600_000,
    lastLookMs: NOON_MS,
    memory: { before: {}, recent: {}, series: {} },
    judgement,
  },
});
const deciding: Rollout = {
  ...baking,
  phase: {
    is: 'deciding' as const,
    sinceMs: NOON_MS,
    at: AT,
    trouble,
    judgement,
    choices: ['retry' as const, 'roll-back' as const],
    countdown: null,
  },
};

const holding: Rollout = {
  ...baking,
  phase: {
    is: 'holding',
    sinceMs: NOON_MS,
    at: AT,
    by: 'Ben',
    because: 'I look',
    trouble,
    judgement,
    choices: ['retry'],
  },
};

let nowMs = NOON_MS;
let slack: SandboxSlack;
let output: Output;
let kept: Map<string, KeptPicture>;
let posted: Map<string, PostedMessage>;
let drawn: Chart[];
let looks: Looked[];
let render: (chart: Chart) => Promise<Uint8Array>;

async function open(setup: Partial<SlackSetup> = {}): Promise<void> {
  await slack?.stop();
  slack = await startSlack({
    mode: 'http',
    signingSecret: 'a-signing-secret-of-the-sandbox',
    botToken: 'xoxb-sandbox',
    appToken: 'xapp-sandbox',
    clock: { now: () => nowMs },
    ...setup,
  });
  output = anOutput();
}

/** A process that starts on what an earlier one has remembered. */
function anOutput(): Output {
  const client = new webApi.WebClient('xoxb-sandbox', { ...clientRules(slack.apiUrl), logger: QUIET });
  const web = createWeb(client);
  const clock = () => nowMs;
  const gallery = createGallery({
    web,
    upload: createUpload({ apiUrl: slack.apiUrl, fetch }),
    budget: createBudget(clock),
    clock,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    pictures: {
      looks: async () => looks,
      render: (chart) => {
        drawn.push(chart);
        return render(chart);
      },
      get: async (key) => kept.get(key) ?? null,
      put: async (key, picture) => void kept.set(key, picture),
    },
  });
  const memory = {
    get: async (key: string) => posted.get(key) ?? null,
    put: async (key: string, message: PostedMessage) => void posted.set(key, message),
  };
  return createOutput({ web, clock, gallery, posted: memory });
}

beforeEach(async () => {
  nowMs = NOON_MS;
  kept = new Map();
  posted = new Map();
  drawn = [];
  looks = LOOKS;
  render = renderChart;
  await open();
});
afterEach(() => slack.stop());

/** As the engine does: again when told to, until it is done. Answers how often it was told. */
async function settle(rollout = deciding, tries = 60): Promise<number> {
  for (let count = 1; count <= tries; count += 1) {
    const answer = await output.project(rollout, EXTRA);
    if (answer.is === 'done') return count;
    nowMs += answer.is === 'running' ? answer.retryAfterMs : 1000;
  }
  throw new Error('it never ends');
}

const stageMessage = (): Message | undefined => {
  const ts = posted.get('ro-1/stage:staging')?.ts;
  return slack.workspace.posted.find((one) => one.ts === ts);
};
const images = () => (stageMessage()?.blocks ?? []).filter((one) => one.type === 'image');
const calls = (method: string) => slack.requests.all().filter((one) => one.what === method);

describe('H5 X5 pictures in the thread', () => {
  it('shows each judged signal, worst first, in the stage’s own message, when somebody must decide', async () => {
    await settle();
    expect(images().map((one) => one.alt_text)).toEqual([
      'errors of api aaaaaaa: 1.4 % now, 0.3 % before, limit ≤ 1 %: degraded.',
      'latency of api aaaaaaa: 200 ms now, 190 ms before, limit ≤ 500 ms: healthy.',
    ]);
    const [first] = slack.workspace.files.values();
    expect(first).toMatchObject({ mimeType: 'image/png', alt: images()[0]?.alt_text });
    expect(drawn[0]).toMatchObject({ title: 'errors', unit: '%', limit: { max: 1 }, stepAtMs: NOON_MS });
    expect(drawn[0]?.now.map((one) => one.value)).toEqual([0.2, 0.7, 1.4]);
    // Its messages are those of the words: no picture has one of its own.
    expect(slack.workspace.posted).toHaveLength(posted.size);
  });

  it('draws nothing while all is well, and nothing again when only words change', async () => {
    await settle(baking);
    expect(drawn).toEqual([]);
    await settle();
    await settle(holding);
    expect(drawn).toHaveLength(2);
    expect(calls('files.getUploadURLExternal')).toHaveLength(2);
    expect(images()).toHaveLength(2);
  });

  it('a step that is tried again gets new pictures in the place of the old ones', async () => {
    await settle();
    const before = images().map((one) => JSON.stringify(one.slack_file));
    await settle({ ...deciding, stepStartedAtMs: NOON_MS + 600_000 });
    expect(images()).toHaveLength(2);
    expect(
      images()
        .map((one) => JSON.stringify(one.slack_file))
        .some((one) => before.includes(one)),
    ).toBe(false);
  });

  it('the end of a stage has its pictures, and a stage without signals none', async () => {
    const record = { startedAtMs: NOON_MS, endedAtMs: NOON_MS + 1, ended: 'passed' as const };
    const steps = [
      { stage: 'staging', step: 'all', ...record, verdict: 'healthy' as const, watchedFromMs: NOON_MS, checks: [] },
    ];
    const done: Rollout = { ...baking, steps, phase: { is: 'succeeded' as const, atMs: NOON_MS } };
    await settle(done);
    expect(images()).toHaveLength(2);
    looks = [];
    await settle({ ...done, id: 'ro-2' });
    expect(drawn).toHaveLength(2);
  });
});

describe('T12 words never wait for a picture', () => {
  it('the message is there before the first byte of a picture is sent', async () => {
    await output.project(deciding, EXTRA);
    const order = slack.requests.all().map((one) => one.what);
    expect(order.indexOf('files.getUploadURLExternal')).toBeGreaterThan(order.lastIndexOf('chat.postMessage'));
    expect(JSON.stringify(stageMessage()?.blocks)).toContain('Needs a decision');
  });

  it.each(['files.getUploadURLExternal', 'upload', 'files.completeUploadExternal'])(
    'a failure of %s is tried again, and the picture comes',
    async (what) => {
      slack.faults.add({ method: what, kind: 'server-error', count: 2 });
      await settle();
      expect(images()).toHaveLength(2);
    },
  );

  it('a picture that can never be drawn is given up, and the projection ends', async () => {
    render = async () => {
      throw new Error('no such font');
    };
    expect(await settle()).toBeLessThan(40);
    expect(images()).toEqual([]);
    expect(JSON.stringify(stageMessage()?.blocks)).toContain('Needs a decision');
    expect([...kept.values()].every((one) => one.fileId === '' && one.tries === 8)).toBe(true);
  });

  it('without the scope for files everything else is said, and it is asked once for each picture', async () => {
    await open({ scopes: ['chat:write'] });
    await settle();
    expect(images()).toEqual([]);
    expect(calls('files.getUploadURLExternal')).toHaveLength(2);
  });

  it('waits while Slack looks through a file, with the words in place', async () => {
    await open({ fileScanMs: 9000 });
    await settle();
    expect(images()).toHaveLength(2);
    expect(calls('files.getUploadURLExternal')).toHaveLength(2);
  });

  it('a file that Slack lost is left out, and the message goes on', async () => {
    await settle();
    slack.workspace.files.clear();
    output = anOutput();
    await settle(holding);
    expect(images()).toEqual([]);
    expect(JSON.stringify(stageMessage()?.blocks)).toContain('On hold');
  });
});

describe('T4 T5 after a crash', () => {
  it('what was brought is not brought again', async () => {
    await output.project(deciding, EXTRA);
    expect([...kept.values()].filter((one) => one.fileId !== '')).toHaveLength(1);
    output = anOutput();
    await settle();
    expect(calls('files.getUploadURLExternal')).toHaveLength(2);
    output = anOutput();
    const before = slack.requests.all().length;
    await settle();
    expect(slack.requests.all().length).toBe(before);
  });
});

describe('T20 an upload goes to Slack and nowhere else', () => {
  it.each([
    ['https://files.slack.com/upload/v1/abc', null, true],
    ['https://files.slack-gov.com/upload/v1/abc', null, true],
    ['http://files.slack.com/upload', null, false],
    ['https://files.slack.com.evil.example/upload', null, false],
    ['https://user@files.slack.com/upload', null, false],
    ['http://169.254.169.254/latest', null, false],
    ['file:///etc/passwd', null, false],
    ['not an address', null, false],
    ['http://127.0.0.1:9/upload/F1', 'http://127.0.0.1:9/api/', true],
    ['http://127.0.0.1:10/upload/F1', 'http://127.0.0.1:9/api/', false],
    ['https://files.slack.com/upload', 'http://127.0.0.1:9/api/', false],
  ])('%s from %s: %s', async (url, apiUrl, isAllowed) => {
    expect(isUploadUrl(url, apiUrl)).toBe(isAllowed);
    if (isAllowed) return;
    const called: unknown[] = [];
    const upload = createUpload({ apiUrl, fetch: (async (...given: unknown[]) => called.push(given)) as never });
    expect(await upload(url, new Uint8Array(1))).toEqual({ is: 'refused', error: 'upload_url_of_another_host' });
    expect(called).toEqual([]);
  });

  it('does not follow to another place', async () => {
    const asked: RequestInit[] = [];
    const answer = (async (_: unknown, init: RequestInit) => {
      asked.push(init);
      return new Response(null, { status: 200 });
    }) as never;
    await createUpload({ apiUrl: null, fetch: answer })('https://files.slack.com/upload/v1/a', new Uint8Array(1));
    expect(asked[0]?.redirect).toBe('error');
  });
});
