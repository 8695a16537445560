import type { z } from 'zod';
import type { Json } from '../core/json.ts';
import type { Measurement } from '../core/judge/signal.ts';
import type { Want } from '../core/judge/want.ts';
import type { Instance, InstanceRole } from '../core/target.ts';

/** One question to a source, asked at one time. */
export type Question = {
  signal: string;
  /** The signal's `query`, already checked by the source's `querySchema`. */
  query: Json;
  /** Whose numbers: the service's, or a neighbour's. */
  service: string;
  targets: string[];
  /** What runs on the instances that are measured: the release, or what it is held against. */
  digest: string;
  /** Digest of what ran before; null when nothing did. */
  beforeDigest: string | null;
  /** Only instances with this role; null: whatever their role. */
  role: InstanceRole | null;
  /** `points` are from `sinceMs` to `untilMs` where the source remembers, and one number where it does not. */
  want: Want;
  sinceMs: number;
  /** Now, or an earlier time when it is held against earlier days. A source that does not remember refuses earlier ones. */
  untilMs: number;
  /** How often it is asked: identical questions within that time may share one answer, never one from before `sinceMs`. */
  everyMs: number;
  /** Instances, by id, that are left out by decision. Only a source that reads instances one by one can know them. */
  without: string[];
};

/**
 * Where health is read. Measures and nothing else: never judges, never throws for what a server may answer; a number
 * that is not finite, not one, not there or not whole is a `missing` with its code.
 */
export interface Source {
  measure(question: Question, signal: AbortSignal): Promise<Measurement>;
}

export type Points = { apartMs: number; overMs: number; fix: string };

export type SourceKind<Options = unknown, Query = unknown> = {
  kind: string;
  title: string;
  /** Can be asked about earlier times. */
  remembers: boolean;
  schema: z.ZodType<Options>;
  querySchema: z.ZodType<Query>;
  /** Why a query that is one cannot give what is wanted, as a sentence with what to do; null: it can. */
  whyNot(query: Query, want: Want): string | null;
  /**
   * Why the release and the old version that runs beside it would get the same answer, so that no difference could ever be
   * found, as a sentence with what to do; null: they would not.
   */
  whyNotBeside(query: Query): string | null;
  /**
   * Of the points of a compare that is looked at every `everyMs`: how far apart they are, over how long each is measured,
   * and what to write so that they do not overlap. Left out: each is about a moment, one a look.
   */
  points?(query: Query, everyMs: number): Points;
  create(options: Options, context: SourceContext): Source;
};

/** What every source is handed. `instances`: what runs there, read through the provider; null: Belay deploys nothing there. */
export type SourceContext = {
  fetch: typeof fetch;
  now: () => number;
  instances: (service: string, target: string, signal: AbortSignal) => Promise<Instance[] | null>;
};
