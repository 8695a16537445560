import { createHash } from 'node:crypto';
import { z } from 'zod';
import { formatDuration } from '../core/duration.ts';
import type { CheckAnswer, CheckContext, CheckKind, CheckRequest, CheckRunner, Examined } from './check.ts';
import { fill, templateField } from './fields.ts';
import { lastOf } from './words.ts';

/** GitHub's limit is 25, and one is Belay's. */
const MAX_INPUTS = 24;
/** The input that names the try, and by which its run is found again. */
export const INPUT = 'belay';

/** How often a run is looked at: each look is a request of GitHub's hourly budget. */
const LOOK_EVERY_MS = 10_000;
const LOOK_SOON_MS = 3_000;
/** A run may be listed a while after it was dispatched; until then nothing is dispatched in its place. */
const LISTED_WITHIN_MS = 60_000;
/** What the process before this one dispatched as it ended may not be listed yet. */
const STARTED_MS = 10_000;
const REMEMBERED = 200;

const schema = z
  .strictObject({
    workflow: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}\.ya?ml$/, "the workflow's file name, such as e2e.yml")
      .describe('The file name of the workflow in .github/workflows. It needs on: workflow_dispatch.'),
    inputs: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,99}$/, "an input's name"), templateField)
      .default({})
      .refine((inputs) => Object.keys(inputs).length <= MAX_INPUTS, { error: `at most ${MAX_INPUTS} inputs` })
      .refine((inputs) => !Object.hasOwn(inputs, INPUT), {
        error: `The input ${INPUT} is Belay's own: it names the try.`,
      })
      .describe('Its inputs. {service}, {target}, {digest} and {sha} stand for what is checked.'),
    ref: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}$/, 'a branch or tag')
      .optional()
      .describe("The branch or tag whose workflow runs. Default: the service's branch."),
    repo: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/, 'a repository as owner/name')
      .optional()
      .describe("Where the workflow is, when it is not the service's repository. Needs ref."),
  })
  .refine((one) => one.repo === undefined || one.ref !== undefined, {
    error: 'a ref, because the repository is another',
    path: ['ref'],
  });

type Options = z.output<typeof schema>;

/** A run that GitHub has been asked for. `runId` null: it did not say which, or it is not known whether it heard. */
type Asked = { atMs: number; runId: number | null };

/** An end-to-end test, a replay or whatever else a workflow does; passes when its run ends with success. */
export const workflow: CheckKind<Options> = {
  kind: 'workflow',
  title: 'A run of a GitHub Actions workflow, which passes when it ends with success',
  schema,
  create: createWorkflowCheck,
};

function createWorkflowCheck(context: Pick<CheckContext, 'workflows' | 'now'>): CheckRunner {
  const { workflows, now } = context;
  const createdAtMs = now();
  const asked = new Map<string, Asked>();

  function remember(key: string, one: Asked): void {
    asked.set(key, one);
    const [oldest] = asked.keys();
    if (asked.size > REMEMBERED && oldest !== undefined) asked.delete(oldest);
  }

  async function dispatch(request: CheckRequest, place: Place, inputs: Record<string, string>): Promise<CheckAnswer> {
    const answer = await workflows.dispatch({ ...place, inputs });
    switch (answer.is) {
      case 'refused':
        return failed(answer.detail, null);
      case 'unknown':
        remember(request.key, { atMs: now(), runId: null });
        throw new Error(answer.detail);
      case 'dispatched':
        remember(request.key, { atMs: now(), runId: answer.runId });
        return { is: 'running', retryAfterMs: LOOK_SOON_MS };
    }
  }

  return {
    async run(request, signal) {
      signal.throwIfAborted();
      const options = schema.parse(request.options);
      const place = placeOf(options, request);
      const known = asked.get(request.key);
      const name = nameOf(request.key);
      const run = known?.runId
        ? await workflows.read(place.repo, known.runId)
        : await workflows.find({ ...place, name });
      signal.throwIfAborted();
      if (run === null) {
        const since = known?.atMs ?? createdAtMs;
        const isListed = now() - since >= (known ? LISTED_WITHIN_MS : STARTED_MS);
        if (!isListed) return { is: 'running', retryAfterMs: LOOK_SOON_MS };
        const inputs = Object.entries(options.inputs).map(([input, text]) => [input, fill(text, request)]);
        return dispatch(request, place, { ...Object.fromEntries(inputs), [INPUT]: name });
      }
      if (!known?.runId) remember(request.key, { atMs: known?.atMs ?? run.createdAtMs, runId: run.id });
      if (run.isOver) {
        if (run.conclusion === 'success') return { is: 'passed', detail: 'success', measures: [], url: run.url };
        return failed(`it ended with ${run.conclusion ?? 'no conclusion'}`, run.url);
      }
      const leftMs = request.deadlineMs - (now() - (known?.atMs ?? run.createdAtMs));
      if (leftMs <= 0) {
        // Nobody waits for it any more. When it cannot be ended, it still has failed.
        await workflows.cancel(place.repo, run.id).catch(() => {});
        return failed(`not done within ${formatDuration(request.deadlineMs)}`, run.url);
      }
      return { is: 'running', retryAfterMs: Math.min(LOOK_EVERY_MS, leftMs) };
    },

    async examine(request): Promise<Examined> {
      const options = schema.parse(request.options);
      const { repo } = placeOf(options, request);
      const state = await workflows.state(repo, options.workflow);
      if (state === 'active') return { ok: true, detail: `${options.workflow} of ${repo} is active` };
      const fix = 'correct workflow and repo, and give the app actions: write';
      if (state === null) return { ok: false, detail: `there is no ${options.workflow} in ${repo}`, fix };
      return { ok: false, detail: `${options.workflow} of ${repo} is ${state}`, fix: 'enable it on GitHub' };
    },
  };
}

type Place = { repo: string; workflow: string; ref: string };

function placeOf(options: Options, request: Pick<CheckRequest, 'repo' | 'branch'>): Place {
  return { repo: options.repo ?? request.repo, workflow: options.workflow, ref: options.ref ?? request.branch };
}

/** The same for the same try, also in the next process; and for nothing else. */
function nameOf(key: string): string {
  return `belay-${createHash('sha256').update(key).digest('hex').slice(0, 20)}`;
}

function failed(detail: string, url: string | null): CheckAnswer {
  return { is: 'failed', detail: lastOf(detail, 500), measures: [], url };
}
