import { afterAll, beforeAll, expect, it } from 'vitest';
import { BEN, SHOP } from '../../sandbox/slack/people.ts';
import { startWorld, type World } from '../../sandbox/world.ts';
import { cardsOf, press, threadOf } from './town.ts';

const SMALL = { staging: { instances: 2, rps: 15 }, eu: { instances: 2, rps: 30 }, us: { instances: 2, rps: 30 } };

let world: World;
beforeAll(async () => {
  world = await startWorld({ pace: { bake: '1s', canaryBake: '30s', every: '500ms' }, fleet: { regions: SMALL } });
});
afterAll(() => world?.stop());

const production = async () => new Set([...(await world.runs('eu')), ...(await world.runs('us'))]);
const said = (sha: string) => world.slack.waitFor(() => cardsOf(world, sha)[0]?.text.includes('rolled back'));
const broadcast = (sha: string) =>
  world.slack.messages(SHOP).filter((one) => one.threadTs !== null && one.text.includes(sha.slice(0, 7)));

it('R1 H1 H5 D1 a canary that throws errors is taken back by itself, and Slack says which signal got worse', async () => {
  const { sha, digest } = await world.merge('errors');
  await press(world, BEN, sha, 'approve');
  const rollout = await world.waitForPhase(sha, 'rolled-back');

  expect(rollout.phase).toMatchObject({ trouble: { code: 'degraded', signals: ['errors'] } });
  expect(await production()).toEqual(new Set([world.initialDigest]));
  // The waves were never touched: nobody but the canary's share of users saw it.
  expect(rollout.steps.map(({ step, ended }) => `${step} ${ended}`)).toEqual(['all passed', 'canary degraded']);
  expect(rollout.phase.is === 'rolled-back' && rollout.phase.judgement?.signals).toContainEqual(
    expect.objectContaining({ signal: 'errors', verdict: 'degraded', now: expect.any(Number), before: 0 }),
  );
  expect(await world.runs('staging'), 'staging keeps what passed there').toEqual([digest, digest]);

  await said(sha);
  const card = cardsOf(world, sha);
  expect(card).toHaveLength(1);
  expect(JSON.stringify(card[0]?.blocks)).toContain('health got worse: `errors`');
  await world.slack.waitFor(() =>
    threadOf(world, sha).some((one) => /errors.*now \*[\d.]+ %\*.*before 0 %/.test(JSON.stringify(one.blocks))),
  );
  expect(broadcast(sha).map((one) => one.text)).toContainEqual(expect.stringContaining('rolled back'));
});

it('B3 P3 R6 a release that does not start is taken back on staging with its last words, and production never sees it', async () => {
  const before = await world.runs('staging');
  const { sha } = await world.merge('crash');
  const rollout = await world.waitForPhase(sha, 'rolled-back');
  expect(rollout.phase).toMatchObject({
    trouble: { code: 'deploy-failed', target: 'staging', detail: expect.stringContaining('PAYMENTS_URL is not set') },
  });
  await world.slack.waitFor(() => JSON.stringify(cardsOf(world, sha)).includes('PAYMENTS_URL is not set'));
  expect(await world.runs('staging')).toEqual(before);
  expect(await production()).toEqual(new Set([world.initialDigest]));
  expect(rollout.approvals, 'nobody was asked').toEqual([]);
});
