import { z } from 'zod';
import { parseDuration } from '../core/duration.ts';
import { whyUnsafeUrl } from '../core/url.ts';

/** A duration as people write it, checked; kept as text so that the JSON Schema shows what to type. */
export function durationField(shortestMs: number, longestMs: number): z.ZodType<string> {
  return z.string().refine(
    (text) => {
      const ms = parseDuration(text);
      return ms !== null && ms >= shortestMs && ms <= longestMs;
    },
    { error: `expected a duration like 30s or 5m, from ${shortestMs / 1000} s to ${longestMs / 1000} s` },
  );
}

/** The milliseconds of a field that `durationField` has accepted. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new Error(`${JSON.stringify(text)} is not a duration`);
  return ms;
}

/** An address that Belay may call, as `whyUnsafeUrl` in the core has it. */
export const urlField: z.ZodType<string> = z.string().superRefine((text, context) => {
  const why = whyUnsafeUrl(text);
  if (why !== null) context.addIssue({ code: 'custom', message: why });
});

export const tokenField: z.ZodType<string | undefined> = z
  .string()
  .regex(/^[\x21-\x7e]+$/, 'Expected the bearer token: printable characters without spaces.')
  .optional()
  .describe('A bearer token, from the environment, when the server wants one.');
