import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../sandbox/fleet/fleet.ts';
import type { Strategy } from '../../src/core/target.ts';
import { http } from '../../src/providers/http.ts';
import type { ChangeRequest, Provider } from '../../src/providers/provider.ts';

const of = (letter: string) => ({ digest: `sha256:${letter.repeat(64)}`, sha: letter.repeat(40) });
const OLD = of('0');
const signal = new AbortController().signal;

async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 120_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await sleep(25);
  }
}

/** A provider in front of a fleet, and one change after the other through it. */
function driver(fleet: Fleet) {
  const provider: Provider = http.create(
    { url: fleet.url, token: fleet.token, timeoutMs: 20_000 },
    { fetch, now: Date.now },
  );
  let generation = 0;
  const next = () => {
    generation += 1;
    return { key: `change-${generation}`, generation };
  };
  const finish = async (ask: () => ReturnType<Provider['deploy']>) => {
    for (;;) {
      const answer = await ask();
      if (answer.is !== 'running') return answer;
      await sleep(answer.retryAfterMs);
    }
  };
  const ref = (target: string) => ({ service: 'shop', target, options: {} });
  return {
    provider,
    observe: (target: string) => provider.observe(ref(target), signal),
    deploy(target: string, part: Pick<ChangeRequest, 'artifact' | 'strategy'> & Partial<ChangeRequest>) {
      const plain = { share: 1, instances: null, isCanary: false, baseline: null };
      const request = { ...ref(target), ...plain, ...part, ...next() };
      return finish(() => provider.deploy(request, signal));
    },
    rollBack(target: string, artifact: typeof OLD, strategy: Strategy) {
      const request = { ...ref(target), artifact, strategy, ...next() };
      return finish(() => provider.rollBack(request, signal));
    },
  };
}

const IN_PLACE: Strategy = { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 60_000 };
const WEIGHT: Strategy = { is: 'weight', drainMs: 60_000 };
const BLUE_GREEN: Strategy = { is: 'blue-green', keepMs: 600_000, drainMs: 60_000 };

