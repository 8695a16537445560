import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApi } from './api.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import type { Behaviour } from './behaviour.ts';
import { type FleetTarget, startTarget, type TargetState } from './fleet-target.ts';
import type { RequestCounts } from './request-counter.ts';
import { startTraffic, type Traffic } from './traffic.ts';

export type RegionSettings = { instances: number; rps: number };

/** Staging and two regions of production. A target is a region here. */
export const DEFAULT_REGIONS: Record<string, RegionSettings> = {
  staging: { instances: 2, rps: 10 },
  eu: { instances: 4, rps: 40 },
  us: { instances: 4, rps: 40 },
};

export type FleetSettings = {
  /** How each release behaves; a digest that is not there is a good one. */
  behaviours: ReadonlyMap<string, Behaviour> | ((digest: string) => Behaviour);
  /** What runs everywhere at the start. */
  initialDigest: string;
  token: string;
  service?: string;
  port?: number;
  regions?: Record<string, RegionSettings>;
  /** An instance that is not healthy by then is given up. */
  healthyWithinMs?: number;
  log?: (line: string) => void;
};

export type Fleet = {
  /** Base of the provider API, and of the public `/fleet/state`. */
  readonly url: string;
  readonly token: string;
  /** What users saw, by region. */
  stats(): Record<string, RequestCounts>;
  state(): { targets: TargetState[] };
  /** Requests a second: the same in every region, or by region. */
  setTraffic(rps: number | Record<string, number>): void;
  /** How this release behaves from now on, also where it runs already: everywhere, or on one target (which then wins). */
  setBehaviour(digest: string, behaviour: Behaviour, target?: string): void;
  /** Trouble of the platform itself: its API out of order; instances that say yes and stay as they are. */
  readonly faults: { isApiDown: boolean; stuckInstances: Set<string> };
  stop(): Promise<void>;
};

/** Starts processes, balancers, traffic and the API, all on loopback; settles when every instance serves. */
export async function startFleet(settings: FleetSettings): Promise<Fleet> {
  const { behaviours, initialDigest, token, service = 'shop', healthyWithinMs = 10_000 } = settings;
  const regions = Object.entries(settings.regions ?? DEFAULT_REGIONS);
  const overrides = new Map<string, Behaviour>();
  const faults: Fleet['faults'] = { isApiDown: false, stuckInstances: new Set() };
  const balancers = new Map<string, Balancer>();
  const targets = new Map<string, FleetTarget>();
  const traffic = new Map<string, Traffic>();

  function behaviourOf(digest: string, target: string): Behaviour {
    const given = typeof behaviours === 'function' ? behaviours(digest) : behaviours.get(digest);
    return overrides.get(`${target} ${digest}`) ?? overrides.get(digest) ?? given ?? 'good';
  }

  await Promise.all(
    regions.map(async ([name, { instances }]) => {
      const balancer = await startBalancer(Date.now);
      balancers.set(name, balancer);
      const target = await startTarget({
        service,
        target: name,
        instances,
        initialDigest,
        healthyWithinMs,
        behaviourOf: (digest) => behaviourOf(digest, name),
        isStuck: (id) => faults.stuckInstances.has(id),
        balancer,
        log: settings.log ?? (() => {}),
      });
      targets.set(name, target);
    }),
  );
  for (const [name, { rps }] of regions) traffic.set(name, startTraffic(balancers.get(name)?.url ?? '', rps));

  // In the order in which the regions were given, whichever was up first.
  const state = () => ({ targets: regions.flatMap(([name]) => targets.get(name)?.state() ?? []) });
  const server = createServer(createApi({ service, token, targets, state, isDown: () => faults.isApiDown }));
  server.listen(settings.port ?? 0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    faults,
    state,
    stats: () => Object.fromEntries([...balancers].map(([name, balancer]) => [name, balancer.counts()])),
    setTraffic(rps) {
      for (const [name, one] of traffic) {
        const wished = typeof rps === 'number' ? rps : rps[name];
        if (wished !== undefined) one.set(wished);
      }
    },
    setBehaviour(digest, behaviour, only) {
      overrides.set(only === undefined ? digest : `${only} ${digest}`, behaviour);
      for (const [name, target] of targets) target.tellBehaviour(digest, behaviourOf(digest, name));
    },
    async stop() {
      for (const one of traffic.values()) one.stop();
      server.close();
      server.closeAllConnections();
      await Promise.all([...targets.values()].map((target) => target.stop()));
      await Promise.all([...balancers.values()].map((balancer) => balancer.stop()));
    },
  };
}
