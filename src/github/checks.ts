import type { ReviewEvidence } from '../core/release.ts';
import { checkRunsShape, combinedStatusShape } from './answers.ts';
import { type GithubClient, splitRepo } from './client.ts';

/** A check run or a commit status, which differ only in how they are written. */
export type Check = {
  name: string;
  is: 'running' | 'passed' | 'passed-over' | 'failed';
  /** GitHub's own word for how it ended. */
  ended: string | null;
  url: string | null;
  title: string | null;
};

const MAX_PAGES = 10;

/** Every check run (the newest of each name and app) and status of a commit. */
export async function readChecks(client: GithubClient, repo: string, sha: string): Promise<Check[]> {
  const checks = await readCheckRuns(client, repo, sha, { filter: 'latest' });
  const where = { ...splitRepo(repo), ref: sha, per_page: 100 };
  const combined = await client.ask('GET /repos/{owner}/{repo}/commits/{ref}/status', where, combinedStatusShape);
  for (const status of combined.statuses) {
    const is = status.state === 'success' ? 'passed' : status.state === 'pending' ? 'running' : 'failed';
    checks.push({ name: status.context, is, ended: status.state, url: status.target_url, title: null });
  }
  return checks;
}

/** Check runs of a commit, by `filter` latest or all, and by name. */
export async function readCheckRuns(
  client: GithubClient,
  repo: string,
  sha: string,
  which: { filter: 'latest' | 'all'; check_name?: string },
): Promise<Check[]> {
  const checks: Check[] = [];
  const where = { ...splitRepo(repo), ref: sha, per_page: 100 };
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const { check_runs: runs } = await client.ask(
      'GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
      { ...where, ...which, page },
      checkRunsShape,
    );
    for (const run of runs) {
      const is = run.status === 'completed' ? ofConclusion(run.conclusion) : 'running';
      checks.push({ name: run.name, is, ended: run.conclusion, url: run.html_url, title: run.output.title });
    }
    if (runs.length < 100) break;
  }
  return checks;
}

function ofConclusion(conclusion: string | null): Check['is'] {
  if (conclusion === 'success') return 'passed';
  return conclusion === 'neutral' || conclusion === 'skipped' ? 'passed-over' : 'failed';
}

/** One word for all of them; those that were skipped say nothing. */
export function summarize(checks: Check[]): ReviewEvidence['checks'] {
  if (checks.some((check) => check.is === 'failed')) return 'red';
  if (checks.some((check) => check.is === 'running')) return 'pending';
  return checks.some((check) => check.is === 'passed') ? 'green' : 'none';
}
