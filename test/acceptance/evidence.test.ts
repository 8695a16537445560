import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHO } from '../../sandbox/slack/people.ts';
import type { World } from '../../sandbox/world.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { errorsSignal, said, startShop } from './shop.ts';
import { press } from './town.ts';

const REST = `targets: { eu: }
traffic:
  source: metrics
  query: { rate: { of: http_requests_total }, version: all, window: 3s }
  perInstance: 15
signals:
${errorsSignal(1, 5)}  - name: checkout
    kind: check
    source: outside
    query: { path: /checkout }
  - name: orders
    kind: requests
    source: metrics
    query: { increase: { of: http_requests_total }, window: 3s }
    healthyWhen: { min: 6 }
    unit: req
stages:
  - name: production
    targets: [eu]
    rollout: { strategy: { rolling: { drain: 30s } } }
    bake: { for: 1s, every: 500ms, deadline: 12s }
    decide: { within: 1s, default: roll-back }
`;

/** Somebody else's system that health is read from; it can be away. */
let isAway = false;
const outside = createServer((request, response) => {
  // It keeps its port: another process might take it meanwhile.
  if (isAway) request.destroy();
  else response.end('ok');
});

let world: World;
beforeAll(async () => {
  outside.listen(0, '127.0.0.1');
  await once(outside, 'listening');
  const { port } = outside.address() as AddressInfo;
  world = await startShop({
    regions: { eu: { instances: 2, rps: 80 } },
    sources: [`outside: { kind: http, url: 'http://127.0.0.1:${port}' }`],
    rest: () => REST,
  });
});
afterAll(async () => {
  await world?.stop();
  outside.close();
  outside.closeAllConnections();
});

/** Asked, and nobody is hurried: what is not known is never decided by a clock. */
const waitsForPeople = async (sha: string): Promise<Rollout> => {
  const asked = await world.waitForPhase(sha, 'deciding');
  expect(asked.phase).toMatchObject({ countdown: null });
  expect(asked.steps, 'nothing was promoted').toEqual([]);
  return asked;
};

it('R3 a step that would leave too few instances for the traffic waits, with its numbers on the card, and goes on when the traffic is less', async () => {
  const { sha, digest } = await world.merge('good');
  const held = await world.record.waitFor(
    ({ release, phase }) => release.sha === sha && phase.is === 'clearing' && phase.shortSinceMs !== null,
    'the step to be held for want of capacity',
  );
  expect(held.touched).toEqual([]);
  await said(
    world,
    sha,
    /`eu`: 1 instance would serve while the step runs \(2 do now\), \d are needed for \d+(\.\d+)? requests a second at 15 each/,
  );
  expect(new Set(await world.runs('eu'))).toEqual(new Set([world.initialDigest]));
  world.fleet.setTraffic(8);
  await world.waitForPhase(sha, 'succeeded');
  expect(await world.runs('eu')).toEqual([digest, digest]);
});

it('H3 R4 a source that cannot be reached holds the step, and at the deadline a person is asked; it is never promoted', async () => {
  isAway = true;
  const { sha } = await world.merge('good');
  const asked = await waitsForPeople(sha);
  expect(asked.phase).toMatchObject({ trouble: { code: 'unmeasurable', signals: ['checkout'] } });
  await said(world, sha, /\*checkout\* error: \*not measured\*.* — the source is unreachable/);
  isAway = false;
  await press(world, CHO, sha, 'decide:retry');
  await world.waitForPhase(sha, 'succeeded');
});

it('R4 too little traffic is no evidence either: it waits, says what it has and needs, and asks', async () => {
  world.fleet.setTraffic(1);
  const { sha } = await world.merge('good');
  const asked = await waitsForPeople(sha);
  expect(asked.phase).toMatchObject({ trouble: { code: 'inconclusive', signals: ['orders'] } });
  await said(world, sha, /\*orders\* inconclusive: now \*[\d.]+ req\*[^—]*limit [^—]*6[^—]* — too little traffic yet/);
  world.fleet.setTraffic(8);
  await press(world, CHO, sha, 'decide:retry');
  await world.waitForPhase(sha, 'succeeded');
});
