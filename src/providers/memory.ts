import { z } from 'zod';
import { type Instance, instancesFor } from '../core/target.ts';
import type { ChangeRequest, Provider, ProviderAnswer, ProviderKind, RollBackRequest, TargetRef } from './provider.ts';

const targetSchema = z.strictObject({
  regions: z
    .record(z.string().min(1), z.int().min(1).max(1000))
    .refine((regions) => Object.keys(regions).length > 0, 'Name at least one region, such as {eu: 4}.')
    .default({ local: 1 })
    .describe('How many instances there are in each region.'),
  digest: z.string().min(1).nullable().default(null).describe('What runs before the first change; null: unreadable.'),
});

const schema = z.strictObject({
  runningCalls: z.int().min(0).max(1000).default(0).describe('How often a change answers "running" before it is done.'),
});

/** What a test or the simulator can make a target do. */
export type MemoryFault =
  /** Changes fail and change nothing. */
  | { is: 'fail'; isTerminal: boolean; detail?: string }
  /** Changes answer `done` but reach only this many of the instances that they should have reached. */
  | { is: 'partial'; instances: number }
  /** Every call throws, and changes nothing. */
  | { is: 'unreachable' }
  /** The change happens and its answer is lost, as with a time-out after the effect. */
  | { is: 'lost-answer' }
  /** Instances come up on the artifact but are not healthy. */
  | { is: 'unhealthy' };

/** One change that took effect, in order. */
export type MemoryChange = {
  kind: 'deploy' | 'roll-back';
  service: string;
  target: string;
  digest: string;
  share: number;
  key: string;
  generation: number;
};

/** The provider with the handles that tests hold. Nothing in it is random and nothing waits. */
export type MemoryProvider = Provider & {
  /** Every change that took effect, oldest first; a repeat of a key adds nothing. */
  readonly changes: readonly MemoryChange[];
  /** Makes the next `times` calls that the fault concerns go wrong; without `times` all until `heal`. */
  inject(target: string, fault: MemoryFault, times?: number): void;
  /** Ends the faults of one target, or of all. */
  heal(target?: string): void;
  /** Puts something on instances behind Belay's back: drift. Without `ids`, on all. */
  place(target: TargetRef, digest: string | null, ids?: string[]): void;
};

type Wish = RollBackRequest & Pick<ChangeRequest, 'share'>;
type Change = { request: Wish; kind: MemoryChange['kind']; callsLeft: number; isDone: boolean };
type World = { instances: Instance[]; generation: number | null; changes: Map<string, Change> };

