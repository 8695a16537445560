import { z } from 'zod';
import { missedBy } from '../core/probe.ts';
import { forgotten, isEarlier, measured, missing } from './answer.ts';
import { urlField } from './fields.ts';
import { readText } from './read-text.ts';
import type { Source, SourceContext, SourceKind } from './source.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;

const schema = z.strictObject({
  url: urlField.describe('Where the probed service answers, such as https://shop.example.com'),
  timeoutMs: z.int().min(1).max(120_000).default(10_000).describe('How long one probe may take, in milliseconds.'),
});

const querySchema = z.strictObject({
  path: z.string().startsWith('/').max(1_000).default('/').describe('What to ask for, such as /healthz'),
  status: z.int().min(100).max(599).default(200).describe('The status that passes. Redirects are not followed.'),
  contains: z.string().min(1).max(1_000).optional().describe('A text that the body must contain to pass.'),
  json: z
    .strictObject({
      field: z.string().min(1).max(200).describe('A member of the JSON body; dots go deeper, as in checks.database'),
      equals: z.union([z.string(), z.number(), z.boolean()]).describe('What it must be to pass.'),
    })
    .optional()
    .describe('A member of a JSON body and its value.'),
  measure: z
    .enum(['passes', 'latency'])
    .default('passes')
    .describe('passes: 1 or 0. latency: the milliseconds that a probe took that passes.'),
});

type Options = z.output<typeof schema>;
type Query = z.output<typeof querySchema>;

/** An end-to-end check: one request and what its answer must be. */
export const http: SourceKind<Options, Query> = {
  kind: 'http',
  title: 'A probe over HTTP: 1 when it passes, 0 when it does not',
  remembers: false,
  schema,
  querySchema,
  whyNot: (_, want) =>
    want === 'counts' || want === 'alerts' ? `A probe is one request and has no ${want}: use it as a check` : null,
  whyNotBeside: () => 'a probe asks one address, whichever version answers there: give it a limit, kind: threshold',
  create: createHttpSource,
};

function createHttpSource(options: Options, context: SourceContext): Source {
  const { origin, pathname } = new URL(options.url);
  const base = `${origin}${pathname.replace(/\/+$/, '')}`;
  return {
    async measure(question, signal) {
      const query = querySchema.safeParse(question.query);
      if (!query.success) return missing(question, 'bad-query', z.prettifyError(query.error));
      const why = http.whyNot(query.data, question.want);
      if (why !== null) return missing(question, 'bad-query', why);
      if (isEarlier(question, context.now())) return forgotten(question);
      const startedAtMs = context.now();
      const answer = await readText({
        fetch: context.fetch,
        // The path begins with a slash, so that it cannot lead to another host.
        url: `${base}${query.data.path}`,
        timeoutMs: options.timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
        signal,
      });
      // Nobody answered: that was not measured, and so is neither good nor bad.
      if (!answer.ok) return missing(question, answer.missing, answer.detail);
      const takenAtMs = context.now();
      const isPassed = missedBy(query.data, answer) === null;
      if (query.data.measure === 'passes') {
        return measured(question, { value: isPassed ? 1 : 0, samples: 1, takenAtMs });
      }
      if (!isPassed) return missing(question, 'bad-answer', `HTTP ${answer.status}, which does not pass the probe`);
      return measured(question, { value: takenAtMs - startedAtMs, samples: 1, takenAtMs });
    },
  };
}
