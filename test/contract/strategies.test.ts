import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Instance, Strategy } from '../../src/core/target.ts';
import { PROVIDERS } from '../../src/providers/index.ts';
import type { ChangeRequest, EnvironmentRequest } from '../../src/providers/provider.ts';
import { INITIAL, type ProviderWorld, WORLDS } from './provider-worlds.ts';

const A = { digest: `sha256:${'a'.repeat(64)}`, sha: 'a'.repeat(40) };
const OLD = { digest: INITIAL, sha: '' };

/** The targets have two instances each. `during`: how many serve at least while everything is changed. */
const STRATEGIES: { target: string; strategy: Strategy; during: number; keepsIds: boolean; keepsOld: boolean }[] = [
  {
    target: 'in-place',
    strategy: { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 5_000 },
    during: 1,
    keepsIds: true,
    keepsOld: false,
  },
  {
    target: 'surge',
    strategy: { is: 'rolling', maxSurge: 1, maxUnavailable: 0, drainMs: 5_000 },
    during: 2,
    keepsIds: false,
    keepsOld: false,
  },
  { target: 'weight', strategy: { is: 'weight', drainMs: 5_000 }, during: 2, keepsIds: true, keepsOld: false },
  {
    target: 'blue-green',
    strategy: { is: 'blue-green', keepMs: 600_000, drainMs: 5_000 },
    during: 2,
    keepsIds: false,
    keepsOld: true,
  },
  { target: 'replace', strategy: { is: 'replace', drainMs: 5_000 }, during: 2, keepsIds: false, keepsOld: false },
  {
    target: 'symlink',
    strategy: { is: 'symlink', maxUnavailable: 1, drainMs: 5_000 },
    during: 1,
    keepsIds: true,
    keepsOld: false,
  },
];

const kinds = Object.keys(PROVIDERS);

async function worldOf(kind: string, sizes: Record<string, number>): Promise<ProviderWorld> {
  const make = WORLDS[kind];
  if (!make) throw new Error(`No world for the provider ${kind}: add one to provider-worlds.ts.`);
  return make(sizes);
}

const { signal } = new AbortController();

