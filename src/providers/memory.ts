import { z } from 'zod';
import type { Ground, Move, Placed, Wish } from '../core/strategy/ground.ts';
import { capacityOf } from '../core/strategy/play.ts';
import { weightsByDigest } from '../core/strategy/weights.ts';
import { createFaults, type MemoryFault } from './memory/faults.ts';
import { buildWorld, carryOut, seenOf, targetSchema, type World } from './memory/world.ts';
import type {
  ChangeRequest,
  EnvironmentRequest,
  Provider,
  ProviderAnswer,
  ProviderContext,
  ProviderKind,
  RollBackRequest,
  TargetRef,
} from './provider.ts';

const schema = z.strictObject({
  runningCalls: z.int().min(0).max(1000).default(0).describe('How often a change answers "running" before it is done.'),
});

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

/** An environment that was made or removed. */
export type MemoryEnvironment = { kind: 'create' | 'remove'; service: string; target: string; key: string };

/** The provider with the handles that tests hold. Nothing in it is random and nothing waits. */
export type MemoryProvider = Provider & {
  /** Every change that took effect, oldest first; a repeat of a key adds nothing. */
  readonly changes: readonly MemoryChange[];
  /** The same of environments. */
  readonly environments: readonly MemoryEnvironment[];
  /** Makes the next `times` calls that the fault concerns go wrong; without `times` all until `heal`. */
  inject(target: string, fault: MemoryFault, times?: number): void;
  /** Ends the faults of one target, or of all. */
  heal(target?: string): void;
  /** Puts something on instances behind Belay's back: drift. Without `ids`, on all. */
  place(target: TargetRef, digest: string | null, ids?: string[]): void;
  /** The same with their configuration. */
  placeConfig(target: TargetRef, config: string | null, ids?: string[]): void;
  /** What every instance of the target should have from now on; those that are not started anew keep what they had. */
  configure(target: TargetRef, config: string | null): void;
  /** Hears of the ground after each move of a change. */
  watch(probe: (target: string, ground: Ground, move: Move) => void): void;
};

/**
 * A platform that exists only in this process: the reference for what every provider promises, and the test double. Its
 * clock, for the old colour of a switch, stands still unless one is handed in.
 */
