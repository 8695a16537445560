import type { Ground, Move, Placed } from '../../src/core/strategy/ground.ts';
import { weightsOf } from '../../src/core/strategy/weights.ts';
import type { Instance, InstanceRole } from '../../src/core/target.ts';
import type { Balancer } from './balancer.ts';
import { type Behaviour, type Config, checksumOf } from './behaviour.ts';
import { createHost, type Host } from './host.ts';
import { type InstanceProcess, startInstance } from './instance-process.ts';

export type InstancesSettings = {
  service: string;
  target: string;
  /** Where the folders of the hosts are. */
  folder: string;
  /** How many there are when nothing is changed. */
  usual: number;
  /** The configuration that what starts from now on is started with. */
  config: () => Config;
  healthyWithinMs: number;
  behaviourOf: (digest: string, id: string) => Behaviour;
  backgroundFailsEvery: number | null;
  paymentsUrl: string | null;
  balancer: Balancer;
  log: (line: string) => void;
};

type Slot = {
  id: string;
  host: Host;
  process: InstanceProcess;
  role: InstanceRole;
  isServing: boolean;
  isBeside: boolean;
};

/** The real processes of one target, and every move of a strategy done to them. */
export type Instances = {
  ground(): Ground;
  newId(): string;
  /** Starts the first ones, all at once. Settles with why one did not come up, or null. */
  startAll(digest: string): Promise<string | null>;
  /** Settles with why it failed, or null. What is not there any more needs nothing done. */
  carryOut(move: Move): Promise<string | null>;
  /** From the instances themselves. */
  read(): Promise<Instance[]>;
  /** The same without asking them: what was started. */
  list(): (Omit<Instance, 'isHealthy'> & { isHealthy: boolean; isServing: boolean })[];
  /** Runs something else on one instance, behind everybody's back. */
  drift(id: string, digest: string, config: Config): Promise<void>;
  tellBehaviour(digest: string): void;
  /** The ids on which a digest was ever started, but for baselines. */
  touchedBy(digest: string): number;
  stop(): Promise<void>;
};

