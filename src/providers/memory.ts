import { z } from 'zod';
import type { Chain, Ground, Move, Placed, Wish } from '../core/strategy/ground.ts';
import { movesFor } from '../core/strategy/moves-for.ts';
import { capacityOf, play, weightsByDigest } from '../core/strategy/play.ts';
import type { Instance } from '../core/target.ts';
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

const targetSchema = z.strictObject({
  regions: z
    .record(z.string().min(1), z.int().min(1).max(1000))
    .refine((regions) => Object.keys(regions).length > 0, 'Name at least one region, such as {eu: 4}.')
    .default({ local: 1 })
    .describe('How many instances there are in each region.'),
  digest: z.string().min(1).nullable().default(null).describe('What runs before the first change; null: unreadable.'),
  config: z.string().min(1).nullable().default(null).describe('Checksum of the configuration of every instance.'),
});

const schema = z.strictObject({
  runningCalls: z.int().min(0).max(1000).default(0).describe('How often a change answers "running" before it is done.'),
});

/** What a test or the simulator can make a target do. */
export type MemoryFault =
  /** Changes fail and change nothing. */
  | { is: 'fail'; isTerminal: boolean; detail?: string }
  /** Changes answer `done`, but these instances stay as they are. */
  | { is: 'partial'; stays: string[] }
  /** Every call throws, and changes nothing. */
  | { is: 'unreachable' }
  /** Nobody can read what runs on these. */
  | { is: 'unreadable'; ids: string[] }
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

type Kind = MemoryChange['kind'] | MemoryEnvironment['kind'];
type Change = { kind: Kind; digest: string; callsLeft: number; isDone: boolean };
type World = {
  ground: Ground;
  isThere: boolean;
  /** The newest number of an instance by region: no id comes twice. */
  numbers: Map<string, number>;
  /** When the old colour ends. */
  idleUntilMs: number;
  generation: number | null;
  changes: Map<string, Change>;
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
  const faults = new Map<string, { fault: MemoryFault; left: number }[]>();
  const changes: MemoryChange[] = [];
  const environments: MemoryEnvironment[] = [];
  const probes: ((target: string, ground: Ground, move: Move) => void)[] = [];

  function worldOf(ref: TargetRef): World {
    const name = JSON.stringify([ref.service, ref.target]);
    const world = worlds.get(name) ?? build(ref);
    worlds.set(name, world);
    return world;
  }

  /** Is the target in this trouble? Uses up one of its times. */
  function hits<Is extends MemoryFault['is']>(target: string, is: Is): Extract<MemoryFault, { is: Is }> | null {
    const found = faults.get(target)?.find((one) => one.fault.is === is);
    if (!found) return null;
    found.left -= 1;
    if (!(found.left > 0)) faults.set(target, faults.get(target)?.filter((one) => one !== found) ?? []);
    return found.fault as Extract<MemoryFault, { is: Is }>;
  }

  function reach(ref: TargetRef, signal: AbortSignal): World {
    signal.throwIfAborted();
    if (hits(ref.target, 'unreachable')) throw new Error(`The platform does not answer for ${ref.target}.`);
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

  /** Under its key and its fence; `carryOut` says why it cannot be, or null. */
  function change(
    kind: Kind,
    request: EnvironmentRequest,
    digest: string,
    signal: AbortSignal,
    carryOut: (world: World) => string | null,
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
    const impossible = carryOut(world);
    if (impossible !== null) return refused(impossible);
    known.isDone = true;
    if (hits(request.target, 'lost-answer')) throw new Error('Timed out while waiting for the answer.');
    return { is: 'done' };
  }

  function put(kind: MemoryChange['kind'], request: RollBackRequest, wish: Wish, signal: AbortSignal): ProviderAnswer {
    return change(kind, request, wish.digest, signal, (world) => {
      if (!world.isThere) return `There is no environment ${request.target}: it has to be made first.`;
      const impossible = carryOut(world, request.target, wish);
      if (impossible !== null) return impossible;
      const { service, target, key, generation } = request;
      changes.push({ kind, service, target, digest: wish.digest, share: wish.share, key, generation });
      return null;
    });
  }

  function carryOut(world: World, target: string, wish: Wish): string | null {
    const planned = movesFor(world.ground, wish, (region) => newId(world, target, region));
    if ('impossible' in planned) return planned.impossible;
    const stays = new Set(hits(target, 'partial')?.stays);
    const isHealthy = hits(target, 'unhealthy') === null;
    const concerns = (chain: Chain) => chain.some((move) => 'id' in move && stays.has(move.id));
    const sick = new Set<string>();
    for (const move of planned.plan.flat().flatMap((chain) => (concerns(chain) ? [] : chain))) {
      world.ground = play(world.ground, move);
      if (!isHealthy && (move.do === 'start' || move.do === 'restart')) sick.add(move.id);
      for (const one of world.ground.instances) {
        if (sick.has(one.id)) Object.assign(one, { isHealthy: false, isServing: false });
      }
      if (move.do === 'switch') world.idleUntilMs = context.now() + move.keepMs;
      for (const probe of probes) probe(target, world.ground, move);
    }
    return null;
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
      const unreadable = new Set(hits(ref.target, 'unreadable')?.ids);
      return {
        target: ref.target,
        instances: ground.instances.map((one) => seenOf(one, unreadable.has(one.id))),
        weights: weightsByDigest(ground),
        generation,
        config: ground.config,
      };
    },
    capacity: async (ref, planned, signal) => capacityOf(ref.target, read(ref, signal).ground, planned),
    inject: (target, fault, times = Number.POSITIVE_INFINITY) => {
      const others = faults.get(target)?.filter((one) => one.fault.is !== fault.is) ?? [];
      faults.set(target, [...others, { fault, left: times }]);
    },
    heal: (target) => (target === undefined ? faults.clear() : void faults.delete(target)),
    place: (ref, digest, ids) => changeInstances(ref, ids, { digest }),
    placeConfig: (ref, config, ids) => changeInstances(ref, ids, { config }),
    configure: (ref, config) => {
      worldOf(ref).ground.config = config;
    },
    watch: (probe) => void probes.push(probe),
  };
}

function build(ref: TargetRef): World {
  const { regions, digest, config } = targetSchema.parse(ref.options ?? {});
  const ground: Ground = { instances: [], usual: regions, config, split: null };
  const world: World = {
    ground,
    isThere: true,
    numbers: new Map(),
    idleUntilMs: 0,
    generation: null,
    changes: new Map(),
  };
  const slots = Object.entries(regions).flatMap(([region, count]) => Array.from({ length: count }, () => ({ region })));
  ground.instances = slots.map(({ region }) => ({
    id: newId(world, ref.target, region),
    region,
    digest,
    config,
    role: 'stable',
    isHealthy: true,
    isServing: true,
    isBeside: false,
  }));
  return world;
}

function newId(world: World, target: string, region: string): string {
  const number = (world.numbers.get(region) ?? 0) + 1;
  world.numbers.set(region, number);
  return `${target}-${region}-${number}`;
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

function seenOf(one: Placed, isUnreadable: boolean): Instance {
  const { id, region, digest, config, role, isHealthy } = one;
  const read = isUnreadable ? { digest: null, config: null, isHealthy: false } : { digest, config, isHealthy };
  return { id, region, role, metricsUrl: null, ...read };
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
