import { z } from 'zod';
import type { Want } from '../core/judge/want.ts';
import { durationField, durationMs } from './fields.ts';
import type { Points } from './source.ts';

const NAME = /^[A-Za-z0-9_.:-]{1,200}$/;

/** What can be asked of HAProxy's counters. */
export const haproxyQuerySchema = z.strictObject({
  backend: z.string().regex(NAME, 'Expected the name of a backend.').describe('The backend, as HAProxy names it.'),
  measure: z
    .enum(['errors', 'client-errors', 'requests', 'rate', 'sessions', 'response-time'])
    .describe(
      'errors: 5xx and no answer at all, out of requests, 0 to 1. client-errors: 4xx, likewise. requests: how many within the window. rate: for each second. sessions: open now. response-time: the average of the last 1024 answers, in ms, over the servers.',
    ),
  server: z
    .string()
    .max(200)
    .refine((text) => text.split('$instance').length === 2 && NAME.test(text.replace('$instance', 'a')), {
      error: 'Expected a name with $instance in it, such as shop-$instance',
    })
    .default('$instance')
    .describe('How the server of an instance is named; $instance is its id.'),
  whole: z
    .boolean()
    .default(false)
    .describe("The backend's own line, all servers together: for a neighbour that Belay does not deploy."),
  version: z
    .enum(['now', 'before', 'all'])
    .default('now')
    .describe('Which instances: those of the judged release, of the one before it, or all.'),
  region: z.string().min(1).max(200).optional().describe('Only the instances of this region.'),
  window: durationField(1_000, 3_600_000).default('30s').describe('How far back to look, such as 30s.'),
  times: z.number().default(1).describe('The answer times this: 100 makes percent of a share.'),
});

export type HaproxyQuery = z.output<typeof haproxyQuerySchema>;

/** Whose instances are measured follows from the side that is asked for, unless the query says so itself. */
export function whyNotBesideHaproxy({ version, whole }: HaproxyQuery): string | null {
  return version === 'now' && !whole
    ? null
    : 'leave version and whole out: then each side is measured on its own servers';
}

/** One number a look; the judge takes none that is about the same time as the last one. */
export function haproxyPoints({ measure, window }: HaproxyQuery, everyMs: number): Points {
  const isGauge = measure === 'sessions' || measure === 'response-time';
  const overMs = isGauge ? 0 : durationMs(window);
  return { apartMs: Math.max(everyMs, overMs), overMs, fix: 'a shorter window' };
}

/** Why this query cannot give what is wanted, as a sentence with what to do; null: it can. */
export function whyNotHaproxy({ measure, times }: HaproxyQuery, want: Want): string | null {
  if (want === 'alerts') return 'Alerts are read from a source of the kind alertmanager';
  if (want !== 'counts') return null;
  if ((measure === 'errors' || measure === 'client-errors') && times === 1) return null;
  return 'A rate is judged by failures out of requests: give measure: errors or client-errors, without times';
}
