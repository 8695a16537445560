import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { World } from '../../sandbox/world.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { endsOf, errorsSignal, rolesOf, said, startShop } from './shop.ts';

const TIMEOUT_MS = 200_000;
const TARGETS = ['eu', 'us', 'ap'];

// The comparison is only looked at: it is there so that the canary has a fresh baseline beside it.
const REST = `targets: { eu: , us: , ap: }
signals:
${errorsSignal(60, 90)}  - name: checkout
    kind: check
    source: outside
    query: { path: /checkout }
  - name: more-errors
    kind: rate
    role: observe
    source: metrics
    query: { ratio: { of: http_requests_total, where: { code: '5*' }, over: http_requests_total } }
    baseline: fresh
stages:
  - name: production
    targets: [eu, us, ap]
    rollout: { strategy: { weight: { drain: 2s } }, canary: { share: 50%, bake: { for: 1s, every: 500ms, deadline: 5s } }, waves: [regions] }
    bake: { for: 1s, every: 500ms, deadline: 5s }
    onDegraded: rollback
    onError: rollback
`;

/** Somebody else's system that health is read from: it can be away, and it can say that all is bad. */
let isAway = false;
let isBad = () => false;
const outside = createServer((request, response) => {
  // Without an answer, as when nobody listens there any more.
  if (isAway) request.socket.destroy();
  else response.writeHead(isBad() ? 500 : 200).end('answered');
});

let world: World;
beforeAll(async () => {
  outside.listen(0, '127.0.0.1');
  await once(outside, 'listening');
  const { port } = outside.address() as AddressInfo;
  world = await startShop({
    regions: { eu: { instances: 1, rps: 30 }, us: { instances: 1, rps: 30 }, ap: { instances: 1, rps: 30 } },
    sources: [`outside: { kind: http, url: 'http://127.0.0.1:${port}' }`],
    rest: () => REST,
  });
}, TIMEOUT_MS);
afterAll(async () => {
  await world?.stop();
  outside.closeAllConnections();
  outside.close();
});

/** Every target runs what it ran before, and nothing is left beside it: neither a canary nor a baseline. */
async function expectAllBack({ phase }: Rollout): Promise<void> {
  expect(phase.is === 'rolled-back' && phase.to.map((one) => one.target)).toEqual(TARGETS.toReversed());
  for (const target of TARGETS) {
    expect(await world.runs(target), target).toEqual([world.initialDigest]);
    expect(rolesOf(world, target), target).toBe('stable');
  }
}

it(
  'D1 H3 onError: rollback takes the canary back at the deadline when a source cannot be reached, reads it back, and says why',
  async () => {
    isAway = true;
    const { sha } = await world.merge('good');
    const rollout = await world.waitForPhase(sha, 'rolled-back', 150_000);
    isAway = false;
    expect(rollout.phase).toMatchObject({
      trouble: { code: 'unmeasurable', signals: expect.arrayContaining(['checkout']) },
    });
    expect(endsOf(rollout)).toEqual(['production canary failed']);
    await expectAllBack(rollout);
    await said(world, sha, /`checkout`.* could not be measured/);
  },
  TIMEOUT_MS,
);

it(
  'D1 T18 a wave that goes bad takes back every target that was touched, the newest first, and leaves no canary and no baseline behind',
  async () => {
    const { sha } = await world.merge('good');
    const stages: Record<string, unknown>[] = [];
    isBad = () => {
      const { phase, steps } = world.record.rollout(sha) ?? {};
      const isWatched = phase?.is === 'baking' && steps?.at(-1)?.step === 'wave 1' && steps.at(-1)?.ended === 'passed';
      // The first region is through, the second is watched, and in the third the canary stands beside its baseline.
      if (isWatched) stages.push({ ap: rolesOf(world, 'ap') });
      return isWatched;
    };
    const rollout = await world.waitForPhase(sha, 'rolled-back', 150_000);
    expect(stages[0]).toEqual({ ap: 'baseline canary stable' });
    expect(rollout.phase).toMatchObject({ trouble: { code: 'degraded', signals: ['checkout'] } });
    expect(endsOf(rollout)).toEqual([
      'production canary passed',
      'production wave 1 passed',
      'production wave 2 degraded',
    ]);
    await expectAllBack(rollout);
    await said(world, sha, /health got worse: `checkout`/);
  },
  TIMEOUT_MS,
);
