import { type Capacity, type Instance, instancesFor, type Observation } from '../../src/core/target.ts';
import type { Balancer } from './balancer.ts';
import type { Behaviour } from './behaviour.ts';
import { type InstanceProcess, startInstance } from './instance-process.ts';
import type { RequestCounts } from './request-counter.ts';

/** A change as the platform's API received it. */
export type WishedChange = { digest: string; share: number; key: string; generation: number };

/** How a change stands: the platform's own words, which its API turns into status codes. */
export type ChangeState =
  | { is: 'running' }
  | { is: 'done' }
  | { is: 'failed'; detail: string }
  | { is: 'refused'; because: 'older-generation' | 'key-reused'; detail: string };

export type InstanceState = Instance & { isServing: boolean } & RequestCounts;

export type TargetState = {
  target: string;
  /** Where its users go. */
  url: string;
  generation: number | null;
  isChanging: boolean;
  instances: InstanceState[];
} & RequestCounts;

/** The instances of one target behind its balancer, replaced one after the other. */
export type FleetTarget = {
  /** Starts the change, or says how the one with this key stands. */
  change(wish: WishedChange): ChangeState;
  observe(): Promise<Observation>;
  capacity(): Capacity;
  state(): TargetState;
  /** Runs `digest` as `behaviour` from now on, also where it runs already. */
  tellBehaviour(digest: string, behaviour: Behaviour): void;
  stop(): Promise<void>;
};

export type FleetTargetSettings = {
  service: string;
  target: string;
  instances: number;
  initialDigest: string;
  healthyWithinMs: number;
  behaviourOf: (digest: string) => Behaviour;
  /** Is this instance one that says yes and goes on running what it ran? */
  isStuck: (id: string) => boolean;
  balancer: Balancer;
  log: (line: string) => void;
};

type Slot = { id: string; process: InstanceProcess };
type Job = { wish: WishedChange; state: ChangeState };

