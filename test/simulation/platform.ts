import type { Capacity, Observation } from '../../src/core/target.ts';
import { createMemoryProvider, type MemoryProvider } from '../../src/providers/memory.ts';
import type {
  ChangeRequest,
  EnvironmentRequest,
  Provider,
  ProviderAnswer,
  RollBackRequest,
  TargetRef,
} from '../../src/providers/provider.ts';
import type { PlantedBug } from './planted-bug.ts';
import type { Random } from './random.ts';
import { FIRST_DIGEST, optionsOf, REGIONS } from './simulated-service.ts';

type Call = <T>(run: () => Promise<T> | T) => Promise<T>;

/** A change as the platform was asked for it. */
export type Asked = {
  key: string;
  kind: 'deploy' | 'roll-back' | 'create' | 'remove';
  target: string;
  generation: number;
  digest: string;
  wasIntended: boolean;
};

const NO_SIGNAL = new AbortController().signal;
const STRANGER = 'sha256:stranger';

/** What the platform needs to know of the universe that it is in. */
export type Surroundings = {
  random: Random;
  bug: PlantedBug | null;
  now(): number;
  /** Does something go wrong now? `share`: of the usual trouble. */
  fails(share?: number): boolean;
  /** Does a change reach only some of its instances? */
  disappoints(share?: number): boolean;
  crashes(digest: string): boolean;
  newestDigest(): string;
};

/** Where things run: it survives the process, it fails on demand, and it remembers what was done to it. */
export class Platform {
  readonly memory: MemoryProvider;
  /** Every call that changes something, as it was asked. */
  readonly asked: Asked[] = [];
  /** Keys that were committed as owed when the engine came to perform them. */
  readonly intents = new Set<string>();
  /** Calls whose caller gave up and that arrive later all the same. */
  readonly late: (() => Promise<void>)[] = [];
  /** Targets on which two changes were under way at once. */
  readonly overlaps: string[] = [];
  /** By effect and target without the round: what was read back last. */
  readonly readBacks = new Map<string, Observation>();
  /** By effect: what the platform said would serve. */
  readonly capacities = new Map<string, Capacity>();
  /** What each change took away from those that serve: the least at any time. */
  readonly losses: { key: string; target: string; least: number; lost: number }[] = [];
  #busy = new Map<string, number>();
  #unreadable = new Set<string>();
  #lost = new Set<string>();
  #newest = new Map<string, number>();
  #around: Surroundings;
  /** By target with a change under way: the fewest that served meanwhile. */
  #least = new Map<string, number>();

  constructor(around: Surroundings) {
    this.#around = around;
    this.memory = createMemoryProvider({ runningCalls: around.random.pick([0, 0, 1, 2]) }, { now: () => around.now() });
    this.memory.watch((target, { instances }) => {
      // What the release itself brings down is not what the change takes away.
      const serving = instances.filter((one) => one.role !== 'idle' && (one.isServing || !one.isHealthy)).length;
      this.#least.set(target, Math.min(this.#least.get(target) ?? serving, serving));
    });
  }

  /** The process is gone: whatever it did at that moment is nobody's any more. */
  forgetCallers(): void {
    this.#busy.clear();
  }

  /** The platform for one effect of one life of the process. */
  providerFor(call: Call, key: string): Provider {
    const { memory } = this;
    return {
      deploy: (request) => this.#change(call, 'deploy', this.#wished(request), (it) => memory.deploy(it, NO_SIGNAL)),
      rollBack: (request) => this.#change(call, 'roll-back', request, (it) => memory.rollBack(it, NO_SIGNAL)),
      create: (request) => this.#change(call, 'create', request, (it) => memory.create(it, NO_SIGNAL)),
      remove: (request) =>
        this.#around.bug === 'environment-left-behind'
          ? call(() => ({ is: 'done' }))
          : this.#change(call, 'remove', request, (it) => memory.remove(it, NO_SIGNAL)),
      observe: (ref) =>
        call(async () => {
          const observation = this.#readable(await memory.observe(ref, NO_SIGNAL));
          this.readBacks.set(`${withoutRound(key)}@${ref.target}`, observation);
          return observation;
        }),
      capacity: (ref, planned) =>
        call(async () => {
          const capacity = await memory.capacity(ref, planned, NO_SIGNAL);
          this.capacities.set(key, capacity);
          return capacity;
        }),
    };
  }

