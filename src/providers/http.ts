import { z } from 'zod';
import type { Artifact } from '../core/release.ts';
import { whyUnsafeUrl } from '../core/url.ts';
import type {
  ChangeRequest,
  EnvironmentRequest,
  PlannedChange,
  Provider,
  ProviderAnswer,
  ProviderContext,
  ProviderKind,
  RollBackRequest,
  TargetRef,
} from './provider.ts';

/** An answer longer than this is refused: no honest one is. */
const MAX_ANSWER_BYTES = 1024 * 1024;

const safeUrl = z.string().superRefine((text, context) => {
  const why = whyUnsafeUrl(text);
  if (why) context.addIssue({ code: 'custom', message: why });
});

const schema = z.strictObject({
  url: safeUrl
    .regex(/^[^?#]*$/, 'Expected a URL without a query or fragment: paths are added at its end.')
    .describe('Where the platform answers docs/provider-api.yaml, such as https://platform.example.com/belay'),
  token: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'Expected the bearer token: printable characters without spaces.')
    .describe('The bearer token, from the environment.'),
  timeoutMs: z.int().min(1).max(120_000).default(10_000).describe('How long one call may take, in milliseconds.'),
});

const targetSchema = z.strictObject({
  name: z
    .string()
    .regex(/^(?!\.{1,2}$).{1,200}$/, 'Expected a name of at most 200 characters.')
    .optional()
    .describe("The target's name on the platform, when it differs."),
});

const text = z.string().min(1).max(500);

const changeAnswer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('done') }),
  z.object({ status: z.literal('running'), retryAfterMs: z.int().min(0).max(600_000) }),
]);

const observationAnswer = z.object({
  instances: z
    .array(
      z.object({
        id: text,
        region: text,
        digest: text.nullable(),
        isHealthy: z.boolean(),
        config: text.nullable().default(null),
        role: z.enum(['stable', 'canary', 'baseline', 'idle']).default('stable'),
        metricsUrl: safeUrl.nullable(),
      }),
    )
    .max(10_000)
    .refine((instances) => new Set(instances.map((one) => one.id)).size === instances.length, 'An id is there twice.'),
  weights: z.record(text, z.number().min(0).max(1)),
  generation: z.int().min(0).nullable(),
  config: text.nullable().default(null),
});

const capacityAnswer = z
  .object({ instances: z.int().min(0), serving: z.int().min(0), servingDuring: z.int().min(0) })
  .refine((capacity) => capacity.serving <= capacity.instances, 'More instances serve than there are.')
  .refine((capacity) => capacity.servingDuring <= capacity.instances, 'More instances would serve than there are.');

const problemAnswer = z.object({ error: z.string().min(1), code: z.string().optional() });

type Options = z.output<typeof schema>;
type Answer = { status: number; body: unknown };

/** Any platform that answers the small API of docs/provider-api.yaml. */
export const http: ProviderKind<Options, z.output<typeof targetSchema>> = {
  kind: 'http',
  title: 'A platform that answers the provider API over HTTP',
  schema,
  targetSchema,
  create: createHttpProvider,
};