describe('the strategies of the fleet, with real processes under real traffic', () => {
  let fleet: Fleet;
  let drive: ReturnType<typeof driver>;
  beforeAll(async () => {
    fleet = await startFleet({
      behaviours: new Map(),
      initialDigest: OLD.digest,
      token: 'fleet-token',
      regions: { eu: { instances: 3, rps: 40 } },
    });
    drive = driver(fleet);
  });
  afterAll(() => fleet?.stop());

  const eu = () => fleet.stats().eu ?? { requests: 0, failed: 0, rps: 0 };
  const moreTraffic = async (requests: number) => {
    const before = eu().requests;
    await until('traffic flows', () => eu().requests >= before + requests);
  };

  it.each<[string, Strategy]>([
    ['a', { is: 'rolling', maxSurge: 1, maxUnavailable: 0, drainMs: 60_000 }],
    ['b', { is: 'symlink', maxUnavailable: 1, drainMs: 60_000 }],
    ['c', WEIGHT],
    ['d', { is: 'replace', drainMs: 60_000 }],
    ['e', BLUE_GREEN],
  ])(
    'R5 R8 nobody meets an error while the good release %s comes by %j, first as a canary',
    async (letter, strategy) => {
      await moreTraffic(10);
      const artifact = of(letter);
      const before = (await drive.observe('eu')).instances[0]?.digest ?? '';
      const canary = { share: 0.33, isCanary: true, baseline: { digest: before, sha: '' } };
      expect(await drive.deploy('eu', { artifact, strategy, ...canary })).toEqual({ is: 'done' });
      await moreTraffic(10);
      expect(await drive.deploy('eu', { artifact, strategy })).toEqual({ is: 'done' });
      await moreTraffic(10);
      const users = (await drive.observe('eu')).instances.filter((one) => one.role !== 'idle');
      expect(users.map((one) => [one.digest, one.role])).toEqual(Array(3).fill([artifact.digest, 'stable']));
      expect(eu().failed).toBe(0);
      expect(fleet.reachOf(artifact.digest).eu).toMatchObject({ instances: 3, of: 3, failed: 0 });
    },
  );

  it('R5 the way back of a switch is instant, starts nothing, and nobody meets an error', async () => {
    const ids = (await drive.observe('eu')).instances.flatMap((one) => (one.role === 'idle' ? one.id : []));
    expect(ids).toHaveLength(3);
    expect(await drive.rollBack('eu', of('d'), BLUE_GREEN)).toEqual({ is: 'done' });
    const found = (await drive.observe('eu')).instances;
    expect(found.map((one) => [one.id, one.digest, one.role])).toEqual(ids.map((id) => [id, of('d').digest, 'stable']));
    await moreTraffic(10);
    expect(eu().failed).toBe(0);
  });

  it('R1 a weight is a weight: of every hundred requests the canary gets ten, its baseline as many', async () => {
    const old = of('d');
    const part = { artifact: of('f'), strategy: WEIGHT, share: 0.1, isCanary: true, baseline: old };
    // Only the requests of this test are counted, each when it has its answer.
    fleet.setTraffic(0);
    expect(await drive.deploy('eu', part)).toEqual({ is: 'done' });
    const { instances, weights } = await drive.observe('eu');
    expect(weights).toEqual({ [of('f').digest]: expect.closeTo(0.1), [old.digest]: expect.closeTo(0.9) });
    const requestsOf = () => new Map(fleet.state().targets[0]?.instances.map((one) => [one.id, one.requests]));
    const before = requestsOf();
    const { url } = fleet.state().targets[0] ?? {};
    for (let sent = 0; sent < 200; sent += 10) {
      await Promise.all(Array.from({ length: 10 }, async () => (await fetch(url ?? '')).text()));
    }
    const after = requestsOf();
    const beside = instances.filter((other) => other.role !== 'stable');
    expect(beside).toHaveLength(2);
    for (const one of beside) {
      const got = (after.get(one.id) ?? 0) - (before.get(one.id) ?? 0);
      expect(Math.abs(got - 20)).toBeLessThanOrEqual(1);
    }
    fleet.setTraffic(40);
    expect(await drive.rollBack('eu', old, WEIGHT)).toEqual({ is: 'done' });
    expect((await drive.observe('eu')).instances).toHaveLength(3);
    expect(eu().failed).toBe(0);
  });

  it('R5 a host keeps the release before, and its link says what runs', async () => {
    const symlink: Strategy = { is: 'symlink', maxUnavailable: 1, drainMs: 60_000 };
    const [first] = (await drive.observe('eu')).instances;
    const id = first?.id ?? '';
    const link = () => readlinkSync(join(fleet.hosts, 'eu', id, 'current'));
    expect(link()).toBe(join('releases', `sha256-${'d'.repeat(64)}`));
    expect(await drive.deploy('eu', { artifact: of('9'), strategy: symlink, share: 0.33, instances: [id] })).toEqual({
      is: 'done',
    });
    expect(link()).toBe(join('releases', `sha256-${'9'.repeat(64)}`));
    expect(await drive.rollBack('eu', of('d'), symlink)).toEqual({ is: 'done' });
    expect(link()).toBe(join('releases', `sha256-${'d'.repeat(64)}`));
    expect(eu().failed).toBe(0);
  });
});

