import type { z } from 'zod';
import type { CheckResult } from '../core/event.ts';
import type { Json } from '../core/json.ts';
import type { Children } from './children.ts';

/** One try at one check. */
export type CheckRequest = {
  /** Names the try: the same key again asks after it and never starts a second one. */
  key: string;
  service: string;
  target: string;
  /** What runs on the target now. */
  digest: string;
  sha: string;
  /** The service's repository and the branch that it releases from. */
  repo: string;
  branch: string;
  /** As the service file gives them, already checked by the kind's `schema`. */
  options: Json;
  deadlineMs: number;
};

/**
 * `detail` may quote the outside: short, on one line, without control characters, not escaped. Measures are finite: what
 * could not be measured is said in the detail.
 */
export type CheckAnswer = CheckResult | { is: 'running'; retryAfterMs: number };

/**
 * What must pass before a step counts. Promises: one try for each key (what only reads may read again); answers instead of
 * sleeping; ends within the signal; passes only on evidence. Throws when the check could not even be asked, which says nothing about the release.
 */
export interface CheckRunner {
  run(request: CheckRequest, signal: AbortSignal): Promise<CheckAnswer>;
  /** Whether the check could be run, without running it: for `belay doctor`. */
  examine(request: Omit<CheckRequest, 'key' | 'digest' | 'sha'>, signal: AbortSignal): Promise<Examined>;
}

/** `fix`: what to do about it. */
export type Examined = { ok: true; detail: string } | { ok: false; detail: string; fix: string };

/** One kind of check: a line in the table of `index.ts`. */
export type CheckKind<Options = unknown> = {
  kind: string;
  title: string;
  /** What a service file says of a check of this kind, besides its name, deadline and retries. */
  schema: z.ZodType<Options>;
  /** How long a try takes at least, in milliseconds: a deadline before that could never be kept. */
  leastMs?(options: Options): number;
  create(context: CheckContext): CheckRunner;
};

/** What every kind is handed instead of reaching for it. */
export type CheckContext = {
  readText: ReadText;
  workflows: Workflows;
  now: () => number;
  /** Programs that run beside Belay and end with it. */
  children: Children;
  /** Where programs are looked for: PATH. */
  path: string;
  /** The folder of belay.yml, absolute: where relative paths begin. */
  folder: string;
};

/** One bounded GET without redirects. Never throws: nobody there, too late and no text are answers too. */
export type ReadText = (request: {
  url: string;
  timeoutMs: number;
  maxBytes: number;
  signal: AbortSignal;
}) => Promise<{ ok: true; status: number; text: string } | { ok: false; detail: string }>;

/** A run of a workflow as it stands. `conclusion` is GitHub's own word for how it ended. */
export type WorkflowRun = {
  id: number;
  url: string;
  isOver: boolean;
  conclusion: string | null;
  createdAtMs: number;
};

/** What is asked of GitHub Actions. Each throws when GitHub could not be asked. */
export type Workflows = {
  /** The run whose name has `name` in it, the oldest when there are several; null: none is listed, yet. */
  find(request: { repo: string; workflow: string; name: string }): Promise<WorkflowRun | null>;
  /** `refused`: asking again cannot help. `unknown`: there was no answer, so that it may have been dispatched. */
  dispatch(request: {
    repo: string;
    workflow: string;
    ref: string;
    inputs: Record<string, string>;
  }): Promise<
    { is: 'dispatched'; runId: number | null } | { is: 'refused'; detail: string } | { is: 'unknown'; detail: string }
  >;
  read(repo: string, runId: number): Promise<WorkflowRun | null>;
  cancel(repo: string, runId: number): Promise<void>;
  /** `active`, or GitHub's word for why it cannot be run; null: there is none. */
  state(repo: string, workflow: string): Promise<string | null>;
};
