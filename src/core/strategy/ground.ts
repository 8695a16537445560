import type { Instance, InstanceRole, Strategy } from '../target.ts';

/** One instance as its platform knows it while a change is planned. */
export type Placed = Omit<Instance, 'metricsUrl'> & {
  /** It gets requests of users. */
  isServing: boolean;
  /** Beside the usual ones: removed by the last step of its strategy, or made one of them by a switch. */
  isBeside: boolean;
};

/** This share of the requests goes to what runs the digest, above 0 to 1; the rest to all others. */
export type Split = { digest: string; share: number };

/** What a platform has on a target. */
export type Ground = {
  instances: Placed[];
  /** How many instances it has when nothing is changed, by region. */
  usual: Record<string, number>;
  /** Checksum of the configuration that every instance should have; null: it has none. */
  config: string | null;
  /** null: every instance that serves gets as much as any other. */
  split: Split | null;
};

/** What is wished of a target, as a change request has it. `isWayBack`: a rollback, after which nothing new stays. */
export type Wish<S extends Strategy = Strategy> = {
  digest: string;
  share: number;
  instances: string[] | null;
  strategy: S;
  isCanary: boolean;
  baseline: string | null;
  isWayBack: boolean;
};

/** One thing that a platform does to a target. Durations in milliseconds. */
export type Move =
  /** Makes a new instance, without users. */
  | { do: 'start'; id: string; region: string; digest: string; role: InstanceRole; isBeside: boolean }
  /** Puts the release beside the old one on a host and switches the link; what runs goes on running. */
  | { do: 'link'; id: string; digest: string }
  /** Ends what runs on the instance and starts the digest in its place, without users. */
  | { do: 'restart'; id: string; digest: string; role: InstanceRole }
  /** Gives it users, once it is healthy. */
  | { do: 'admit'; id: string }
  /** Gives it no new requests, and waits until those in flight have ended, at most so long. */
  | { do: 'drain'; id: string; drainMs: number }
  /** Ends the instance; it is gone. */
  | { do: 'stop'; id: string }
  | { do: 'label'; id: string; role: InstanceRole }
  | { do: 'split'; split: Split | null }
  /** In one moment: these serve, and all others do not. The others are idle, and end `keepMs` later. */
  | { do: 'switch'; to: string[]; keepMs: number };

/** Moves in order; when one fails, the rest of its chain is left out. */
export type Chain = Move[];

/** Batches in order; the chains of a batch may run side by side. */
export type Plan = Chain[][];

/** A plan, or why this cannot be done as things are. */
export type Planned = { plan: Plan } | { impossible: string };

/** Names the next new instance of a region; never the same name twice. */
export type NewId = (region: string) => string;

/** Those that a release is given to: neither beside, nor a baseline, nor the old colour. */
export function usualOnes(ground: Ground): Placed[] {
  return ground.instances.filter((one) => !one.isBeside && one.role !== 'baseline' && one.role !== 'idle');
}

export function usualCount(ground: Ground): number {
  return Object.values(ground.usual).reduce((sum, count) => sum + count, 0);
}

/** The first of each region, then the second of each, …: a small share reaches every region that it can. */
export function acrossRegions<T extends { region: string }>(items: T[]): T[] {
  const seen = new Map<string, number>();
  const ranked = items.map((item) => {
    const rank = seen.get(item.region) ?? 0;
    seen.set(item.region, rank + 1);
    return { item, rank };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map((one) => one.item);
}
