import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROVIDERS } from '../../src/providers/index.ts';
import type { ChangeRequest } from '../../src/providers/provider.ts';
import { PLAIN } from '../support/placing.ts';
import { INITIAL, type ProviderWorld, WORLDS } from './provider-worlds.ts';

const A = { digest: `sha256:${'a'.repeat(64)}`, sha: 'a'.repeat(40) };
const B = { digest: `sha256:${'b'.repeat(64)}`, sha: 'b'.repeat(40) };

describe('the table of providers', () => {
  it('holds every file of its folder, under its own name', () => {
    const found = readdirSync(new URL('../../src/providers', import.meta.url));
    const files = found.flatMap((file) => (file.endsWith('.ts') ? file.slice(0, -3) : []));
    const kinds = files.filter((file) => file !== 'provider' && file !== 'index');
    expect(Object.keys(PROVIDERS).sort()).toEqual(kinds.sort());
    for (const [name, { kind }] of Object.entries(PROVIDERS)) expect(kind).toBe(name);
  });

  it('has a world behind every kind, so that none goes untested', () => {
    expect(Object.keys(WORLDS).sort()).toEqual(Object.keys(PROVIDERS).sort());
  });

  it('accepts the options of each world by the schema of its kind', async () => {
    const parsed = PROVIDERS.memory?.targetSchema.safeParse({ regions: { eu: 4 }, digest: INITIAL });
    expect(parsed?.success).toBe(true);
    expect(PROVIDERS.http?.schema.safeParse({ url: 'http://169.254.169.254/', token: 't' }).success).toBe(false);
  });
});

