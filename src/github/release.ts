import type { Release } from '../core/release.ts';
import {
  type Account,
  activitiesShape,
  type Commit,
  commitShape,
  commitsShape,
  comparisonShape,
  listedPullsShape,
  type Pull,
  pullShape,
  type Review,
  reviewsShape,
} from './answers.ts';
import { parseChecklist } from './checklist.ts';
import { readChecks, summarize } from './checks.ts';
import { askAll, type GithubClient, SourceUnavailable, splitRepo } from './client.ts';
import { participantsOf } from './participants.ts';
import { approversOf } from './review.ts';

/** Whose releases are read. `newId` gives each its id. */
export type Lane = { repo: string; branch: string; service: string; pipeline: string; newId: () => string };

const MAX_TITLE = 256;

/** For so long a merge may be on the branch before GitHub knows its pull request as merged. */
const SETTLES_WITHIN_MS = 60_000;

/** One commit with everything that is known of it now. Does not check that it is on the branch. */
export async function readRelease(client: GithubClient, lane: Lane, sha: string): Promise<Release> {
  const { repo, branch, service, pipeline } = lane;
  const where = splitRepo(repo);
  const commit = await client.ask('GET /repos/{owner}/{repo}/commits/{ref}', { ...where, ref: sha }, commitShape);
  const pull = await pullOf(client, lane, commit);
  const commits = pull ? await commitsOfPull(client, repo, pull.number) : await commitsBehind(client, repo, commit);
  const pusher = pull ? null : await pusherOf(client, lane, sha);
  const participants = participantsOf(commit, pull, commits, pusher);
  const approvedBy = pull ? approversOf(await reviewsOf(client, repo, pull.number), pull.head.sha, participants) : [];
  // What was green when somebody pressed Merge; the merge commit's own checks have hardly begun.
  const checks = summarize(await readChecks(client, repo, pull?.head.sha ?? sha));
  const checklist = parseChecklist(pull ? pull.body : commit.commit.message);
  const mergedAtMs = pull?.merged_at ?? commit.commit.committer.date;
  const title = (pull?.title ?? firstLine(commit)).slice(0, MAX_TITLE);
  return {
    id: lane.newId(),
    service,
    pipeline,
    repo,
    branch,
    sha,
    title,
    url: pull?.html_url ?? commit.html_url,
    committedAtMs: committedAtMs([commit, ...commits], mergedAtMs),
    mergedAtMs,
    pullRequest: pull && {
      number: pull.number,
      title,
      url: pull.html_url,
      headRef: pull.head.ref.slice(0, MAX_TITLE),
      authorLogin: pull.user?.login ?? 'ghost',
      mergedByLogin: pull.merged_by?.login ?? null,
    },
    participants,
    review: { approvedBy, checks },
    checklist,
    isRollForwardOnly: checklist.rollback.answer === 'no',
    changedLines: pull ? pull.additions + pull.deletions : (commit.stats?.total ?? null),
    diffUrl: pull ? `${pull.html_url}/files` : commit.html_url,
  };
}

/**
 * The merged pull request whose merge made exactly this commit; null: it was pushed. GitHub knows that a moment after
 * the branch moved: until then this throws `SourceUnavailable`, lest a reviewed change be taken for a direct push.
 */
async function pullOf(client: GithubClient, lane: Lane, commit: Commit): Promise<Pull | null> {
  const listed = await client.ask(
    'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls',
    { ...splitRepo(lane.repo), commit_sha: commit.sha, per_page: 100 },
    listedPullsShape,
  );
  // The message only says where to look; what is found there is read from the API.
  const [, named] = /\(#(\d{1,9})\)$|^Merge pull request #(\d{1,9}) /.exec(firstLine(commit)) ?? [];
  const numbers = new Set(listed.map((pull) => pull.number));
  if (named !== undefined) numbers.add(Number(named));
  for (const number of numbers) {
    const pull = await readPull(client, lane.repo, number);
    if (!pull || pull.base.ref !== lane.branch) continue;
    if (pull.merged && pull.merge_commit_sha === commit.sha) return pull;
    const ageMs = Math.abs(client.now() - commit.commit.committer.date);
    if (pull.state === 'open' && ageMs < SETTLES_WITHIN_MS) {
      throw new SourceUnavailable(`GitHub is still recording the merge of #${number}`, null, 5000);
    }
  }
  return null;
}

/** One pull request; null: there is none of this number. */
export async function readPull(client: GithubClient, repo: string, number: number): Promise<Pull | null> {
  const where = { ...splitRepo(repo), pull_number: number };
  return client.find('GET /repos/{owner}/{repo}/pulls/{pull_number}', where, pullShape);
}

function commitsOfPull(client: GithubClient, repo: string, number: number): Promise<Commit[]> {
  const where = { ...splitRepo(repo), pull_number: number };
  return askAll(client, 'GET /repos/{owner}/{repo}/pulls/{pull_number}/commits', where, commitsShape, 250);
}

/** What a merge that was made elsewhere and pushed brought along. */
async function commitsBehind(client: GithubClient, repo: string, commit: Commit): Promise<Commit[]> {
  if (commit.parents.length < 2) return [];
  const where = { ...splitRepo(repo), basehead: `${commit.parents[0]?.sha}...${commit.sha}` };
  return (await client.ask('GET /repos/{owner}/{repo}/compare/{basehead}', where, comparisonShape)).commits;
}

function reviewsOf(client: GithubClient, repo: string, number: number): Promise<Review[]> {
  const where = { ...splitRepo(repo), pull_number: number };
  return askAll(client, 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', where, reviewsShape, 1000);
}

/** Who moved the branch to this commit: anybody can write any name into a commit. null: GitHub does not say. */
async function pusherOf(client: GithubClient, lane: Lane, sha: string): Promise<Account | null> {
  const where = { ...splitRepo(lane.repo), ref: `refs/heads/${lane.branch}`, per_page: 100 };
  const activities = await client.find('GET /repos/{owner}/{repo}/activity', where, activitiesShape);
  return activities?.find((activity) => activity.after === sha)?.actor ?? null;
}

function firstLine(commit: Commit): string {
  return commit.commit.message.split('\n', 1)[0]?.trim().slice(0, 1000) ?? '';
}

/** When the oldest commit of the change was written; its date is whatever its author's clock said. */
function committedAtMs(commits: Commit[], mergedAtMs: number): number {
  return Math.min(mergedAtMs, ...commits.map((commit) => commit.commit.author.date));
}