describe('the platform of the sandbox', () => {
  let fleet: Fleet;
  let drive: ReturnType<typeof driver>;
  beforeAll(async () => {
    fleet = await startFleet({
      behaviours: new Map(),
      initialDigest: OLD.digest,
      token: 'fleet-token',
      regions: { eu: { instances: 2, rps: 40 }, us: { instances: 2, rps: 40 } },
      strategies: ['rolling'],
      payments: { capacity: 30 },
      backgroundFailsEvery: 300,
    });
    drive = driver(fleet);
  });
  afterAll(() => fleet?.stop());

  const metric = async (url: string | null | undefined, name: RegExp) =>
    Number(name.exec(await (await fetch(url ?? '')).text())?.[1] ?? Number.NaN);

  it('R5 says that it does not have a strategy, and does nothing instead', async () => {
    const answer = await drive.deploy('eu', { artifact: of('a'), strategy: BLUE_GREEN });
    expect(answer).toEqual({
      is: 'failed',
      isTerminal: true,
      detail: expect.stringContaining('unsupported): There is no blue-green here: there is rolling.'),
    });
    expect((await drive.observe('eu')).instances.map((one) => one.digest)).toEqual([OLD.digest, OLD.digest]);
  });

  it('P1 never makes anew or removes what is permanent', async () => {
    const request = { service: 'shop', target: 'eu', options: {}, key: 'remove eu', generation: 99 };
    const refused = { is: 'failed', isTerminal: true, detail: expect.stringContaining('eu is permanent') };
    expect(await drive.provider.remove(request, signal)).toEqual(refused);
    expect(await drive.provider.create(request, signal)).toEqual(refused);
    expect((await drive.observe('eu')).instances).toHaveLength(2);
  });

  it('R6 the eighth server does not start, the platform says done, and reading back names it', async () => {
    fleet.setBehaviour(of('b').digest, 'crash', 'us-2');
    fleet.faults.overlookedInstances.add('us-2');
    expect(await drive.deploy('us', { artifact: of('b'), strategy: IN_PLACE })).toEqual({ is: 'done' });
    const found = (await drive.observe('us')).instances;
    expect(found.map((one) => [one.id, one.digest, one.isHealthy])).toEqual([
      ['us-1', of('b').digest, true],
      ['us-2', of('b').digest, false],
    ]);
    expect(await drive.rollBack('us', OLD, IN_PLACE)).toEqual({ is: 'done' });
    fleet.faults.unreadableInstances.add('us-1');
    expect((await drive.observe('us')).instances[0]).toMatchObject({ digest: null, config: null, isHealthy: false });
    fleet.faults.unreadableInstances.clear();
  });

  it('H1 a release that leaks gets slower and slower, and its memory grows', async () => {
    fleet.setBehaviour(OLD.digest, 'leaks', 'eu');
    const [one] = (await drive.observe('eu')).instances;
    const memory = () => metric(one?.metricsUrl, /process_resident_memory_bytes\{[^}]*\} (\d+)/);
    const tookMs = async () => {
      const startedAt = performance.now();
      await fetch(new URL('/', one?.metricsUrl ?? ''));
      return performance.now() - startedAt;
    };
    const before = await memory();
    await until('it is slow', async () => (await tookMs()) > 600);
    expect(await memory()).toBeGreaterThan(before + 16 * 1024 * 1024);
    fleet.setBehaviour(OLD.digest, 'good', 'eu');
  });

  it('H1 one in a hundred fails of a release that errs seldom, three in a thousand of a good one', async () => {
    const [one] = (await drive.observe('us')).instances;
    const base = one?.metricsUrl ?? '';
    // Both from one page: its users go on asking between two.
    const counts = async () => {
      const page = await (await fetch(base)).text();
      const count = (code: number) =>
        Number(new RegExp(`http_requests_total\\{[^}]*code="${code}"\\} (\\d+)`).exec(page)?.[1] ?? Number.NaN);
      return { failed: count(500), all: count(200) + count(500) };
    };
    const failsOf = async (requests: number) => {
      const before = await counts();
      let now = before;
      while (now.all < before.all + requests) {
        await Promise.all(Array.from({ length: 20 }, () => fetch(new URL('/', base))));
        now = await counts();
      }
      return (now.failed - before.failed) / (now.all - before.all);
    };
    expect(await failsOf(600)).toBeCloseTo(1 / 300, 2);
    fleet.setBehaviour(OLD.digest, 'sparse', 'us');
    const rate = await failsOf(600);
    expect(rate).toBeGreaterThan(0.007);
    expect(rate).toBeLessThan(0.013);
    fleet.setBehaviour(OLD.digest, 'good', 'us');
  });

  it('H2 a release that hammers payments is well itself, and payments is not', async () => {
    const { metricsUrl } = fleet.payments?.instance() ?? {};
    const refused = () => metric(metricsUrl, /code="503"\} (\d+)/);
    const before = await refused();
    const eu = () => fleet.stats().eu ?? { requests: 0, failed: 0 };
    const from = eu();
    fleet.setBehaviour(OLD.digest, 'hammers', 'eu');
    await until('payments refuses', async () => (await refused()) > before + 20);
    const to = eu();
    // What fails of a good release too, and no more.
    expect(to.failed - from.failed).toBeLessThanOrEqual(1 + (to.requests - from.requests) / 100);
    fleet.setBehaviour(OLD.digest, 'good', 'eu');
    const read = { service: 'payments', target: 'eu', options: {} };
    expect((await drive.provider.observe(read, signal)).instances).toEqual([fleet.payments?.instance()]);
  });
});