  async #change<Request extends EnvironmentRequest & Partial<Pick<RollBackRequest, 'artifact'>>>(
    call: Call,
    kind: Asked['kind'],
    request: Request,
    perform: (request: Request) => Promise<ProviderAnswer>,
  ): Promise<ProviderAnswer> {
    const { target, key, generation } = request;
    const digest = request.artifact?.digest ?? '';
    const run = async () => {
      this.asked.push({ key, kind, target, generation, digest, wasIntended: this.intents.has(key) });
      if (kind === 'deploy') this.#makeTrouble(request, digest);
      const before = await this.serving(request);
      this.#least.set(target, before);
      const answer = await perform(this.#around.bug === 'no-fence' ? this.#unfenced(request) : request);
      const least = this.#least.get(target) ?? before;
      this.memory.heal(target);
      if (kind === 'deploy') this.losses.push({ key, target, least, lost: before - least });
      return answer;
    };
    const busy = (this.#busy.get(target) ?? 0) + 1;
    this.#busy.set(target, busy);
    if (busy > 1) this.overlaps.push(target);
    try {
      // A platform that has lost a call loses its repetitions too: people have time to change their minds.
      if (this.#around.fails(this.#lost.has(key) ? 3 : 1)) {
        this.#lost.add(key);
        this.late.push(async () => void (await run()));
        throw new Error('timed out; it may still arrive');
      }
      return await call(run);
    } finally {
      this.#busy.set(target, (this.#busy.get(target) ?? 1) - 1);
    }
  }

  /** How many serve on a target now; none where there is no target. */
  async serving(ref: TargetRef): Promise<number> {
    const instances = await this.look(ref.target);
    return instances.filter((one) => one.role !== 'idle' && one.isHealthy).length;
  }

  async exists(target: string): Promise<boolean> {
    const ref = { service: 'shop', target, options: optionsOf(target) };
    return this.memory.observe(ref, NO_SIGNAL).then(
      () => true,
      () => false,
    );
  }

  /** The instances of a target as they really are; none where there is no target. */
  async look(target: string): Promise<Observation['instances']> {
    const ref = { service: 'shop', target, options: optionsOf(target) };
    return this.memory.observe(ref, NO_SIGNAL).then(
      (one) => one.instances,
      () => [],
    );
  }

  /** Instances that do not come up, or that the change never reaches. */
  #makeTrouble({ target }: TargetRef, digest: string): void {
    if (this.#around.crashes(digest)) this.memory.inject(target, { is: 'unhealthy' }, 1);
    if (!this.#around.disappoints(0.7)) return;
    const ids = Object.entries(REGIONS[target] ?? {}).flatMap(([region, count]) =>
      Array.from({ length: count }, (_, index) => `${target}-${region}-${index + 1}`),
    );
    this.memory.inject(target, { is: 'partial', stays: ids.filter(() => this.#around.random.chance(0.4)) }, 1);
  }

  /** Something on a target becomes another thing, and nobody told Belay. */
  async changeBehindTheBack(): Promise<void> {
    const { random } = this.#around;
    const target = random.pick(['eu', 'us']);
    const ids = (await this.look(target)).map((one) => one.id);
    const some = random.chance(0.8) ? [random.pick(ids)] : ids;
    const ref = { service: 'shop', target, options: optionsOf(target) };
    switch (random.pick(['version', 'configuration', 'unreadable', 'readable'] as const)) {
      case 'version':
        return this.memory.place(ref, random.pick([STRANGER, FIRST_DIGEST]), some);
      case 'configuration':
        return this.memory.placeConfig(ref, 'config:odd', some);
      case 'unreadable':
        return void this.#unreadable.add(random.pick(ids));
      case 'readable':
        return this.#unreadable.clear();
    }
  }

  /** Nothing hides any more. */
  recover(): void {
    this.#unreadable.clear();
  }

  #readable(observation: Observation): Observation {
    const hide = (one: Observation['instances'][number]) =>
      this.#unreadable.has(one.id) ? { ...one, digest: null, config: null, isHealthy: false } : one;
    return { ...observation, instances: observation.instances.map(hide) };
  }

  /** Planted: what is deployed is looked up by a name that moves. */
  #wished(request: ChangeRequest): ChangeRequest {
    if (this.#around.bug !== 'newest-instead-of-approved') return request;
    return { ...request, artifact: { ...request.artifact, digest: this.#around.newestDigest() } };
  }

  /** Planted: the platform takes an old change for as new as the newest that it has seen on the target. */
  #unfenced<Request extends EnvironmentRequest>(request: Request): Request {
    const generation = Math.max(request.generation, this.#newest.get(request.target) ?? 0);
    this.#newest.set(request.target, generation);
    return { ...request, generation };
  }
}

/** The key of an effect that is repeated, without which repetition it is. */
export function withoutRound(key: string): string {
  return key.replace(/#\d+$/, '');
}