/** Starts all instances at once and settles when they are healthy. */
export async function startTarget(settings: FleetTargetSettings): Promise<FleetTarget> {
  const { target, balancer, log } = settings;
  const jobs = new Map<string, Job>();
  let generation: number | null = null;
  let work: Promise<void> = Promise.resolve();
  let isStopping = false;

  function start(id: string, digest: string, isCanary: boolean): InstanceProcess {
    const { service, behaviourOf } = settings;
    const behaviour = behaviourOf(digest);
    return startInstance({ id, service, region: target, digest, isCanary, behaviour }, () => {
      // Dead, asked or not: it gets no more requests.
      void balancer.drain(id);
      if (!isStopping) log(`${id}: process of ${digest} ended`);
    });
  }

  /** Settles with why it did not come up, or null. */
  async function bringIn(slot: Slot): Promise<string | null> {
    const { process } = slot;
    const outcome = await process.whenHealthy(settings.healthyWithinMs);
    if (outcome.is === 'failed') {
      await process.stop();
      return outcome.detail;
    }
    const url = process.url();
    if (url) balancer.add(slot.id, url);
    return null;
  }

  const slots: Slot[] = Array.from({ length: settings.instances }, (_, index) => {
    const id = `${target}-${index + 1}`;
    return { id, process: start(id, settings.initialDigest, false) };
  });
  const failures = (await Promise.all(slots.map(bringIn))).filter((detail) => detail !== null);
  if (failures.length > 0) log(`${target}: ${failures.length} instance(s) did not start: ${failures[0]}`);

  /** Drain, stop, start anew, wait until healthy. Settles with why it failed, or null. */
  async function replace(slot: Slot, digest: string, isCanary: boolean): Promise<string | null> {
    await balancer.drain(slot.id);
    await slot.process.stop();
    slot.process = start(slot.id, digest, isCanary);
    log(`${slot.id}: starting ${digest}`);
    const failure = await bringIn(slot);
    return failure === null ? null : `${slot.id} ${failure}`;
  }

  async function carryOut(job: Job): Promise<void> {
    const { digest, share } = job.wish;
    const isCanary = share < 1;
    const wished = slots.slice(0, instancesFor(share, slots.length));
    // Those that do not serve go first: replacing them costs nothing.
    const cost = (slot: Slot) => (slot.process.isAlive() ? 1 : 0);
    for (const slot of [...wished].sort((a, b) => cost(a) - cost(b))) {
      // A newer change has taken over, or everything ends.
      if (isStopping || generation !== job.wish.generation) return;
      if (settings.isStuck(slot.id)) continue;
      if (slot.process.settings.digest === digest && slot.process.isAlive()) {
        slot.process.tell({ isCanary });
        continue;
      }
      const failure = await replace(slot, digest, isCanary);
      if (failure !== null) {
        // Going on would take the next instance down too.
        job.state = { is: 'failed', detail: `The rollout stopped: ${failure}` };
        log(`${target}: ${job.state.detail}`);
        return;
      }
    }
    job.state = { is: 'done' };
  }

  return {
    change(wish) {
      if (generation !== null && wish.generation < generation) {
        const detail = `Generation ${wish.generation} is older than ${generation}, which was accepted before.`;
        return { is: 'refused', because: 'older-generation', detail };
      }
      const known = jobs.get(wish.key);
      if (known) {
        const isSame = known.wish.digest === wish.digest && known.wish.share === wish.share;
        if (isSame) return known.state;
        return { is: 'refused', because: 'key-reused', detail: `The key ${wish.key} was used for another change.` };
      }
      generation = wish.generation;
      const job: Job = { wish, state: { is: 'running' } };
      jobs.set(wish.key, job);
      work = work.then(() => carryOut(job));
      return job.state;
    },
    async observe() {
      const found = await Promise.all(slots.map(readBack));
      return { target, instances: found, weights: weightsOf(slots, balancer), generation, config: null };
    },
    capacity() {
      const serving = slots.filter((slot) => balancer.isServing(slot.id)).length;
      // One after the other is replaced.
      return { target, instances: slots.length, serving, servingDuring: Math.max(0, serving - 1) };
    },
    state: () => ({
      target,
      url: balancer.url,
      generation,
      isChanging: [...jobs.values()].some((job) => job.state.is === 'running' && job.wish.generation === generation),
      ...balancer.counts(),
      instances: slots.map((slot) => ({
        ...describe(slot, target),
        isHealthy: slot.process.isAlive() && balancer.isServing(slot.id),
        isServing: balancer.isServing(slot.id),
        ...balancer.countsOf(slot.id),
      })),
    }),
    tellBehaviour(digest, behaviour) {
      for (const { process } of slots) if (process.settings.digest === digest) process.tell({ behaviour });
    },
    async stop() {
      isStopping = true;
      await work;
      await Promise.all(slots.map((slot) => slot.process.stop()));
    },
  };

  /** The version on the instance, from the instance itself. */
  async function readBack(slot: Slot): Promise<Instance> {
    const health = await slot.process.health();
    const wished = describe(slot, target);
    return { ...wished, digest: health?.digest ?? wished.digest, isHealthy: health !== null };
  }
}

function describe(slot: Slot, region: string): Omit<Instance, 'isHealthy'> {
  const url = slot.process.url();
  const { digest } = slot.process.settings;
  return { id: slot.id, region, digest, config: null, role: 'stable', metricsUrl: url && `${url}/metrics` };
}

/** Requests go round the serving instances evenly. */
function weightsOf(slots: Slot[], balancer: Balancer): Record<string, number> {
  const serving = slots.filter((slot) => balancer.isServing(slot.id)).map((slot) => slot.process.settings.digest);
  const weights: Record<string, number> = {};
  for (const digest of serving) weights[digest] = (weights[digest] ?? 0) + 1 / serving.length;
  return weights;
}
