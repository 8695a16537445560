import { z } from 'zod';

/** What the load generator is asked: `rate` requests a second for `forMs`, over at most so many connections. */
export const loadShape = z.strictObject({
  url: z.string(),
  rate: z.number().positive(),
  forMs: z.number().positive(),
  connections: z.int().positive(),
  timeoutMs: z.int().positive(),
});

export type Load = z.output<typeof loadShape>;

const count = z.int().min(0);
const ms = z.number().min(0).nullable();

/** What it prints. Times are of requests that were answered with 2xx; null: none was. */
export const loadedShape = z.strictObject({
  /** Requests of the plan; those that were sent; those that were answered with 2xx. */
  total: count.min(1),
  sent: count,
  answered: count,
  tookMs: z.number().min(0),
  p50Ms: ms,
  p95Ms: ms,
  p99Ms: ms,
  /** How late this program itself was, at the 99th percentile: a host that is too busy measures itself. */
  ownDelayMs: z.number().min(0),
  /** How many failed of what: `HTTP 503`, `timeout`, `ECONNREFUSED`. */
  problems: z.record(z.string(), count),
});

export type Loaded = z.output<typeof loadedShape>;
