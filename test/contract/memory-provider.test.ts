import { describe, expect, it } from 'vitest';
import type { Strategy } from '../../src/core/target.ts';
import { createMemoryProvider } from '../../src/providers/memory.ts';
import { PLAIN } from '../support/placing.ts';

const A = { digest: 'sha256:aa', sha: 'aa' };
const TARGET = { service: 'shop', target: 'prod', options: { regions: { eu: 3, us: 2 }, digest: 'sha256:00' } };
const DEPLOY = { ...TARGET, ...PLAIN, artifact: A, share: 1, key: 'k', generation: 1 };
const signal = new AbortController().signal;

describe('the memory provider in trouble', () => {
  const digests = async (provider: ReturnType<typeof createMemoryProvider>) =>
    (await provider.observe(TARGET, signal)).instances.map((one) => one.digest === A.digest);

  it('R1 a small share reaches every region that it can', async () => {
    const provider = createMemoryProvider();
    await provider.deploy({ ...DEPLOY, share: 0.4 }, signal);
    const { instances } = await provider.observe(TARGET, signal);
    expect(instances.filter((one) => one.digest === A.digest).map((one) => one.region)).toEqual(['eu', 'us']);
  });

  it('a failed change touches nothing, and the same key may try again', async () => {
    const provider = createMemoryProvider();
    provider.inject('prod', { is: 'fail', isTerminal: false }, 1);
    expect(await provider.deploy(DEPLOY, signal)).toMatchObject({ is: 'failed', isTerminal: false });
    expect(await digests(provider)).toEqual([false, false, false, false, false]);
    expect(await provider.deploy(DEPLOY, signal)).toEqual({ is: 'done' });
    expect(await digests(provider)).toEqual([true, true, true, true, true]);
  });

  it('T4 an answer that was lost does not make the change happen twice', async () => {
    const provider = createMemoryProvider();
    provider.inject('prod', { is: 'lost-answer' }, 1);
    await expect(provider.deploy(DEPLOY, signal)).rejects.toThrow('Timed out');
    expect(await digests(provider)).toEqual([true, true, true, true, true]);
    expect(await provider.deploy(DEPLOY, signal)).toEqual({ is: 'done' });
    expect(provider.changes).toHaveLength(1);
  });

  it('R6 a partial change says done, and only reading back shows the rest', async () => {
    const provider = createMemoryProvider();
    provider.inject('prod', { is: 'partial', stays: ['prod-us-1'] });
    expect(await provider.deploy(DEPLOY, signal)).toEqual({ is: 'done' });
    expect(await digests(provider)).toEqual([true, true, true, false, true]);
  });

  it('an unhealthy release is there and does not serve', async () => {
    const provider = createMemoryProvider();
    provider.inject('prod', { is: 'unhealthy' });
    await provider.deploy({ ...DEPLOY, share: 0.2 }, signal);
    expect(await provider.capacity(TARGET, DEPLOY, signal)).toEqual({
      target: 'prod',
      instances: 5,
      serving: 4,
      servingDuring: 4,
    });
    provider.heal('prod');
    await provider.rollBack({ ...DEPLOY, artifact: { digest: 'sha256:00', sha: '00' }, key: 'b' }, signal);
    expect(await provider.capacity(TARGET, DEPLOY, signal)).toMatchObject({ serving: 5 });
  });

  it('trouble on one target leaves the others alone', async () => {
    const provider = createMemoryProvider();
    provider.inject('prod', { is: 'unreachable' });
    await expect(provider.deploy(DEPLOY, signal)).rejects.toThrow('does not answer for prod');
    expect(await provider.deploy({ ...DEPLOY, target: 'staging' }, signal)).toEqual({ is: 'done' });
  });

  it.each<[Strategy, number, number]>([
    [{ is: 'rolling', maxSurge: 1, maxUnavailable: 1, drainMs: 0 }, 1, 1],
    [{ is: 'weight', drainMs: 0 }, 0, 2],
    [{ is: 'blue-green', keepMs: 1000, drainMs: 0 }, 0, 5],
    [{ is: 'replace', drainMs: 0 }, 0, 1],
    [{ is: 'symlink', maxUnavailable: 2, drainMs: 0 }, 2, 0],
  ])(
    'R5 R8 can be watched at every move of %j: at most %i fewer serve, at most %i more are there',
    async (strategy, fewer, more) => {
      const provider = createMemoryProvider();
      const seen: { users: number; serving: number }[] = [];
      provider.watch((_, { instances }) => {
        const users = instances.filter((one) => one.role === 'stable' || one.role === 'canary');
        seen.push({ users: users.length, serving: users.filter((one) => one.isServing).length });
      });
      const canary = { share: 0.4, isCanary: true, baseline: { digest: 'sha256:00', sha: '' } };
      await provider.deploy({ ...DEPLOY, strategy, ...canary }, signal);
      await provider.deploy({ ...DEPLOY, strategy, key: 'all', generation: 2 }, signal);
      const back = { ...TARGET, artifact: { digest: 'sha256:00', sha: '' }, strategy, key: 'back', generation: 3 };
      await provider.rollBack(back, signal);
      expect(seen.length).toBeGreaterThan(10);
      expect(Math.min(...seen.map((one) => one.serving))).toBeGreaterThanOrEqual(5 - fewer);
      expect(Math.max(...seen.map((one) => one.users))).toBeLessThanOrEqual(5 + more);
    },
  );

  it('R6 an instance that cannot be read has no version and no configuration', async () => {
    const provider = createMemoryProvider();
    provider.inject('prod', { is: 'unreadable', ids: ['prod-us-2'] });
    const { instances } = await provider.observe(TARGET, signal);
    expect(instances.at(-1)).toMatchObject({ id: 'prod-us-2', digest: null, config: null, isHealthy: false });
    provider.heal('prod');
    expect((await provider.observe(TARGET, signal)).instances.at(-1)?.digest).toBe('sha256:00');
  });

  it('R6 a configuration that changes reaches what is started from then on', async () => {
    const provider = createMemoryProvider();
    provider.configure(TARGET, 'newer');
    await provider.deploy({ ...DEPLOY, share: 0.2 }, signal);
    const { config, instances } = await provider.observe(TARGET, signal);
    expect(config).toBe('newer');
    expect(instances.map((one) => one.config)).toEqual(['newer', null, null, null, null]);
  });

  it('R6 what was put there behind its back is read back', async () => {
    const provider = createMemoryProvider();
    await provider.deploy(DEPLOY, signal);
    provider.place(TARGET, 'sha256:ff', ['prod-us-2']);
    expect(await digests(provider)).toEqual([true, true, true, true, false]);
  });
});
