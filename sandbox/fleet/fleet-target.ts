import type { Chain, Wish } from '../../src/core/strategy/ground.ts';
import { movesFor } from '../../src/core/strategy/moves-for.ts';
import { capacityOf } from '../../src/core/strategy/play.ts';
import { weightsByDigest } from '../../src/core/strategy/weights.ts';
import type { Capacity, Instance, Observation, Strategy } from '../../src/core/target.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { type Behaviour, type Config, checksumOf } from './behaviour.ts';
import type { Changes, IsOvertaken } from './changes.ts';
import { createInstances } from './instances.ts';
import type { RequestCounts } from './request-counter.ts';
import { startTraffic, type Traffic } from './traffic.ts';

export type InstanceState = Instance & { isServing: boolean } & RequestCounts;

export type TargetState = {
  target: string;
  /** Where its users go. */
  url: string;
  generation: number | null;
  isChanging: boolean;
  instances: InstanceState[];
} & RequestCounts;

/** How far a version came on a target, and what its users saw of it. */
export type Reach = { instances: number; of: number; requests: number; failed: number };

/** The instances of one target behind its balancer, under its traffic. */
export type FleetTarget = {
  /** Carries out one change; settles with why it failed, or null. */
  change(wish: Wish, isOvertaken: IsOvertaken): Promise<string | null>;
  observe(): Promise<Observation>;
  capacity(change: { share: number; strategy: Strategy }): Capacity;
  state(): TargetState;
  reachOf(digest: string): Reach;
  counts(): RequestCounts;
  traffic: Traffic;
  drift(id: string, digest: string, config: Config | null): Promise<void>;
  tellBehaviour(digest: string): void;
  stop(): Promise<void>;
};

export type FleetTargetSettings = {
  service: string;
  target: string;
  folder: string;
  instances: number;
  rps: number;
  /** null: nothing runs until the first change. */
  initialDigest: string | null;
  config: () => Config;
  healthyWithinMs: number;
  behaviourOf: (digest: string, id: string) => Behaviour;
  backgroundFailsEvery: number | null;
  paymentsUrl: string | null;
  faults: InstanceFaults;
  changes: Changes;
  log: (line: string) => void;
};

/** Instances by id with which something is wrong. */
export type InstanceFaults = {
  /** They say yes and stay as they are. */
  readonly stuckInstances: Set<string>;
  /** They do not come up, and the platform does not notice: it goes on, and says that it is done. */
  readonly overlookedInstances: Set<string>;
  /** Nobody can read what they run. */
  readonly unreadableInstances: Set<string>;
};

/** Starts all instances at once and settles when they are healthy. */
export async function startTarget(settings: FleetTargetSettings): Promise<FleetTarget> {
  const { target, faults, changes, log } = settings;
  const balancer: Balancer = await startBalancer(Date.now);
  const instances = createInstances({ ...settings, usual: settings.instances, balancer });
  if (settings.initialDigest !== null) {
    const failure = await instances.startAll(settings.initialDigest);
    if (failure !== null) {
      await instances.stop();
      await balancer.stop();
      throw new Error(`${target} did not start: ${failure}`);
    }
  }
  const traffic = startTraffic(balancer.url, settings.rps);
  let idle: NodeJS.Timeout | null = null;

  /** Settles with the first failure, or null. */
  async function follow(chain: Chain): Promise<string | null> {
    for (const move of chain) {
      if ('id' in move && faults.stuckInstances.has(move.id)) return null;
      const failure = await instances.carryOut(move);
      if (failure !== null) return 'id' in move && faults.overlookedInstances.has(move.id) ? null : failure;
      if (move.do === 'switch') keepIdle(move.keepMs);
    }
    return null;
  }

  /** The old colour ends by itself, unless another change has used or removed it before. */
  function keepIdle(keepMs: number): void {
    if (idle) clearTimeout(idle);
    const kept = instances.list().filter((one) => one.role === 'idle');
    idle = setTimeout(() => {
      changes.between(async () => {
        const isStillIdle = new Set(instances.list().flatMap((one) => (one.role === 'idle' ? one.id : [])));
        const ending = kept.filter((one) => isStillIdle.has(one.id));
        await Promise.all(ending.map(({ id }) => instances.carryOut({ do: 'stop', id })));
      });
    }, keepMs);
  }

  return {
    traffic,
    async change(wish, isOvertaken) {
      const planned = movesFor(instances.ground(), wish, instances.newId);
      if ('impossible' in planned) return planned.impossible;
      const failures: string[] = [];
      for (const batch of planned.plan) {
        // A newer change has taken over, or everything ends: chains are done whole or not at all.
        if (isOvertaken()) return null;
        const results = await Promise.all(
          batch.map(async (chain) => ({ failure: await follow(chain), wasDown: chain[0]?.do === 'restart' })),
        );
        const failed = results.filter((one) => one.failure !== null);
        failures.push(...failed.flatMap((one) => one.failure ?? []));
        // Going on would take the next instance down too; on the way back, what was down already stops nobody.
        if (failed.some((one) => !wish.isWayBack || !one.wasDown)) break;
      }
      if (failures.length === 0) return null;
      log(`${target}: ${failures.join('; ')}`);
      return `The change stopped: ${failures.join('; ')}`;
    },
    async observe() {
      const found = (await instances.read()).map((one) =>
        faults.unreadableInstances.has(one.id) ? { ...one, digest: null, config: null, isHealthy: false } : one,
      );
      const weights = weightsByDigest(instances.ground());
      const config = checksumOf(settings.config());
      return { target, instances: found, weights, generation: changes.generation(), config };
    },
    capacity: (change) => capacityOf(target, instances.ground(), change),
    state: () => ({
      target,
      url: balancer.url,
      generation: changes.generation(),
      isChanging: changes.isChanging(),
      ...balancer.counts(),
      instances: instances.list().map((one) => ({ ...one, ...balancer.countsOf(one.id) })),
    }),
    reachOf(digest) {
      const { requests, failed } = balancer.countsOfVersion(digest);
      const of = settings.instances;
      return { instances: Math.min(of, instances.touchedBy(digest)), of, requests, failed };
    },
    counts: () => balancer.counts(),
    drift: (id, digest, config) => instances.drift(id, digest, config ?? settings.config()),
    tellBehaviour: (digest) => instances.tellBehaviour(digest),
    async stop() {
      if (idle) clearTimeout(idle);
      traffic.stop();
      await instances.stop();
      await balancer.stop();
    },
  };
}
