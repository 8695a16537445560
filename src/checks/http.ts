import { z } from 'zod';
import { assertNever } from '../core/assert.ts';
import { missedBy } from '../core/probe.ts';
import type { CheckAnswer, CheckContext, CheckKind, CheckRequest, CheckRunner } from './check.ts';
import { fill, fillUrl, urlField } from './fields.ts';
import { lastOf } from './words.ts';

const MAX_ANSWER_BYTES = 1024 * 1024;
/** A member of somebody's answer, quoted. */
const QUOTED = 200;

const schema = z.strictObject({
  url: urlField.describe('What to ask for. {service}, {target}, {digest} and {sha} stand for what is checked.'),
  status: z.int().min(100).max(599).default(200).describe('The status that passes. Redirects are not followed.'),
  contains: z
    .string()
    .min(1)
    .max(1_000)
    .optional()
    .describe('A text that the body must contain to pass. The same places are filled.'),
  json: z
    .strictObject({
      field: z.string().min(1).max(200).describe('A member of the JSON body; dots go deeper, as in checks.database'),
      equals: z
        .union([z.string(), z.number(), z.boolean()])
        .describe('What it must be to pass. The same places are filled.'),
    })
    .optional()
    .describe('A member of a JSON body and its value.'),
  timeoutMs: z.int().min(1).max(25_000).default(10_000).describe('How long the answer may take, in milliseconds.'),
});

type Options = z.output<typeof schema>;

/** A smoke test: one request, and what its answer must be. */
export const http: CheckKind<Options> = {
  kind: 'http',
  title: 'One request over HTTP, and what its answer must be',
  schema,
  create: createHttpCheck,
};

function createHttpCheck(context: Pick<CheckContext, 'readText'>): CheckRunner {
  return {
    async run(request, signal) {
      signal.throwIfAborted();
      const options = filled(schema.parse(request.options), request);
      const url = fillUrl(options.url, request);
      const answer = await context.readText({
        url,
        timeoutMs: Math.min(options.timeoutMs, request.deadlineMs),
        maxBytes: MAX_ANSWER_BYTES,
        signal,
      });
      signal.throwIfAborted();
      // It is the release that is asked: not being there is an answer too.
      if (!answer.ok) return ended('failed', answer.detail, url);
      const missed = missedBy(options, answer);
      return missed === null
        ? ended('passed', `HTTP ${answer.status}`, url)
        : ended('failed', whyNot(missed, options, answer.status), url);
    },
    async examine(request) {
      return { ok: true, detail: `asks ${schema.parse(request.options).url}` };
    },
  };
}

/** That the release itself answers is best told by its digest, which nobody can write down beforehand. */
function filled({ contains, json, ...others }: Options, request: CheckRequest): Options {
  return {
    ...others,
    contains: contains && fill(contains, request),
    json: json && { ...json, equals: typeof json.equals === 'string' ? fill(json.equals, request) : json.equals },
  };
}

function whyNot(missed: NonNullable<ReturnType<typeof missedBy>>, options: Options, status: number): string {
  switch (missed) {
    case 'status':
      return `HTTP ${status}, expected ${options.status}`;
    case 'contains':
      return `HTTP ${status} without ${JSON.stringify(options.contains?.slice(0, QUOTED))} in its body`;
    case 'json':
      return `HTTP ${status} in whose JSON ${options.json?.field} is not ${JSON.stringify(options.json?.equals)}`;
    default:
      return assertNever(missed, 'This part');
  }
}

function ended(is: 'passed' | 'failed', detail: string, url: string): CheckAnswer {
  return { is, detail: lastOf(detail, 2 * QUOTED), measures: [], url };
}