/** A platform that exists only in this process: the reference for what every provider promises, and the test double. */
export function createMemoryProvider(options: Partial<z.output<typeof schema>> = {}): MemoryProvider {
  const runningCalls = options.runningCalls ?? 0;
  const worlds = new Map<string, World>();
  const faults = new Map<string, { fault: MemoryFault; left: number }>();
  const log: MemoryChange[] = [];

  function worldOf(ref: TargetRef): World {
    const name = JSON.stringify([ref.service, ref.target]);
    const world = worlds.get(name) ?? { instances: build(ref), generation: null, changes: new Map() };
    worlds.set(name, world);
    return world;
  }

  /** Is the target in this trouble? Uses up one of its times. */
  function hits<Is extends MemoryFault['is']>(target: string, is: Is): Extract<MemoryFault, { is: Is }> | null {
    const found = faults.get(target);
    if (found?.fault.is !== is) return null;
    found.left -= 1;
    if (!(found.left > 0)) faults.delete(target);
    return found.fault as Extract<MemoryFault, { is: Is }>;
  }

  function reach(ref: TargetRef, signal: AbortSignal): World {
    signal.throwIfAborted();
    if (hits(ref.target, 'unreachable')) throw new Error(`The platform does not answer for ${ref.target}.`);
    return worldOf(ref);
  }

  function change(kind: MemoryChange['kind'], request: Wish, signal: AbortSignal): ProviderAnswer {
    const world = reach(request, signal);
    if (request.generation < (world.generation ?? 0)) {
      return refused(`Generation ${request.generation} is older than ${world.generation}, which was accepted before.`);
    }
    const fresh: Change = { request, kind, callsLeft: runningCalls, isDone: false };
    const known = world.changes.get(request.key) ?? fresh;
    if (known.kind !== kind || known.request.artifact.digest !== request.artifact.digest) {
      return refused(`The key ${request.key} was used for another change.`);
    }
    if (known.isDone) return { is: 'done' };
    const failing = hits(request.target, 'fail');
    if (failing) {
      return { is: 'failed', isTerminal: failing.isTerminal, detail: failing.detail ?? 'The platform failed.' };
    }
    world.generation = request.generation;
    world.changes.set(request.key, known);
    if (known.callsLeft > 0) {
      known.callsLeft -= 1;
      return { is: 'running', retryAfterMs: 1000 };
    }
    apply(world, kind, request);
    known.isDone = true;
    if (hits(request.target, 'lost-answer')) throw new Error('Timed out while waiting for the answer.');
    return { is: 'done' };
  }

  function apply(world: World, kind: MemoryChange['kind'], request: Wish): void {
    const wished = instancesFor(request.share, world.instances.length);
    const reached = hits(request.target, 'partial')?.instances ?? wished;
    const isHealthy = hits(request.target, 'unhealthy') === null;
    for (const instance of acrossRegions(world.instances).slice(0, Math.min(wished, reached))) {
      instance.digest = request.artifact.digest;
      instance.isHealthy = isHealthy;
    }
    const { service, target, share, key, generation } = request;
    log.push({ kind, service, target, digest: request.artifact.digest, share, key, generation });
  }

  return {
    changes: log,
    deploy: async (request, signal) => change('deploy', request, signal),
    rollBack: async (request, signal) => change('roll-back', { ...request, share: 1 }, signal),
    create: async () => refused('Environments are not made here.'),
    remove: async () => refused('Environments are not made here.'),
    observe: async (ref, signal) => {
      const { instances, generation } = reach(ref, signal);
      return {
        target: ref.target,
        instances: structuredClone(instances),
        weights: weightsOf(instances),
        generation,
        config: null,
      };
    },
    capacity: async (ref, _change, signal) => {
      const { instances } = reach(ref, signal);
      const serving = instances.filter((one) => one.isHealthy).length;
      return { target: ref.target, instances: instances.length, serving, servingDuring: serving };
    },
    inject: (target, fault, times = Number.POSITIVE_INFINITY) => void faults.set(target, { fault, left: times }),
    heal: (target) => (target === undefined ? faults.clear() : void faults.delete(target)),
    place: (ref, digest, ids) => {
      for (const instance of worldOf(ref).instances) {
        if (!ids || ids.includes(instance.id)) Object.assign(instance, { digest, isHealthy: true });
      }
    },
  };
}

function build(ref: TargetRef): Instance[] {
  const { regions, digest } = targetSchema.parse(ref.options ?? {});
  return Object.entries(regions).flatMap(([region, count]) =>
    Array.from({ length: count }, (_, index) => ({
      id: `${ref.target}-${region}-${index + 1}`,
      region,
      digest,
      config: null,
      role: 'stable' as const,
      isHealthy: true,
      metricsUrl: null,
    })),
  );
}

/** The first of each region, then the second of each: a small share reaches every region that it can. */
function acrossRegions(instances: Instance[]): Instance[] {
  const seen = new Map<string, number>();
  const ranked = instances.map((instance) => {
    const rank = seen.get(instance.region) ?? 0;
    seen.set(instance.region, rank + 1);
    return { instance, rank };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map((one) => one.instance);
}

/** Traffic is spread evenly over the healthy instances. */
function weightsOf(instances: Instance[]): Record<string, number> {
  const serving = instances.filter((one) => one.isHealthy && one.digest !== null);
  const weights: Record<string, number> = {};
  for (const { digest } of serving) if (digest) weights[digest] = (weights[digest] ?? 0) + 1 / serving.length;
  return weights;
}

function refused(detail: string): ProviderAnswer {
  return { is: 'failed', isTerminal: true, detail };
}

export const memory: ProviderKind<z.output<typeof schema>, z.output<typeof targetSchema>> = {
  kind: 'memory',
  title: 'In memory: nothing really runs (rehearsals and tests)',
  schema,
  targetSchema,
  create: (options) => createMemoryProvider(options),
};
