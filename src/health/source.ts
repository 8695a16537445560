import type { z } from 'zod';
import type { Json } from '../core/json.ts';
import type { Measurement } from '../core/judge/signal.ts';
import type { Instance } from '../core/target.ts';

/** One question to a source, asked at one time. */
export type Question = {
  signal: string;
  /** The signal's `query`, already checked by the source's `querySchema`. */
  query: Json;
  service: string;
  targets: string[];
  /** Digest of the release that is being judged. */
  digest: string;
  /** Digest of what ran before; null when nothing did. */
  beforeDigest: string | null;
};

/**
 * Where health is read. Measures and nothing else: never judges, never throws for what a server may answer; a number
 * that is not finite, not one, not there or not whole is a `missing` with its code.
 */
export interface Source {
  measure(question: Question, signal: AbortSignal): Promise<Measurement>;
}

export type SourceKind<Options = unknown, Query = unknown> = {
  kind: string;
  title: string;
  schema: z.ZodType<Options>;
  querySchema: z.ZodType<Query>;
  create(options: Options, context: SourceContext): Source;
};

/** What every source is handed. `instances` reads what runs on a service's target through its provider. */
export type SourceContext = {
  fetch: typeof fetch;
  now: () => number;
  instances: (service: string, target: string, signal: AbortSignal) => Promise<Instance[]>;
};
