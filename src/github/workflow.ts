import { z } from 'zod';
import {
  dispatchShape,
  type WorkflowRunAnswer,
  workflowRunShape,
  workflowRunsShape,
  workflowShape,
} from './answers.ts';
import { type GithubClient, SourceUnavailable, splitRepo } from './client.ts';

export type WorkflowRun = {
  id: number;
  url: string;
  isOver: boolean;
  /** GitHub's own word for how it ended. */
  conclusion: string | null;
  createdAtMs: number;
};

export type Dispatched =
  | { is: 'dispatched'; runId: number | null }
  /** Asking again cannot help. */
  | { is: 'refused'; detail: string }
  /** No answer: it may have been dispatched. */
  | { is: 'unknown'; detail: string };

/** As many as are listed at once; a try is looked for within minutes. */
const PAGE = 100;

/** The oldest dispatched run of a workflow whose name has `name` in it; null: none is listed, yet. Throws `SourceUnavailable`. */
export async function findRun(
  client: GithubClient,
  request: { repo: string; workflow: string; name: string },
): Promise<WorkflowRun | null> {
  // Without the workflow there are none: whoever wants to start one is told so then.
  const listed = await client.find(
    'GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs',
    { ...splitRepo(request.repo), workflow_id: request.workflow, event: 'workflow_dispatch', per_page: PAGE },
    workflowRunsShape,
  );
  const runs = listed?.workflow_runs ?? [];
  const found = runs.filter((run) => run.display_title.includes(request.name)).sort((a, b) => a.id - b.id)[0];
  return found ? runOf(found) : null;
}

/** One run by its id; null: there is none. Throws `SourceUnavailable`. */
export async function readRun(client: GithubClient, repo: string, runId: number): Promise<WorkflowRun | null> {
  const where = { ...splitRepo(repo), run_id: runId };
  const found = await client.find('GET /repos/{owner}/{repo}/actions/runs/{run_id}', where, workflowRunShape);
  return found && runOf(found);
}

/** Starts a run. Needs the permission `actions: write`. Throws `SourceUnavailable` when it certainly was not started. */
export async function dispatchWorkflow(
  client: GithubClient,
  request: { repo: string; workflow: string; ref: string; inputs: Record<string, string> },
): Promise<Dispatched> {
  const { repo, workflow, ref, inputs } = request;
  try {
    const { workflow_run_id: runId } = await client.ask(
      'POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches',
      { ...splitRepo(repo), workflow_id: workflow, ref, inputs, return_run_details: true },
      dispatchShape,
    );
    return { is: 'dispatched', runId };
  } catch (error) {
    if (!(error instanceof SourceUnavailable)) throw error;
    const { status, message, retryAfterMs } = error;
    if (status === null || status >= 500) return { is: 'unknown', detail: message };
    // A limit passes. No such workflow or ref, an input that it does not have, a missing permission do not.
    if ([403, 404, 422].includes(status) && retryAfterMs === null) return { is: 'refused', detail: message };
    throw error;
  }
}

/** Asks GitHub to end a run. Throws `SourceUnavailable`, also when it has ended already. */
export async function cancelRun(client: GithubClient, repo: string, runId: number): Promise<void> {
  const where = { ...splitRepo(repo), run_id: runId };
  await client.ask('POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel', where, z.unknown());
}

/** `active`, or GitHub's word for why it does not run; null: there is no such workflow. Throws `SourceUnavailable`. */
export async function workflowState(client: GithubClient, repo: string, workflow: string): Promise<string | null> {
  const where = { ...splitRepo(repo), workflow_id: workflow };
  const route = 'GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}';
  return (await client.find(route, where, workflowShape))?.state ?? null;
}

function runOf(run: WorkflowRunAnswer): WorkflowRun {
  const { id, html_url: url, status, conclusion, created_at: createdAtMs } = run;
  return { id, url, isOver: status === 'completed', conclusion, createdAtMs };
}
