import { z } from 'zod';

/** What Belay uses of GitHub's answers, and no more: every other member is dropped. */

const time = z.string().transform((text, context) => {
  const ms = Date.parse(text);
  if (Number.isFinite(ms)) return ms;
  context.addIssue({ code: 'custom', message: `not a time: ${text.slice(0, 40)}` });
  return z.NEVER;
});

export const shaShape = z.string().regex(/^[0-9a-f]{40}$/);
const link = z.string().regex(/^https?:\/\/[^\s<>|]{1,2000}$/);

const account = z.object({ id: z.number().int(), login: z.string().min(1).max(100), type: z.string() });
export type Account = z.infer<typeof account>;

export const repositoryShape = z.object({ id: z.number().int() });

export const branchShape = z.object({ commit: z.object({ sha: shaShape }) });

export const commitShape = z.object({
  sha: shaShape,
  html_url: link,
  commit: z.object({
    message: z.string(),
    author: z.object({ name: z.string(), date: time }),
    committer: z.object({ name: z.string(), date: time }),
  }),
  // An account that GitHub could not match is null, and sometimes an empty object.
  author: account.nullable().catch(null),
  committer: account.nullable().catch(null),
  parents: z.array(z.object({ sha: shaShape })),
  stats: z.object({ total: z.number().int() }).optional(),
});
export type Commit = z.infer<typeof commitShape>;

export const commitsShape = z.array(commitShape);

export const comparisonShape = z.object({
  status: z.enum(['ahead', 'identical', 'behind', 'diverged']),
  total_commits: z.number().int(),
  commits: commitsShape,
});

export const ancestryShape = comparisonShape.pick({ status: true });

export const listedPullsShape = z.array(z.object({ number: z.number().int() }));

export const pullShape = z.object({
  number: z.number().int(),
  title: z.string(),
  body: z.string().nullable(),
  html_url: link,
  state: z.string(),
  user: account.nullable(),
  merged: z.boolean(),
  merged_at: time.nullable(),
  merged_by: account.nullable(),
  merge_commit_sha: shaShape.nullable(),
  additions: z.number().int(),
  deletions: z.number().int(),
  head: z.object({ ref: z.string(), sha: shaShape }),
  base: z.object({ ref: z.string() }),
});
export type Pull = z.infer<typeof pullShape>;

export const reviewsShape = z.array(
  z.object({
    id: z.number().int(),
    user: account.nullable(),
    state: z.string(),
    commit_id: z.string().nullable(),
    author_association: z.string(),
  }),
);
export type Review = z.infer<typeof reviewsShape>[number];

export const activitiesShape = z.array(z.object({ after: z.string(), actor: account.nullable() }));

export const checkRunsShape = z.object({
  check_runs: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      conclusion: z.string().nullable(),
      html_url: link.nullable(),
      output: z.object({ title: z.string().nullable() }),
    }),
  ),
});

export const combinedStatusShape = z.object({
  statuses: z.array(z.object({ context: z.string(), state: z.string(), target_url: z.string().nullable() })),
});

export const gitRefShape = z.object({ object: z.object({ type: z.string(), sha: shaShape }) });

export const branchNamesShape = z.array(z.object({ name: z.string() }));

const workflowRun = z.object({
  id: z.number().int().positive(),
  html_url: link,
  display_title: z.string(),
  status: z.string().nullable(),
  conclusion: z.string().nullable(),
  created_at: time,
});
export type WorkflowRunAnswer = z.infer<typeof workflowRun>;

export const workflowRunShape = workflowRun;

export const workflowRunsShape = z.object({ workflow_runs: z.array(workflowRun) });

export const workflowShape = z.object({ state: z.string() });

/** Which run it was, where GitHub says so (`return_run_details`); otherwise nothing at all. */
export const dispatchShape = z.object({ workflow_run_id: z.number().int().positive() }).or(
  z
    .literal('')
    .or(z.undefined())
    .transform(() => ({ workflow_run_id: null })),
);
