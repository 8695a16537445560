import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ANA, SHOP } from '../../sandbox/slack/people.ts';
import type { World } from '../../sandbox/world.ts';
import { endsOf, errorsSignal, failuresOf, instancesOf, rolesOf, startShop } from './shop.ts';

// What is far beyond the threshold of `errors` is nothing that happens here: a canary is judged by the comparison alone.
const REST = `targets: { eu: , us: , ap: }
signals:
${errorsSignal(60, 90)}  - name: more-errors
    kind: rate
    source: metrics
    query: { ratio: { of: http_requests_total, where: { code: '5*' }, over: http_requests_total } }
    baseline: fresh
    minSamples: 120
  - name: slower
    kind: compare
    source: metrics
    query: { quantile: { of: http_request_duration_seconds, q: 0.5 }, window: 1s, times: 1000 }
    baseline: fresh
    tolerance: 200%
    minSamples: 8
    failures: 2
    of: 3
    unit: ms
stages:
  - name: weighed
    targets: [eu]
    rollout: { strategy: { weight: { drain: 30s } }, canary: { share: 33%, bake: { for: 4s, every: 500ms } } }
    bake: { for: 1s, every: 500ms }
  - name: coloured
    targets: [us]
    rollout: { strategy: { blue-green: { keep: 10m, drain: 30s } } }
    bake: { for: 1s, every: 500ms }
  - name: linked
    targets: [ap]
    rollout: { strategy: { symlink: { drain: 30s } } }
    bake: { for: 1s, every: 500ms }
`;

let world: World;
/** What runs everywhere once the good release is through. */
let good = '';
beforeAll(async () => {
  world = await startShop({
    regions: { eu: { instances: 3, rps: 60 }, us: { instances: 2, rps: 20 }, ap: { instances: 2, rps: 20 } },
    rest: () => REST,
  });
});
afterAll(() => world?.stop());

const watchesCanary = (sha: string) =>
  world.record.waitFor(
    ({ release, phase }) => release.sha === sha && phase.is === 'baking',
    'the canary to be watched',
  );
const metricsOf = async (role: string) => {
  const found = instancesOf(world, 'eu').find((one) => one.role === role);
  return { digest: found?.digest, page: await (await fetch(found?.metricsUrl ?? '')).text() };
};
const linksOf = (target: string) =>
  instancesOf(world, target).map(({ id }) => readlinkSync(join(world.fleet.hosts, target, id, 'current')));

it('R1 R5 H1 a good release is compared with a fresh baseline of the old version, and goes through by weight, by colour and by link without one failed request', async () => {
  const { sha, digest } = await world.merge('good');
  await watchesCanary(sha);
  expect(rolesOf(world, 'eu')).toBe('baseline canary stable stable stable');
  const [canary, baseline] = [await metricsOf('canary'), await metricsOf('baseline')];
  expect(canary.digest).toBe(digest);
  expect(canary.page).toMatch(/http_requests_total\{[^}]*canary="true"[^}]*role="canary"/);
  expect(baseline.digest).toBe(world.initialDigest);
  expect(baseline.page).toMatch(/http_requests_total\{[^}]*canary="false"[^}]*role="baseline"/);

  const rollout = await world.waitForPhase(sha, 'succeeded');
  expect(endsOf(rollout)).toEqual([
    'weighed canary passed',
    'weighed wave 1 passed',
    'coloured all passed',
    'linked all passed',
  ]);
  expect(rolesOf(world, 'eu')).toBe('stable stable stable');
  for (const target of ['eu', 'us', 'ap']) {
    const used = instancesOf(world, target).filter((one) => one.role !== 'idle');
    expect(new Set(used.map((one) => one.digest))).toEqual(new Set([digest]));
    expect(failuresOf(world, target), target).toBe(0);
  }
  good = digest;
});

it.each([
  ['errors', 'more-errors'],
  ['slow', 'slower'],
] as const)(
  'R1 H1 D1 a canary with %s is found by the comparison, taken back, and leaves neither itself nor its baseline behind',
  async (kind, signal) => {
    const { sha } = await world.merge(kind);
    const rollout = await world.waitForPhase(sha, 'rolled-back');
    expect(rollout.phase).toMatchObject({ trouble: { code: 'degraded', signals: [signal] } });
    expect(endsOf(rollout)).toEqual(['weighed canary degraded']);
    expect(rolesOf(world, 'eu')).toBe('stable stable stable');
    expect(new Set(await world.runs('eu'))).toEqual(new Set([good]));
  },
);

it('R5 D5 /rollback switches the colour back to the instances that are still there, and the links to what is still on the hosts, without one failed request', async () => {
  const idle = () => instancesOf(world, 'us').filter((one) => one.role === 'idle');
  const kept = idle().map((one) => one.id);
  expect(kept).toHaveLength(2);
  const hosts = instancesOf(world, 'ap').map((one) => one.id);
  for (const stage of ['coloured', 'linked']) {
    const known = world.slack.ephemerals(ANA).length;
    await world.slack.slash(ANA, SHOP, '/rollback', `shop on ${stage} because we try the way back`);
    const question = await world.slack.waitFor(() => world.slack.ephemerals(ANA)[known]);
    await world.slack.click(ANA, question, 'confirm-rollback');
    await world.record.waitFor(
      ({ kind, phase, plan }) =>
        kind === 'rollback' && phase.is === 'rolled-back' && plan.stages.at(-1)?.name === stage,
      `the rollback on ${stage} to have ended`,
    );
  }
  const serving = instancesOf(world, 'us').filter((one) => one.role !== 'idle');
  expect(serving.map((one) => one.id)).toEqual(kept);
  expect(instancesOf(world, 'ap').map((one) => one.id)).toEqual(hosts);
  const link = join('releases', world.initialDigest.replace(':', '-'));
  expect(linksOf('ap')).toEqual([link, link]);
  for (const target of ['us', 'ap']) {
    expect(new Set((await world.runs(target)).slice(-2))).toEqual(new Set([world.initialDigest]));
    expect(failuresOf(world, target), target).toBe(0);
  }
});