export function createMemoryProvider(
  options: Partial<z.output<typeof schema>> = {},
  context: Pick<ProviderContext, 'now'> = { now: () => 0 },
): MemoryProvider {
  const runningCalls = options.runningCalls ?? 0;
  const worlds = new Map<string, World>();
  const faults = createFaults();
  const changes: MemoryChange[] = [];
  const environments: MemoryEnvironment[] = [];
  const probes: ((target: string, ground: Ground, move: Move) => void)[] = [];

  function worldOf(ref: TargetRef): World {
    const name = JSON.stringify([ref.service, ref.target]);
    const world = worlds.get(name) ?? buildWorld(ref);
    worlds.set(name, world);
    return world;
  }

  function reach(ref: TargetRef, signal: AbortSignal): World {
    signal.throwIfAborted();
    if (faults.hits(ref.target, 'unreachable')) throw new Error(`The platform does not answer for ${ref.target}.`);
    const world = worldOf(ref);
    if (context.now() >= world.idleUntilMs) {
      world.ground.instances = world.ground.instances.filter((one) => one.role !== 'idle');
    }
    return world;
  }

  function read(ref: TargetRef, signal: AbortSignal): World {
    const world = reach(ref, signal);
    if (!world.isThere) throw new Error(`There is no environment ${ref.target}.`);
    return world;
  }

  /** Under its key and its fence; `run` says why it cannot be, or null. */
  function change(
    kind: MemoryChange['kind'] | MemoryEnvironment['kind'],
    request: EnvironmentRequest,
    digest: string,
    signal: AbortSignal,
    run: (world: World) => string | null,
  ): ProviderAnswer {
    const world = reach(request, signal);
    if (request.generation < (world.generation ?? 0)) {
      return refused(`Generation ${request.generation} is older than ${world.generation}, which was accepted before.`);
    }
    const known = world.changes.get(request.key) ?? { kind, digest, callsLeft: runningCalls, isDone: false };
    if (known.kind !== kind || known.digest !== digest) {
      return refused(`The key ${request.key} was used for another change.`);
    }
    if (known.isDone) return { is: 'done' };
    const failing = faults.hits(request.target, 'fail');
    if (failing) {
      return { is: 'failed', isTerminal: failing.isTerminal, detail: failing.detail ?? 'The platform failed.' };
    }
    world.generation = request.generation;
    world.changes.set(request.key, known);
    if (known.callsLeft > 0) {
      known.callsLeft -= 1;
      return { is: 'running', retryAfterMs: 1000 };
    }
    const impossible = run(world);
    if (impossible !== null) return refused(impossible);
    known.isDone = true;
    if (faults.hits(request.target, 'lost-answer')) throw new Error('Timed out while waiting for the answer.');
    return { is: 'done' };
  }

  function put(kind: MemoryChange['kind'], request: RollBackRequest, wish: Wish, signal: AbortSignal): ProviderAnswer {
    return change(kind, request, wish.digest, signal, (world) => {
      if (!world.isThere) return `There is no environment ${request.target}: it has to be made first.`;
      const { target } = request;
      const impossible = carryOut(world, target, wish, {
        nowMs: context.now(),
        stays: faults.hits(target, 'partial')?.stays ?? [],
        isHealthy: faults.hits(target, 'unhealthy') === null,
        heard: (ground, move) => {
          for (const probe of probes) probe(target, ground, move);
        },
      });
      if (impossible !== null) return impossible;
      const { service, key, generation } = request;
      changes.push({ kind, service, target, digest: wish.digest, share: wish.share, key, generation });
      return null;
    });
  }

  function changeInstances(ref: TargetRef, ids: string[] | undefined, part: Partial<Placed>): void {
    for (const one of worldOf(ref).ground.instances) {
      if (!ids || ids.includes(one.id))
        Object.assign(one, { ...part, isHealthy: true, isServing: one.role !== 'idle' });
    }
  }

  return {
    changes,
    environments,
    deploy: async (request, signal) => put('deploy', request, wishOf(request), signal),
    rollBack: async (request, signal) => put('roll-back', request, wishBack(request), signal),
    create: async (request, signal) =>
      change('create', request, '', signal, (world) => {
        world.isThere = true;
        world.ground = { ...world.ground, instances: [], split: null };
        environments.push({ kind: 'create', ...nameOf(request) });
        return null;
      }),
    remove: async (request, signal) =>
      change('remove', request, '', signal, (world) => {
        world.isThere = false;
        world.ground = { ...world.ground, instances: [], split: null };
        environments.push({ kind: 'remove', ...nameOf(request) });
        return null;
      }),
    observe: async (ref, signal) => {
      const { ground, generation } = read(ref, signal);
      const unreadable = new Set(faults.hits(ref.target, 'unreadable')?.ids);
      return {
        target: ref.target,
        instances: ground.instances.map((one) => seenOf(one, unreadable.has(one.id))),
        weights: weightsByDigest(ground),
        generation,
        config: ground.config,
      };
    },
    capacity: async (ref, planned, signal) => capacityOf(ref.target, read(ref, signal).ground, planned),
    inject: (target, fault, times = Number.POSITIVE_INFINITY) => faults.inject(target, fault, times),
    heal: (target) => faults.heal(target),
    place: (ref, digest, ids) => changeInstances(ref, ids, { digest }),
    placeConfig: (ref, config, ids) => changeInstances(ref, ids, { config }),
    configure: (ref, config) => {
      worldOf(ref).ground.config = config;
    },
    watch: (probe) => void probes.push(probe),
  };
}

function wishOf({ artifact, share, instances, strategy, isCanary, baseline }: ChangeRequest): Wish {
  const { digest } = artifact;
  return { digest, share, instances, strategy, isCanary, baseline: baseline?.digest ?? null, isWayBack: false };
}

function wishBack({ artifact, strategy }: RollBackRequest): Wish {
  const { digest } = artifact;
  return { digest, share: 1, instances: null, strategy, isCanary: false, baseline: null, isWayBack: true };
}

function nameOf({ service, target, key }: EnvironmentRequest): Pick<MemoryEnvironment, 'service' | 'target' | 'key'> {
  return { service, target, key };
}

function refused(detail: string): ProviderAnswer {
  return { is: 'failed', isTerminal: true, detail };
}

export const memory: ProviderKind<z.output<typeof schema>, z.output<typeof targetSchema>> = {
  kind: 'memory',
  title: 'In memory: nothing really runs (rehearsals and tests)',
  schema,
  targetSchema,
  create: (options, context) => createMemoryProvider(options, context),
};
