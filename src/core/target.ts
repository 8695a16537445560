/** One running copy on a target, as the provider reads it back. */
export type Instance = {
  id: string;
  region: string;
  /** The digest that it runs; null: it could not be read. */
  digest: string | null;
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
};

/** How much of a target serves now. */
export type Capacity = { target: string; instances: number; serving: number };

/** How many of a target's instances a share is: at least one, never more than there are. */
export function instancesFor(share: number, instances: number): number {
  return Math.min(instances, Math.max(1, Math.ceil(share * instances - 1e-9)));
}
