import { describe, expect, it } from 'vitest';
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

  it('R6 what was put there behind its back is read back', async () => {
    const provider = createMemoryProvider();
    await provider.deploy(DEPLOY, signal);
    provider.place(TARGET, 'sha256:ff', ['prod-us-2']);
    expect(await digests(provider)).toEqual([true, true, true, true, false]);
  });
});