describe.each(Object.keys(PROVIDERS))('a provider of kind %s', (kind) => {
  let world: ProviderWorld;
  let signal: AbortSignal;
  beforeAll(async () => {
    const make = WORLDS[kind];
    if (!make) throw new Error(`No world for the provider ${kind}: add one to provider-worlds.ts.`);
    world = await make({ eu: 4 });
    signal = new AbortController().signal;
  });
  afterAll(() => world.stop());

  const target = () => ({ service: 'shop', target: 'eu', options: world.options('eu') });
  const request = (part: Partial<ChangeRequest>): ChangeRequest => ({
    ...target(),
    ...PLAIN,
    artifact: A,
    share: 1,
    key: 'key',
    generation: 1,
    ...part,
  });

  const finish: ProviderWorld['finish'] = (ask) => world.finish(ask);
  const digests = async () => (await world.provider.observe(target(), signal)).instances.map((one) => one.digest);

  it('T16 reads back every instance by name, region and digest', async () => {
    const seen = await world.provider.observe(target(), signal);
    expect(seen.target).toBe('eu');
    expect(seen.instances).toHaveLength(4);
    expect(new Set(seen.instances.map((one) => one.id)).size).toBe(4);
    expect(seen.instances.every((one) => one.region === 'eu' && one.isHealthy && one.digest === INITIAL)).toBe(true);
    expect(seen.weights).toEqual({ [INITIAL]: 1 });
    expect(seen.generation).toBeNull();
  });

  it('R3 says how many instances there are and how many serve', async () => {
    expect(await world.provider.capacity(target(), request({}), signal)).toMatchObject({
      target: 'eu',
      instances: 4,
      serving: 4,
    });
  });

  it('R1 a share reaches that share of the instances, rounded up and at least one, and says running until it did', async () => {
    const one = request({ share: 0.05, key: 'canary', generation: 1 });
    const { last, running } = await finish(() => world.provider.deploy(one, signal));
    expect(last).toEqual({ is: 'done' });
    expect(running).toBeGreaterThan(0);
    const seen = await world.provider.observe(target(), signal);
    expect(seen.instances.filter((instance) => instance.digest === A.digest)).toHaveLength(1);
    expect(seen.instances.filter((instance) => instance.digest === INITIAL)).toHaveLength(3);
    expect(seen.weights).toEqual({ [A.digest]: 0.25, [INITIAL]: 0.75 });
    expect(seen.generation).toBe(1);

    await finish(() => world.provider.deploy(request({ share: 0.51, key: 'wave', generation: 2 }), signal));
    expect((await digests()).filter((digest) => digest === A.digest)).toHaveLength(3);
  });

  it('T4 the same key again changes nothing, also when something else was put there since', async () => {
    await finish(() => world.provider.deploy(request({ key: 'first', generation: 3 }), signal));
    expect(await digests()).toEqual(Array(4).fill(A.digest));
    await finish(() => world.provider.deploy(request({ artifact: B, key: 'second', generation: 3 }), signal));
    const again = await world.provider.deploy(request({ key: 'first', generation: 3 }), signal);
    expect(again).toEqual({ is: 'done' });
    expect(await digests()).toEqual(Array(4).fill(B.digest));
  });

  it('a key that was used for one artifact cannot bring another', async () => {
    const reused = request({ artifact: A, key: 'second', generation: 3 });
    expect(await world.provider.deploy(reused, signal)).toMatchObject({ is: 'failed', isTerminal: true });
    expect(await digests()).toEqual(Array(4).fill(B.digest));
  });

  it('T6 a change of an older generation is refused for good and touches nothing', async () => {
    await finish(() => world.provider.deploy(request({ artifact: B, key: 'newer', generation: 5 }), signal));
    const late = await world.provider.deploy(request({ key: 'late', generation: 4 }), signal);
    expect(late).toMatchObject({ is: 'failed', isTerminal: true });
    const { share: _, ...lateRollBack } = request({ key: 'late-back', generation: 4 });
    expect(await world.provider.rollBack(lateRollBack, signal)).toMatchObject({ is: 'failed', isTerminal: true });
    expect(await digests()).toEqual(Array(4).fill(B.digest));
  });

  it('T6 a change that a newer one overtook cannot finish afterwards', async () => {
    const slow = request({ artifact: A, key: 'overtaken', generation: 6 });
    expect(await world.provider.deploy(slow, signal)).toMatchObject({ is: 'running' });
    await finish(() => world.provider.deploy(request({ artifact: B, key: 'overtaker', generation: 7 }), signal));
    expect(await world.provider.deploy(slow, signal)).toMatchObject({ is: 'failed', isTerminal: true });
    expect(await digests()).toEqual(Array(4).fill(B.digest));
  });

  it('T18 a rollback puts every instance back, whatever runs there', async () => {
    await finish(() => world.provider.deploy(request({ share: 0.5, key: 'half', generation: 8 }), signal));
    const { share: _, ...back } = request({ artifact: B, key: 'back', generation: 9 });
    expect((await finish(() => world.provider.rollBack(back, signal))).last).toEqual({ is: 'done' });
    const seen = await world.provider.observe(target(), signal);
    expect(seen.instances.map((one) => [one.digest, one.isHealthy])).toEqual(Array(4).fill([B.digest, true]));
    expect(seen.generation).toBe(9);
  });

  it('D5 a rollback goes back to what ran before Belay knew the service, whose commit nobody knows', async () => {
    const { share: _, ...back } = request({ artifact: { digest: INITIAL, sha: '' }, key: 'adopted', generation: 10 });
    expect((await finish(() => world.provider.rollBack(back, signal))).last).toEqual({ is: 'done' });
    expect(await digests()).toEqual(Array(4).fill(INITIAL));
  });

  it('T17 a call whose time is over ends at once', async () => {
    const over = AbortSignal.abort(new Error('over'));
    await expect(world.provider.observe(target(), over)).rejects.toThrow();
  });

  it('T9 what cannot be read is an error and never an empty target', async () => {
    world.breakReading();
    await expect(world.provider.observe(target(), signal)).rejects.toThrow();
    await expect(world.provider.capacity(target(), request({}), signal)).rejects.toThrow();
  });
});
