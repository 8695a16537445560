/** What an instance is there for. `idle`: the old colour of a blue/green switch, kept without users for the way back. */
export type InstanceRole = 'stable' | 'canary' | 'baseline' | 'idle';

/** One running copy on a target, as the provider reads it back. */
export type Instance = {
  id: string;
  region: string;
  /** The digest that it runs; null: it could not be read. */
  digest: string | null;
  /** Checksum of the configuration that it really has; null: it has none, or cannot say. */
  config: string | null;
  role: InstanceRole;
  isHealthy: boolean;
  /** Where its Prometheus text metrics are; null: it has none. */
  metricsUrl: string | null;
};

/** What runs on a target now. */
export type Observation = {
  target: string;
  instances: Instance[];
  /** The share of traffic that goes to each digest, 0 to 1; empty when the provider cannot say. */
  weights: Record<string, number>;
  /** The newest generation that the provider accepted a change from; null: none yet. */
  generation: number | null;
  /** Checksum of the configuration that every instance should have; null: the platform cannot say. */
  config: string | null;
};

/** How a target gets from one version to the next; the provider carries it out. Durations in milliseconds. */
export type Strategy =
  /** Instance by instance: at most `maxSurge` more than usual, at most `maxUnavailable` fewer; each drains before it ends. */
  | { is: 'rolling'; maxSurge: number; maxUnavailable: number; drainMs: number }
  /** A share of the traffic goes to instances beside the old ones; the last step replaces those and removes what was beside. */
  | { is: 'weight'; drainMs: number }
  /** All instances anew, then one switch; the old colour is kept `keepMs` for an instant way back. */
  | { is: 'blue-green'; keepMs: number; drainMs: number }
  /** New instances are made and the old ones removed: nothing is ever changed in place. */
  | { is: 'replace'; drainMs: number }
  /** The release is put beside the old one on each host, a link is switched, the host starts its service anew. */
  | { is: 'symlink'; maxUnavailable: number; drainMs: number };

/** Where nothing is said: in place, one instance after the other. */
export const USUAL_STRATEGY: Strategy = { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 30_000 };

/** How much of a target serves now, and how much will at least while a planned change is under way. */
export type Capacity = { target: string; instances: number; serving: number; servingDuring: number };

/** How many of a target's instances a share is: at least one, never more than there are. */
export function instancesFor(share: number, instances: number): number {
  return Math.min(instances, Math.max(1, Math.ceil(share * instances - 1e-9)));
}
