import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from '../../sandbox/fleet/fleet.ts';
import { http } from '../../src/providers/http.ts';
import type { Provider, ProviderAnswer } from '../../src/providers/provider.ts';
import { PLAIN } from '../support/placing.ts';

const OLD = { digest: `sha256:${'0'.repeat(64)}`, sha: '0'.repeat(40) };
const GOOD = { digest: `sha256:${'1'.repeat(64)}`, sha: '1'.repeat(40) };
const ERRORS = { digest: `sha256:${'2'.repeat(64)}`, sha: '2'.repeat(40) };
const CRASH = { digest: `sha256:${'3'.repeat(64)}`, sha: '3'.repeat(40) };
const SLOW = { digest: `sha256:${'4'.repeat(64)}`, sha: '4'.repeat(40) };

const signal = new AbortController().signal;
const EU = { service: 'shop', target: 'eu', options: {} };

/** Looks again until it is so: real processes under real traffic need real time. */
async function until(what: string, isSo: () => boolean | Promise<boolean>, withinMs = 120_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await sleep(25);
  }
}

describe('the fleet, with real processes under real traffic', () => {
  let fleet: Fleet;
  let provider: Provider;
  let generation = 0;
  const log: string[] = [];

  beforeAll(async () => {
    fleet = await startFleet({
      behaviours: new Map([
        [ERRORS.digest, 'errors'],
        [CRASH.digest, 'crash'],
        [SLOW.digest, 'slow'],
      ]),
      initialDigest: OLD.digest,
      token: 'fleet-token',
      log: (line) => log.push(line),
      regions: { staging: { instances: 2, rps: 0 }, eu: { instances: 4, rps: 60 } },
    });
    const options = { url: fleet.url, token: fleet.token, timeoutMs: 10_000 };
    provider = http.create(options, { fetch, now: Date.now });
  });
  afterAll(() => fleet.stop());

  async function finish(ask: () => Promise<ProviderAnswer>): Promise<ProviderAnswer> {
    for (;;) {
      const answer = await ask();
      if (answer.is !== 'running') return answer;
      await sleep(answer.retryAfterMs);
    }
  }

  function deploy(artifact: typeof OLD, share: number): Promise<ProviderAnswer> {
    generation += 1;
    const request = { ...EU, ...PLAIN, isCanary: share < 1, artifact, share, key: `change-${generation}`, generation };
    return finish(() => provider.deploy(request, signal));
  }

  function rollBack(artifact: typeof OLD): Promise<ProviderAnswer> {
    generation += 1;
    const request = { ...EU, ...PLAIN, artifact, key: `change-${generation}`, generation };
    return finish(() => provider.rollBack(request, signal));
  }

  const eu = () => fleet.stats().eu ?? { requests: 0, failed: 0, rps: 0 };
  const digests = async () => (await provider.observe(EU, signal)).instances.map((one) => one.digest);

  it('R8 nobody meets an error while a good release replaces every instance, canary first', async () => {
    await until('traffic flows', () => eu().requests > 20);
    expect(await deploy(GOOD, 0.1)).toEqual({ is: 'done' });
    expect(await digests()).toEqual([GOOD.digest, OLD.digest, OLD.digest, OLD.digest]);
    expect(await deploy(GOOD, 1)).toEqual({ is: 'done' });
    expect(await digests()).toEqual(Array(4).fill(GOOD.digest));
    const after = eu().requests;
    await until('the new instances serve', () => eu().requests > after + 30);
    expect(eu().failed).toBe(0);
  });

  it('H1 each instance tells its own metrics, labelled with version, region and canary', async () => {
    await deploy(OLD, 0.25);
    const [canary, other] = (await provider.observe(EU, signal)).instances;
    await until('the canary has served', () => (fleet.state().targets[1]?.instances[0]?.requests ?? 0) > 0);
    const text = async (url: string | null | undefined) => (await fetch(url ?? '')).text();
    await until('it is counted', async () =>
      /http_requests_total\{version="0{12}",region="eu",canary="true",role="canary",code="200"\} [1-9]/.test(
        await text(canary?.metricsUrl),
      ),
    );
    expect(await text(canary?.metricsUrl)).toContain('http_request_duration_seconds_bucket{le="0.5",');
    expect(await text(canary?.metricsUrl)).toMatch(/code="500"\} 0/);
    expect(await text(other?.metricsUrl)).toMatch(
      /version="1{12}",region="eu",canary="false",role="stable",code="200"\} [1-9]/,
    );
    await rollBack(GOOD);
  });

  it('a bad release is really bad: one request in five of its canary fails for users, and rollback ends it', async () => {
    const before = eu();
    expect(await deploy(ERRORS, 0.25)).toEqual({ is: 'done' });
    const canary = () => fleet.state().targets[1]?.instances[0];
    const start = canary()?.requests ?? 0;
    await until('the canary has answered enough', () => (canary()?.requests ?? 0) > start + 25);
    expect(eu().failed).toBeGreaterThanOrEqual(before.failed + 5);

    expect(await rollBack(GOOD)).toEqual({ is: 'done' });
    expect(await digests()).toEqual(Array(4).fill(GOOD.digest));
    const back = eu();
    await until('traffic goes on', () => eu().requests > back.requests + 50);
    expect(eu().failed).toBe(back.failed);
  });

  it('R6 a release that does not start fails, is shown unhealthy where it was put, and takes no other instance down', async () => {
    const before = eu();
    expect(await deploy(CRASH, 1)).toMatchObject({
      is: 'failed',
      isTerminal: true,
      detail: expect.stringMatching(/eu-1 exited with code 1: shop 3{12}: cannot start: PAYMENTS_URL is not set/),
    });
    const seen = await provider.observe(EU, signal);
    expect(seen.instances[0]).toMatchObject({ digest: CRASH.digest, isHealthy: false, metricsUrl: null });
    expect(seen.instances.slice(1).every((one) => one.isHealthy && one.digest === GOOD.digest)).toBe(true);
    expect(await provider.capacity(EU, { ...PLAIN, share: 1 }, signal)).toEqual({
      target: 'eu',
      instances: 4,
      serving: 3,
      servingDuring: 3,
    });

    expect(await rollBack(GOOD)).toEqual({ is: 'done' });
    const restored = await provider.observe(EU, signal);
    expect(restored.instances.every((one) => one.isHealthy && one.digest === GOOD.digest)).toBe(true);
    expect(eu().failed).toBe(before.failed);
  });

  it('T6 a rollback stops a rollout that is under way and does not wait until it has reached everything', async () => {
    generation += 1;
    const request = { ...EU, ...PLAIN, artifact: SLOW, share: 1, key: `change-${generation}`, generation };
    expect(await provider.deploy(request, signal)).toMatchObject({ is: 'running' });
    expect(await rollBack(GOOD)).toEqual({ is: 'done' });
    expect(await digests()).toEqual(Array(4).fill(GOOD.digest));
    expect(log.filter((line) => line.endsWith(`starting ${SLOW.digest}`)).length).toBeLessThan(4);
  });

  it('a slow release really is slow, and a behaviour can change while it runs', async () => {
    const staging = fleet.state().targets[0]?.url ?? '';
    const took = async () => {
      const startedAt = performance.now();
      expect((await fetch(staging)).status).toBe(200);
      return performance.now() - startedAt;
    };
    fleet.setBehaviour(OLD.digest, 'slow');
    await until('it is slow', async () => (await took()) > 800);
    fleet.setBehaviour(OLD.digest, 'good');
    await until('it is fast again', async () => (await took()) < 800);
  });

  it('R6 an instance that says yes and stays as it is, is read back as what it runs', async () => {
    fleet.faults.stuckInstances.add('eu-4');
    expect(await deploy(OLD, 1)).toEqual({ is: 'done' });
    expect(await digests()).toEqual([OLD.digest, OLD.digest, OLD.digest, GOOD.digest]);
    fleet.faults.stuckInstances.clear();
  });

  it('the state is public and holds no token; everything else needs it', async () => {
    const state = await fetch(`${fleet.url}/fleet/state`);
    expect(state.status).toBe(200);
    const text = await state.text();
    expect(text).not.toContain(fleet.token);
    expect(JSON.parse(text).targets.map((one: { target: string }) => one.target)).toEqual(['staging', 'eu']);
    expect((await fetch(`${fleet.url}/v1/services/shop/targets/eu`)).status).toBe(401);
    const wrong = { headers: { authorization: 'Bearer fleet-tokem' } };
    expect((await fetch(`${fleet.url}/v1/services/shop/targets/eu`, wrong)).status).toBe(401);
  });
});

describe('the processes of a fleet', () => {
  const entry = fileURLToPath(new URL('./fleet-process.ts', import.meta.url));
  let child: ChildProcess | null = null;
  afterAll(() => child?.kill('SIGKILL'));

  it('T5 all end when the fleet is killed with kill -9', async () => {
    child = spawn(process.execPath, [entry], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    const { targets } = JSON.parse(line.toString()) as ReturnType<Fleet['state']>;
    const urls = targets.flatMap((one) => one.instances.map((instance) => instance.metricsUrl ?? ''));
    expect(urls).toHaveLength(2);
    for (const url of urls) expect((await fetch(url)).status).toBe(200);
    child.kill('SIGKILL');
    await until('no instance answers', async () => {
      const answers = await Promise.all(
        urls.map((url) =>
          fetch(url).then(
            () => true,
            () => false,
          ),
        ),
      );
      return !answers.some(Boolean);
    });
  });
});
