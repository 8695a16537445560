import type { z } from 'zod';
import type { Json } from '../core/json.ts';
import type { Artifact } from '../core/release.ts';
import type { Capacity, Observation, Strategy } from '../core/target.ts';

/**
 * A change to one target, as it shall be afterwards. `key` makes repeating it harmless; `generation` grows with each
 * change to this target.
 */
export type ChangeRequest = {
  service: string;
  target: string;
  /** The target's options as the service file gives them, already checked by the provider's `targetSchema`. */
  options: Json;
  artifact: Artifact;
  /** The share of the target's instances that run the artifact then, above 0 to 1: at least one (see `instancesFor`). */
  share: number;
  /** Those instances by id, for a platform that can choose; null: any. One that is gone is replaced by any other. */
  instances: string[] | null;
  strategy: Strategy;
  /** The instances that get the artifact are a canary, and labelled so in their metrics. */
  isCanary: boolean;
  /** Start as many fresh instances of this beside the canary, labelled `baseline`; null: none, and remove any there are. */
  baseline: Artifact | null;
  key: string;
  generation: number;
};

/** A way back: every instance of the target, whatever runs there now; no canary, baseline or new colour stays. */
export type RollBackRequest = Pick<
  ChangeRequest,
  'service' | 'target' | 'options' | 'artifact' | 'strategy' | 'key' | 'generation'
>;

/** Making or removing a whole environment. */
export type EnvironmentRequest = Pick<ChangeRequest, 'service' | 'target' | 'options' | 'key' | 'generation'>;

/** What is asked before a change: how much serves while it is under way. */
export type PlannedChange = Pick<ChangeRequest, 'share' | 'strategy'>;

export type TargetRef = { service: string; target: string; options: Json };

/**
 * `running`: accepted, not finished; call again with the same key. `isTerminal`: trying again cannot help.
 * A provider that was refused for an old generation answers a terminal failure.
 */
export type ProviderAnswer =
  | { is: 'done' }
  | { is: 'running'; retryAfterMs: number }
  | { is: 'failed'; isTerminal: boolean; detail: string };

/**
 * Where things run. Promises: idempotent by key; refuses a generation older than the newest it accepted for the target;
 * answers instead of sleeping; ends within the signal. Throws only for what nobody foresaw; that counts as not terminal.
 */
export interface Provider {
  deploy(request: ChangeRequest, signal: AbortSignal): Promise<ProviderAnswer>;
  /** Puts every instance of the target on the artifact, whatever runs there now. */
  rollBack(request: RollBackRequest, signal: AbortSignal): Promise<ProviderAnswer>;
  /** Makes the target, empty, for one release; one that is there already is made anew. */
  create(request: EnvironmentRequest, signal: AbortSignal): Promise<ProviderAnswer>;
  /** Removes the target and all that runs there; one that is gone already is `done`. */
  remove(request: EnvironmentRequest, signal: AbortSignal): Promise<ProviderAnswer>;
  /** Reads back every instance. Throws when it cannot: half an observation is none. */
  observe(target: TargetRef, signal: AbortSignal): Promise<Observation>;
  capacity(target: TargetRef, change: PlannedChange, signal: AbortSignal): Promise<Capacity>;
}

/** One kind of provider: a line in the table of `index.ts`. */
export type ProviderKind<Options = unknown, Target = unknown> = {
  kind: string;
  title: string;
  /** The provider's own options in belay.yml. */
  schema: z.ZodType<Options>;
  /** What a service file says of each target. */
  targetSchema: z.ZodType<Target>;
  create(options: Options, context: ProviderContext): Provider;
};

/** What every provider is handed instead of reaching for globals. */
export type ProviderContext = { fetch: typeof fetch; now: () => number };
