import { afterAll, beforeAll, expect, it } from 'vitest';
import { BEN, DAN, SHOP } from '../../sandbox/slack/people.ts';
import { startWorld, type World } from '../../sandbox/world.ts';
import { verifyAudit } from '../../src/store/audit.ts';
import { openDatabase } from '../../src/store/database.ts';
import { cardsOf, messageWith, press, threadOf } from './town.ts';

const SMALL = { staging: { instances: 2, rps: 15 }, eu: { instances: 2, rps: 30 }, us: { instances: 2, rps: 30 } };

let world: World;
beforeAll(async () => {
  world = await startWorld({
    pace: { bake: '1s', canaryBake: '4s', every: '500ms', drift: '2s' },
    fleet: { regions: SMALL },
  });
});
afterAll(() => world?.stop());

const runsEverywhere = async (digest: string) => {
  const all = await Promise.all(['staging', 'eu', 'us'].map((target) => world.runs(target)));
  return all.flat().every((one) => one === digest);
};

it('S1 B1 B2 P1 P6 G1 R1 R2 R6 X1 T16 a merge is built, tried on staging, approved by Ben, and reaches every instance through a canary and two waves', async () => {
  const { sha, digest } = await world.merge('good');

  // Until somebody who took no part says yes, production keeps what it runs.
  await world.waitForPhase(sha, 'gated');
  expect(await world.runs('staging')).toEqual([digest, digest]);
  expect(new Set([...(await world.runs('eu')), ...(await world.runs('us'))])).toEqual(new Set([world.initialDigest]));

  await press(world, BEN, sha, 'approve');
  await world.record.waitFor(
    ({ release, phase, steps }) => release.sha === sha && phase.is === 'baking' && steps.at(-1)?.stage === 'staging',
    'the canary to be watched',
  );
  for (const region of ['eu', 'us']) {
    const running = (await world.runs(region)).filter((one) => one === digest);
    expect(running, `the canary in ${region} is one of two`).toHaveLength(1);
  }

  const rollout = await world.waitForPhase(sha, 'succeeded');
  expect(await runsEverywhere(digest)).toBe(true);
  expect(rollout.steps.map(({ stage, step, ended }) => [stage, step, ended].join(' '))).toEqual([
    'staging all passed',
    'production canary passed',
    'production wave 1 passed',
    'production wave 2 passed',
  ]);
  expect(rollout.approvals.map((one) => one.name)).toEqual(['Ben']);
  expect(rollout.artifact).toEqual({ digest, sha });
});

it('X1 X9 there is one card, edited all the way to "done", and the channel hears of two things only: it waits, it ended', async () => {
  const rollout = world.record.rollouts().at(-1);
  const sha = rollout?.release.sha ?? '';
  const [card] = await world.slack.waitFor(() => {
    const cards = cardsOf(world, sha);
    return cards[0]?.text.includes('done') && cards;
  });
  expect(cardsOf(world, sha)).toHaveLength(1);
  expect(card?.edits).toBeGreaterThan(3);
  expect(JSON.stringify(card?.blocks)).not.toContain('"type":"actions"');
  await world.slack.waitFor(() => threadOf(world, sha).some((one) => one.text.includes('production: passed')));
  expect(messageWith(world, sha, 'approve')).toBeNull();
  const broadcast = world.slack.messages(SHOP).filter((one) => one.threadTs !== null);
  expect(broadcast.map((one) => one.text.replace(/shop [0-9a-f]{7} /, ''))).toEqual([
    'waits for approval by somebody who took no part in the change.',
    'has ended: done.',
  ]);
});

it('O3 T14 the audit says who did what, and its chain verifies', async () => {
  const database = openDatabase(world.databasePath);
  try {
    const { rows, problems } = await verifyAudit(database.reader);
    expect(problems).toEqual([]);
    expect(rows).toBeGreaterThan(20);
    const told = await database.reader.selectFrom('audit').select(['actor', 'what']).execute();
    const by = (what: string) => told.filter((row) => row.what === what).map((row) => row.actor);
    expect(by('approved')).toEqual([expect.stringContaining(BEN)]);
    expect(by('started')).toEqual(['belay']);
  } finally {
    await database.close();
  }
});

it('R6 between deploys one process comes to run the old version, and then another configuration: each is said by name, and one click puts it right', async () => {
  const { digest } = world.record.rollouts().at(-1)?.artifact ?? { digest: '' };
  const id = world.fleet.state().targets.find((one) => one.target === 'eu')?.instances[0]?.id ?? '';
  const drifts = () => world.slack.messages(SHOP).filter((one) => one.text.startsWith('shop on eu:'));
  for (const [old, config, words] of [
    [world.initialDigest, null, `\`${id}\` runs`],
    [digest, { PAYMENTS_TIMEOUT: '1' }, 'with another configuration'],
  ] as const) {
    // Nobody looks while the process is replaced: a slow machine could make it unreadable for long enough to be said first.
    await world.belay.kill('SIGTERM');
    await world.fleet.drift('eu', id, old, config);
    await world.belay.start();
    const open = () => drifts().find((one) => JSON.stringify(one.blocks).includes('drift:fix'));
    const message = await world.slack.waitFor(open);
    expect(JSON.stringify(message.blocks)).toContain(words);
    await world.slack.click(DAN, message, 'drift:fix');
    await world.slack.waitFor(() => drifts().every((one) => one.text.includes('no drift any more')));
    expect(await world.runs('eu')).toEqual([digest, digest]);
  }
  expect(await runsEverywhere(digest)).toBe(true);
  expect(drifts()).toHaveLength(2);
});
