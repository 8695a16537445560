import type { z } from 'zod';
import type { Json } from '../core/json.ts';
import type { Artifact } from '../core/release.ts';
import type { Capacity, Observation } from '../core/target.ts';

/** A change to one target. `key` makes repeating it harmless; `generation` grows with each change to this target. */
export type ChangeRequest = {
  service: string;
  target: string;
  /** The target's options as the service file gives them, already checked by the provider's `targetSchema`. */
  options: Json;
  artifact: Artifact;
  /** The share of the target's instances that get the artifact, above 0 to 1: at least one instance (see `instancesFor`). */
  share: number;
  key: string;
  generation: number;
};

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
  rollBack(request: Omit<ChangeRequest, 'share'>, signal: AbortSignal): Promise<ProviderAnswer>;
  /** Reads back every instance. Throws when it cannot: half an observation is none. */
  observe(target: TargetRef, signal: AbortSignal): Promise<Observation>;
  capacity(target: TargetRef, signal: AbortSignal): Promise<Capacity>;
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
