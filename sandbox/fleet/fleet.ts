import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Strategy } from '../../src/core/target.ts';
import { createApi } from './api.ts';
import type { Behaviour, Config } from './behaviour.ts';
import type { Changes } from './changes.ts';
import { type InstanceFaults, type Reach, startTarget, type TargetState } from './fleet-target.ts';
import { PAYMENTS, type Payments, startPayments } from './payments.ts';
import { createPlace } from './place.ts';
import type { RequestCounts } from './request-counter.ts';
import { startTraffic } from './traffic.ts';

export type RegionSettings = { instances: number; rps: number };

/** Staging and two regions of production. A target is a region here. */
export const DEFAULT_REGIONS: Record<string, RegionSettings> = {
  staging: { instances: 2, rps: 10 },
  eu: { instances: 4, rps: 40 },
  us: { instances: 4, rps: 40 },
};

/** Three regions with different traffic: the least is where a release goes first. */
export const THREE_REGIONS: Record<string, RegionSettings> = {
  staging: { instances: 2, rps: 10 },
  eu: { instances: 4, rps: 40 },
  us: { instances: 4, rps: 25 },
  ap: { instances: 3, rps: 10 },
};

/** What an environment that is made for one release is like. */
const ENVIRONMENT: RegionSettings = { instances: 2, rps: 5 };
const MAX_ENVIRONMENTS = 8;
/** Payments has users of its own. */
const OTHERS_PAY_RPS = 5;

export type FleetSettings = {
  /** How each release behaves; a digest that is not there is a good one. */
  behaviours: ReadonlyMap<string, Behaviour> | ((digest: string) => Behaviour);
  /** What runs everywhere at the start. */
  initialDigest: string;
  token: string;
  service?: string;
  port?: number;
  regions?: Record<string, RegionSettings>;
  /** The strategies that the platform has. Default: all. */
  strategies?: Strategy['is'][];
  /** The neighbour that the service calls; `capacity` in requests a second. Default: none. */
  payments?: { capacity: number };
  /** Every n-th request fails also when a release is good. Default: none. */
  backgroundFailsEvery?: number;
  /** An instance that is not healthy by then is given up. */
  healthyWithinMs?: number;
  log?: (line: string) => void;
};

export type Fleet = {
  /** Base of the provider API, and of the public `/fleet/state`. */
  readonly url: string;
  readonly token: string;
  readonly payments: Payments | null;
  /** Each instance's host has a folder here: `<target>/<id>/`, with its releases and the link to the current one. */
  readonly hosts: string;
  /** What users saw, by region. */
  stats(): Record<string, RequestCounts>;
  /** How far a version came, and what its users saw of it, by target. */
  reachOf(digest: string): Record<string, Reach>;
  state(): { targets: TargetState[] };
  /** Requests a second: the same in every region, or by region. */
  setTraffic(rps: number | Record<string, number>): void;
  /**
   * How this release behaves from now on, also where it runs already: everywhere, or on one target or instance. What is
   * said of an instance wins, then what is said of a target.
   */
  setBehaviour(digest: string, behaviour: Behaviour, where?: string): void;
  /** The configuration of a target; what runs keeps what it was started with. */
  configure(target: string, config: Config): void;
  /** Runs this on one instance behind everybody's back; `config` null: the right one. */
  drift(target: string, id: string, digest: string, config?: Config | null): Promise<void>;
  /** Trouble of the platform itself: its API out of order; instances with which something is wrong. */
  readonly faults: { isApiDown: boolean } & InstanceFaults;
  stop(): Promise<void>;
};