describe.each(kinds)('a provider of kind %s', (kind) => {
  describe.each(STRATEGIES)('with the strategy of $target', ({ target, strategy, during, keepsIds, keepsOld }) => {
    let world: ProviderWorld;
    let before: Instance[];
    beforeAll(async () => {
      world = await worldOf(kind, { [target]: 2 });
      before = await instances();
    });
    afterAll(() => world?.stop());

    const ref = () => ({ service: 'shop', target, options: world.options(target) });
    const observe = () => world.provider.observe(ref(), signal);
    const instances = async () => (await observe()).instances;
    const ofRole = async (role: Instance['role']) => (await instances()).filter((one) => one.role === role);
    const deploy = async (generation: number, part: Partial<ChangeRequest>) => {
      const placing = { share: 1, instances: null, strategy, isCanary: false, baseline: null };
      const request = { ...ref(), artifact: A, ...placing, key: `change-${generation}`, generation, ...part };
      expect((await world.finish(() => world.provider.deploy(request, signal))).last).toEqual({ is: 'done' });
    };

    it('R3 says before the step how many serve at least while it runs', async () => {
      const capacity = await world.provider.capacity(ref(), { share: 1, strategy }, signal);
      expect(capacity).toEqual({ target, instances: 2, serving: 2, servingDuring: during });
    });

    it('R1 H1 labels the canary, and starts as many fresh instances of the old version together with it', async () => {
      await deploy(1, { share: 0.5, isCanary: true, baseline: OLD });
      const canary = await ofRole('canary');
      expect(canary.map((one) => [one.digest, one.isHealthy])).toEqual([[A.digest, true]]);
      const baseline = await ofRole('baseline');
      expect(baseline.map((one) => [one.digest, one.isHealthy])).toEqual([[INITIAL, true]]);
      expect(before.map((one) => one.id)).not.toContain(baseline[0]?.id);
      const { weights } = await observe();
      const isBeside = strategy.is === 'weight' || strategy.is === 'blue-green';
      expect(weights[A.digest]).toBeCloseTo(isBeside ? 0.5 : 1 / 3);
      expect(weights[INITIAL]).toBeCloseTo(isBeside ? 0.5 : 2 / 3);
    });

    it('R5 R8 then everything runs it: no label, no baseline, as many as before', async () => {
      await deploy(2, {});
      const users = await ofRole('stable');
      expect(users.map((one) => [one.digest, one.isHealthy])).toEqual(Array(2).fill([A.digest, true]));
      const isSame = users.every((one) => before.some((other) => other.id === one.id));
      expect(isSame).toBe(keepsIds);
      const idle = await ofRole('idle');
      expect(idle.map((one) => [one.digest, one.isHealthy])).toEqual(keepsOld ? Array(2).fill([INITIAL, true]) : []);
      expect(await instances()).toHaveLength(keepsOld ? 4 : 2);
      expect((await observe()).weights).toEqual({ [A.digest]: 1 });
    });

    it('R5 T18 a rollback leaves the old version on every instance and nothing beside', async () => {
      const back = { ...ref(), artifact: OLD, strategy, key: 'back', generation: 3 };
      expect((await world.finish(() => world.provider.rollBack(back, signal))).last).toEqual({ is: 'done' });
      const found = await instances();
      expect(found.map((one) => [one.digest, one.role, one.isHealthy])).toEqual(
        Array(2).fill([INITIAL, 'stable', true]),
      );
      // The old colour was kept: the way back made nothing new.
      if (keepsOld) expect(found.map((one) => one.id)).toEqual(before.map((one) => one.id));
      expect((await observe()).generation).toBe(3);
    });

    it('T18 a rollback from the canary leaves neither the canary nor its baseline', async () => {
      await deploy(4, { share: 0.5, isCanary: true, baseline: OLD });
      const back = { ...ref(), artifact: OLD, strategy, key: 'back again', generation: 5 };
      expect((await world.finish(() => world.provider.rollBack(back, signal))).last).toEqual({ is: 'done' });
      expect((await instances()).map((one) => [one.digest, one.role])).toEqual(Array(2).fill([INITIAL, 'stable']));
    });
  });

  describe('with environments and configurations', () => {
    let world: ProviderWorld;
    beforeAll(async () => {
      world = await worldOf(kind, { eu: 3 });
    });
    afterAll(() => world?.stop());

    const strategy: Strategy = { is: 'blue-green', keepMs: 300, drainMs: 1_000 };
    const inPlace: Strategy = { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 1_000 };
    const plain = { share: 1, instances: null, strategy: inPlace, isCanary: false, baseline: null };
    const ref = (target: string) => ({ service: 'shop', target, options: world.options(target) });
    const observe = (target: string) => world.provider.observe(ref(target), signal);
    const environment = (generation: number): EnvironmentRequest => ({
      ...ref('smoke'),
      key: `environment-${generation}`,
      generation,
    });
    const deploy = (target: string, part: Partial<ChangeRequest> & { generation: number }) => {
      const request = { ...ref(target), artifact: A, ...plain, key: `${target}-${part.generation}`, ...part };
      return world.finish(() => world.provider.deploy(request, signal));
    };

    it('R1 puts the release on the instances that were named', async () => {
      const second = (await observe('eu')).instances[1]?.id ?? '';
      await deploy('eu', { generation: 1, share: 0.3, instances: [second], isCanary: true });
      const found = (await observe('eu')).instances;
      expect(found.filter((one) => one.digest === A.digest).map((one) => [one.id, one.role])).toEqual([
        [second, 'canary'],
      ]);
      await deploy('eu', { generation: 2, share: 0.3, instances: [second] });
      expect((await observe('eu')).instances.map((one) => one.role)).toEqual(['stable', 'stable', 'stable']);
    });

    it('R6 reads the configuration back from each instance, and a deploy mends the one that has another', async () => {
      const { config, instances } = await observe('eu');
      expect(instances.map((one) => one.config)).toEqual(Array(3).fill(config));
      const third = instances[2];
      await world.misconfigure('eu', third?.id ?? '', INITIAL);
      const seen = (await observe('eu')).instances;
      expect(seen.map((one) => one.config === config)).toEqual([true, true, false]);
      await deploy('eu', { generation: 3, artifact: OLD });
      const mended = (await observe('eu')).instances;
      expect(mended.map((one) => [one.digest, one.config])).toEqual(Array(3).fill([INITIAL, config]));
    });

    it('R5 the old colour of a switch is gone after its time', async () => {
      await deploy('eu', { generation: 4, strategy });
      expect((await observe('eu')).instances.filter((one) => one.digest === A.digest)).toHaveLength(3);
      await world.pass(300);
      await expect
        .poll(async () => (await observe('eu')).instances.map((one) => one.digest))
        .toEqual(Array(3).fill(A.digest));
    });

    it('P1 makes an environment, empty and anew, removes all of it, and removing it twice is done', async () => {
      const { provider, finish } = world;
      expect((await finish(() => provider.create(environment(1), signal))).last).toEqual({ is: 'done' });
      expect((await observe('smoke')).instances).toEqual([]);
      expect((await deploy('smoke', { generation: 2 })).last).toEqual({ is: 'done' });
      expect((await observe('smoke')).instances.map((one) => one.digest)).toEqual(Array(2).fill(A.digest));

      expect((await finish(() => provider.create(environment(3), signal))).last).toEqual({ is: 'done' });
      expect((await observe('smoke')).instances).toEqual([]);
      expect((await deploy('smoke', { generation: 4, share: 0.5 })).last).toEqual({ is: 'done' });
      expect((await observe('smoke')).instances.map((one) => one.digest)).toEqual([A.digest]);

      expect((await finish(() => provider.remove(environment(5), signal))).last).toEqual({ is: 'done' });
      await expect(observe('smoke')).rejects.toThrow();
      expect((await finish(() => provider.remove(environment(6), signal))).last).toEqual({ is: 'done' });
    });

    it('T6 a late create after a newer remove is refused for good, and so is a deploy to what is not there', async () => {
      const { provider } = world;
      expect(await provider.create(environment(3), signal)).toMatchObject({ is: 'failed', isTerminal: true });
      await expect(observe('smoke')).rejects.toThrow();
      expect((await deploy('smoke', { generation: 7 })).last).toMatchObject({ is: 'failed', isTerminal: true });
    });
  });
});