export function createInstances(settings: InstancesSettings): Instances {
  const { target, balancer, log } = settings;
  const slots = new Map<string, Slot>();
  const touched = new Map<string, Set<string>>();
  let number = 0;
  let split: Ground['split'] = null;
  let isStopping = false;

  const digestOf = (slot: Slot) => slot.host.digest() ?? '';

  function ground(): Ground {
    const instances = [...slots.values()].map((slot): Placed => {
      const { id, process, role, isServing, isBeside } = slot;
      const config = checksumOf(process.settings.config);
      const isHealthy = process.isAlive();
      return { id, region: target, digest: digestOf(slot), config, role, isHealthy, isServing, isBeside };
    });
    return { instances, usual: { [target]: settings.usual }, config: checksumOf(settings.config()), split };
  }

  /** Who gets how much follows from who serves, and changes in one moment. */
  function weigh(): void {
    balancer.weigh(weightsOf(ground()));
  }

  function spawn(id: string, host: Host, role: InstanceRole, digest: string, config: Config): InstanceProcess {
    const { service, behaviourOf, backgroundFailsEvery, paymentsUrl } = settings;
    host.link(digest);
    const behaviour = behaviourOf(digest, id);
    const { current } = host;
    log(`${id}: starting ${digest}`);
    const process = startInstance(
      { id, service, region: target, current, role, behaviour, config, backgroundFailsEvery, paymentsUrl },
      () => {
        const slot = slots.get(id);
        if (slot?.process !== process) return;
        // Dead, asked or not: it gets no more requests.
        slot.isServing = false;
        weigh();
        if (!isStopping) log(`${id}: process of ${digest} ended`);
      },
    );
    if (role !== 'baseline') touched.set(digest, (touched.get(digest) ?? new Set()).add(id));
    return process;
  }

  /** Settles with why it did not come up, or null; healthy, and without users. */
  async function comeUp({ id, host, process }: Slot): Promise<string | null> {
    const outcome = await process.whenHealthy(settings.healthyWithinMs);
    if (outcome.is === 'failed') {
      await process.stop();
      return `${id} ${outcome.detail}`;
    }
    const url = process.url();
    if (url) balancer.add(id, url, host.digest() ?? '');
    return null;
  }

  async function start(id: string, digest: string, role: InstanceRole, isBeside: boolean): Promise<string | null> {
    const host = createHost(settings.folder, id);
    const slot: Slot = {
      id,
      host,
      process: spawn(id, host, role, digest, settings.config()),
      role,
      isServing: false,
      isBeside,
    };
    slots.set(id, slot);
    return comeUp(slot);
  }

  async function restart(slot: Slot, digest: string, role: InstanceRole, config: Config): Promise<string | null> {
    slot.isServing = false;
    slot.role = role;
    weigh();
    balancer.remove(slot.id);
    await slot.process.stop();
    slot.process = spawn(slot.id, slot.host, role, digest, config);
    return comeUp(slot);
  }

  async function end(slot: Slot): Promise<void> {
    slots.delete(slot.id);
    weigh();
    balancer.remove(slot.id);
    await slot.process.stop();
    slot.host.remove();
  }

  function label(slot: Slot, role: InstanceRole): void {
    slot.role = role;
    slot.process.tell({ role });
  }

  /** In one moment: who is not named is idle from here on. */
  function switchTo(ids: string[]): void {
    for (const slot of slots.values()) {
      slot.isServing = ids.includes(slot.id) && slot.process.isAlive();
      slot.isBeside = false;
      label(slot, ids.includes(slot.id) ? 'stable' : 'idle');
    }
    split = null;
    weigh();
  }

  async function carryOut(move: Move): Promise<string | null> {
    if (move.do === 'split') {
      split = move.split;
      weigh();
      return null;
    }
    if (move.do === 'switch') {
      switchTo(move.to);
      return null;
    }
    if (move.do === 'start') {
      const failure = await start(move.id, move.digest, move.role, move.isBeside);
      const slot = slots.get(move.id);
      if (failure !== null && slot) await end(slot);
      return failure;
    }
    const slot = slots.get(move.id);
    if (!slot) return null;
    switch (move.do) {
      case 'link':
        slot.host.link(move.digest);
        return null;
      case 'restart':
        return restart(slot, move.digest, move.role, settings.config());
      case 'admit':
        slot.isServing = slot.process.isAlive();
        weigh();
        return slot.isServing ? null : `${slot.id} ended before it had users`;
      case 'drain':
        slot.isServing = false;
        weigh();
        await balancer.whenIdle(slot.id, move.drainMs);
        return null;
      case 'stop':
        await end(slot);
        return null;
      case 'label':
        label(slot, move.role);
        return null;
    }
  }

  function describe(slot: Slot): Omit<Instance, 'isHealthy' | 'digest' | 'config'> {
    const url = slot.process.url();
    return { id: slot.id, region: target, role: slot.role, metricsUrl: url && `${url}/metrics` };
  }

  /** A process that has ended says nothing: then its host says what is on it. */
  async function readOne(slot: Slot): Promise<Instance> {
    const health = await slot.process.health();
    const left = slot.process.isAlive() ? null : slot.host.digest();
    return {
      ...describe(slot),
      digest: health?.digest ?? left,
      config: health?.config ?? null,
      isHealthy: health !== null,
    };
  }

  return {
    ground,
    newId: () => `${target}-${++number}`,
    async startAll(digest) {
      const ids = Array.from({ length: settings.usual }, () => `${target}-${++number}`);
      const failures = await Promise.all(ids.map((id) => start(id, digest, 'stable', false)));
      for (const slot of slots.values()) slot.isServing = slot.process.isAlive();
      weigh();
      return failures.find((one) => one !== null) ?? null;
    },
    carryOut,
    read: () => Promise.all([...slots.values()].map(readOne)),
    list: () =>
      [...slots.values()].map((slot) => ({
        ...describe(slot),
        digest: slot.host.digest(),
        config: checksumOf(slot.process.settings.config),
        isHealthy: slot.process.isAlive() && (slot.isServing || slot.role === 'idle'),
        isServing: slot.isServing,
      })),
    async drift(id, digest, config) {
      const slot = slots.get(id);
      if (!slot) throw new Error(`There is no instance ${id}`);
      slot.isServing = false;
      weigh();
      await balancer.whenIdle(id, 5_000);
      await restart(slot, digest, slot.role, config);
      await carryOut({ do: 'admit', id });
    },
    tellBehaviour(digest) {
      for (const slot of slots.values()) {
        if (digestOf(slot) === digest) slot.process.tell({ behaviour: settings.behaviourOf(digest, slot.id) });
      }
    },
    touchedBy: (digest) => touched.get(digest)?.size ?? 0,
    async stop() {
      isStopping = true;
      await Promise.all([...slots.values()].map(end));
    },
  };
}