/** Starts processes, balancers, traffic and the API, all on loopback; settles when every instance serves. */
export async function startFleet(settings: FleetSettings): Promise<Fleet> {
  const { behaviours, initialDigest, token, service = 'shop', healthyWithinMs = 120_000 } = settings;
  const regions = Object.entries(settings.regions ?? DEFAULT_REGIONS);
  const overrides = new Map<string, Behaviour>();
  const configs = new Map<string, Config>();
  const faults: Fleet['faults'] = {
    isApiDown: false,
    stuckInstances: new Set(),
    overlookedInstances: new Set(),
    unreadableInstances: new Set(),
  };
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'belay-hosts-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const payments = settings.payments ? await startPayments(settings.payments) : null;
  if (payments) {
    started.defer(() => payments.stop());
    const others = startTraffic(payments.url, OTHERS_PAY_RPS);
    started.defer(() => others.stop());
  }

  function behaviourOf(digest: string, target: string, id: string): Behaviour {
    const given = typeof behaviours === 'function' ? behaviours(digest) : behaviours.get(digest);
    const said = [`${id} ${digest}`, `${target} ${digest}`, digest].map((key) => overrides.get(key));
    return said.find((one) => one !== undefined) ?? given ?? 'good';
  }

  function place(name: string, isPermanent: boolean, { instances, rps }: RegionSettings) {
    const start = (changes: Changes) =>
      startTarget({
        service,
        target: name,
        folder: join(folder, name),
        instances,
        rps,
        initialDigest: isPermanent ? initialDigest : null,
        config: () => configs.get(name) ?? { REGION: name },
        healthyWithinMs,
        behaviourOf: (digest, id) => behaviourOf(digest, name, id),
        backgroundFailsEvery: settings.backgroundFailsEvery ?? null,
        paymentsUrl: payments?.url ?? null,
        faults,
        changes,
        log: settings.log ?? (() => {}),
      });
    return createPlace(name, isPermanent, start);
  }

  // In the order in which the regions were given, whichever is up first; environments after them.
  const places = new Map(regions.map(([name, region]) => [name, place(name, true, region)]));
  started.defer(async () => void (await Promise.all([...places.values()].map((one) => one.stop()))));
  await Promise.all([...places.values()].map((one) => one.open()));

  const targets = () => [...places.values()].flatMap((one) => one.target() ?? []);
  const state = () => ({ targets: targets().map((one) => one.state()) });
  const byTarget = <T>(read: (target: ReturnType<typeof targets>[number]) => T): Record<string, T> =>
    Object.fromEntries(
      [...places].flatMap(([name, one]) => {
        const target = one.target();
        return target ? [[name, read(target)]] : [];
      }),
    );

  const api = createApi({
    service,
    token,
    place: (name) => places.get(name) ?? null,
    environment(name) {
      const known = places.get(name);
      if (known || places.size >= regions.length + MAX_ENVIRONMENTS) return known ?? null;
      const made = place(name, false, ENVIRONMENT);
      places.set(name, made);
      return made;
    },
    strategies: settings.strategies ?? null,
    neighbour: payments && { service: PAYMENTS, instance: payments.instance },
    state,
    isDown: () => faults.isApiDown,
  });
  const server = createServer(api);
  server.listen(settings.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  started.defer(() => {
    server.close();
    server.closeAllConnections();
  });

  const running = started.move();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    payments,
    hosts: folder,
    faults,
    state,
    stats: () => byTarget((one) => one.counts()),
    reachOf: (digest) => byTarget((one) => one.reachOf(digest)),
    setTraffic(rps) {
      for (const [name, one] of places) {
        const wished = typeof rps === 'number' ? rps : rps[name];
        if (wished !== undefined) one.target()?.traffic.set(wished);
      }
    },
    setBehaviour(digest, behaviour, where) {
      overrides.set(where === undefined ? digest : `${where} ${digest}`, behaviour);
      for (const one of targets()) one.tellBehaviour(digest);
    },
    configure: (target, config) => void configs.set(target, config),
    async drift(target, id, digest, config = null) {
      const found = places.get(target)?.target();
      if (!found) throw new Error(`The fleet has no target ${target}`);
      await found.drift(id, digest, config);
    },
    stop: () => running.disposeAsync(),
  };
}