function createHttpProvider(options: Options, context: Pick<ProviderContext, 'fetch'>): Provider {
  async function call(method: string, path: string, signal: AbortSignal, change?: ChangeCall): Promise<Answer> {
    try {
      const response = await context.fetch(`${options.url.replace(/\/+$/, '')}${path}`, {
        method,
        // A redirect would carry the token to wherever it points.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
        headers: { accept: 'application/json', authorization: `Bearer ${options.token}`, ...change?.headers },
        ...(change && { body: JSON.stringify(change.body) }),
      });
      return { status: response.status, body: parseJson(await readBounded(response)) };
    } catch (error) {
      throw new Error(inert(`${method} ${path} was not answered: ${causeOf(error)}`));
    }
  }

  async function change(method: string, path: string, wish: ChangeCall, signal: AbortSignal): Promise<ProviderAnswer> {
    let answer: Answer;
    try {
      answer = await call(method, path, signal, wish);
    } catch (error) {
      return { is: 'failed', isTerminal: false, detail: error instanceof Error ? error.message : 'No answer.' };
    }
    const { status, body } = answer;
    const parsed = changeAnswer.safeParse(body);
    if (parsed.success && status === 200 && parsed.data.status === 'done') return { is: 'done' };
    if (parsed.success && status === 202 && parsed.data.status === 'running') {
      return { is: 'running', retryAfterMs: parsed.data.retryAfterMs };
    }
    return { is: 'failed', isTerminal: isTerminal(status), detail: inert(explain(method, path, answer)) };
  }

  async function read<Shape>(path: string, shape: z.ZodType<Shape>, signal: AbortSignal): Promise<Shape> {
    const answer = await call('GET', path, signal);
    if (answer.status !== 200) throw new Error(inert(explain('GET', path, answer)));
    const parsed = shape.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    throw new Error(
      inert(`GET ${path} was answered with something else than expected: ${z.prettifyError(parsed.error)}`),
    );
  }

  /** Text from the platform, short, on one line, and without the token should it be echoed. */
  function inert(message: string): string {
    return message.replaceAll(options.token, '[token]').replace(/\s+/g, ' ').slice(0, 500);
  }

  return {
    deploy: (request, signal) =>
      change('PUT', `${pathOf(request)}/release`, changeCall(request, deployBody(request)), signal),
    rollBack: (request, signal) =>
      change('POST', `${pathOf(request)}/rollback`, changeCall(request, rollBackBody(request)), signal),
    create: (request, signal) => change('PUT', `${pathOf(request)}/environment`, changeCall(request, {}), signal),
    remove: (request, signal) => change('DELETE', `${pathOf(request)}/environment`, changeCall(request, {}), signal),
    observe: async (ref, signal) => ({
      target: ref.target,
      ...(await read(pathOf(ref), observationAnswer, signal)),
    }),
    capacity: async (ref, planned, signal) => ({
      target: ref.target,
      ...(await read(`${pathOf(ref)}/capacity?${queryOf(planned)}`, capacityAnswer, signal)),
    }),
  };
}

type ChangeCall = { headers: Record<string, string>; body: object };

/** Under its key and its fence. */
function changeCall(request: EnvironmentRequest, body: object): ChangeCall {
  const headers = {
    'content-type': 'application/json',
    'idempotency-key': request.key,
    'belay-generation': String(request.generation),
  };
  return { headers, body };
}

function deployBody({ artifact, share, instances, strategy, isCanary, baseline }: ChangeRequest): object {
  return { ...nameOf(artifact), share, instances, strategy, isCanary, baseline: baseline && nameOf(baseline) };
}

function rollBackBody({ artifact, strategy }: RollBackRequest): object {
  return { ...nameOf(artifact), strategy };
}

/** What ran before Belay knew the service has no commit that is known. */
function nameOf({ digest, sha }: Artifact): object {
  return sha === '' ? { digest } : { digest, sha };
}

/** The strategy's numbers beside its name: `share=0.25&strategy=rolling&maxSurge=0&…` */
function queryOf({ share, strategy }: PlannedChange): URLSearchParams {
  const { is, ...numbers } = strategy;
  const query = new URLSearchParams({ share: String(share), strategy: is });
  for (const [name, value] of Object.entries(numbers)) query.set(name, String(value));
  return query;
}

function pathOf(ref: TargetRef): string {
  const name = targetSchema.parse(ref.options ?? {}).name ?? ref.target;
  return `/v1/services/${encodeURIComponent(ref.service)}/targets/${encodeURIComponent(name)}`;
}

/** Only a clear "no" is final. Redirects, throttling, time-outs, 5xx and nonsense may be better the next time. */
function isTerminal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
}

function explain(method: string, path: string, { status, body }: Answer): string {
  const problem = problemAnswer.safeParse(body);
  const said = problem.success ? `: ${problem.data.error}` : '';
  if (status >= 300 && status < 400) {
    return `${method} ${path} was redirected (${status}), which is never followed: give the final address as url.`;
  }
  if (status === 422 && problem.success && problem.data.code === 'unsupported') {
    return `The platform cannot do this (422, unsupported)${said}. Ask for another strategy in the service file.`;
  }
  if (status === 409) return `The platform already accepted a newer change (409)${said}`;
  if (status < 300) return `${method} ${path} was answered ${status} with a body that the provider API does not have.`;
  return `${method} ${path} was answered ${status}${said}`;
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the stream, so an endless answer is cut off.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause = error.cause instanceof Error && 'code' in error.cause ? ` (${error.cause.code})` : '';
  return `${error.message}${cause}`;
}
