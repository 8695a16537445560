import type { Ancestry } from '../core/event.ts';
import type { Release } from '../core/release.ts';
import {
  ancestryShape,
  branchShape,
  type Commit,
  commitShape,
  commitsShape,
  comparisonShape,
  listedPullsShape,
  type Pull,
  pullShape,
  reviewsShape,
} from './answers.ts';
import { parseChecklist } from './checklist.ts';
import { readChecks, summarize } from './checks.ts';
import { askAll, type GithubClient, SourceUnavailable, splitRepo } from './client.ts';
import { participantsOf } from './participants.ts';
import { approversOf } from './review.ts';

/** Whose releases are read. `newId` gives each its id. */
export type Lane = { repo: string; branch: string; service: string; pipeline: string; newId: () => string };

export type Changes = {
  /** The newest commit that `releases` covers: what to hand in as `sinceSha` next time. */
  headSha: string;
  /** One for each commit merged since, oldest first. */
  releases: Release[];
  /** There is more than fits in one reading: read again. */
  hasMore: boolean;
};

/** Why the changes since a commit cannot be told; reading with `sinceSha` null begins afresh at the head. */
export type ChangesProblem =
  | { code: 'history-rewritten'; sinceSha: string; headSha: string }
  | { code: 'too-far-behind'; sinceSha: string; headSha: string; commits: number };

const MAX_RELEASES = 50;
const MAX_COMMITS = 3000;
const MAX_TITLE = 256;

/**
 * The commits merged into the branch since `sinceSha` (null: only the head), each as a release. Reads nothing but the
 * API, so it gives the same whatever webhooks came, and whenever. Throws `SourceUnavailable`.
 */
export async function readChanges(
  client: GithubClient,
  request: Lane & { sinceSha: string | null },
): Promise<Changes | ChangesProblem> {
  const { sinceSha } = request;
  const headSha = await readHead(client, request.repo, request.branch);
  if (sinceSha === headSha) return { headSha, releases: [], hasMore: false };
  if (sinceSha === null) {
    return { headSha, releases: [await readRelease(client, request, headSha)], hasMore: false };
  }
  const since = await commitsSince(client, request.repo, sinceSha, headSha);
  if ('code' in since) return since;
  if (since.length === 0) return { headSha: sinceSha, releases: [], hasMore: false };
  const shas = firstParents(since, headSha);
  const now = shas.slice(0, MAX_RELEASES);
  const releases: Release[] = [];
  for (const sha of now) releases.push(await readRelease(client, request, sha));
  return { headSha: now.at(-1) ?? headSha, releases, hasMore: shas.length > now.length };
}

export function isChangesProblem(value: Changes | ChangesProblem): value is ChangesProblem {
  return 'code' in value;
}

/** The full sha of a branch's head. */
export async function readHead(client: GithubClient, repo: string, branch: string): Promise<string> {
  const where = { ...splitRepo(repo), branch };
  return (await client.ask('GET /repos/{owner}/{repo}/branches/{branch}', where, branchShape)).commit.sha;
}

/** How `head` relates to `base`; throws `SourceUnavailable` when GitHub knows either not. */
export async function compare(client: GithubClient, repo: string, base: string, head: string): Promise<Ancestry> {
  const where = { ...splitRepo(repo), basehead: `${base}...${head}`, per_page: 1 };
  return (await client.ask('GET /repos/{owner}/{repo}/compare/{basehead}', where, ancestryShape)).status;
}

/**
 * Whether a commit is part of the branch. A commit that was only pushed to a fork can be read through the parent
 * repository, so that it can be read proves nothing; compare does.
 */
export async function isOnBranch(client: GithubClient, repo: string, branch: string, sha: string): Promise<boolean> {
  const where = { ...splitRepo(repo), basehead: `${await readHead(client, repo, branch)}...${sha}`, per_page: 1 };
  const found = await client.find('GET /repos/{owner}/{repo}/compare/{basehead}', where, ancestryShape);
  return found !== null && (found.status === 'behind' || found.status === 'identical');
}

/** One commit with everything that is known of it now. Does not check that it is on the branch. */
export async function readRelease(client: GithubClient, lane: Lane, sha: string): Promise<Release> {
  const { repo, branch, service, pipeline } = lane;
  const where = splitRepo(repo);
  const commit = await client.ask('GET /repos/{owner}/{repo}/commits/{ref}', { ...where, ref: sha }, commitShape);
  const pull = await pullOf(client, lane, sha);
  const commits = pull
    ? await askAll(
        client,
        'GET /repos/{owner}/{repo}/pulls/{pull_number}/commits',
        { ...where, pull_number: pull.number },
        commitsShape,
        250,
      )
    : [];
  const participants = participantsOf(commit, pull, commits);
  const reviews = pull
    ? await askAll(
        client,
        'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
        { ...where, pull_number: pull.number },
        reviewsShape,
        1000,
      )
    : [];
  // What was green when somebody pressed Merge; the merge commit's own checks have hardly begun.
  const checks = summarize(await readChecks(client, repo, pull?.head.sha ?? sha));
  const checklist = parseChecklist(pull ? pull.body : commit.commit.message);
  const mergedAtMs = pull?.merged_at ?? commit.commit.committer.date;
  const title = (pull?.title ?? commit.commit.message.split('\n', 1)[0] ?? '').slice(0, MAX_TITLE);
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
    review: { approvedBy: pull ? approversOf(reviews, pull.head.sha, participants) : [], checks },
    checklist,
    isRollForwardOnly: checklist.rollback.answer === 'no',
    changedLines: pull ? pull.additions + pull.deletions : (commit.stats?.total ?? null),
    diffUrl: pull ? `${pull.html_url}/files` : commit.html_url,
  };
}

/** The merged pull request whose merge made exactly this commit; null: it was pushed. */
async function pullOf(client: GithubClient, lane: Lane, sha: string): Promise<Pull | null> {
  const where = splitRepo(lane.repo);
  const listed = await client.ask(
    'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls',
    { ...where, commit_sha: sha, per_page: 100 },
    listedPullsShape,
  );
  const made = listed.find(
    (pull) =>
      pull.merged_at !== null &&
      pull.merge_commit_sha === sha &&
      pull.base.ref === lane.branch &&
      pull.base.repo.full_name.toLowerCase() === lane.repo.toLowerCase(),
  );
  return made ? readPull(client, lane.repo, made.number) : null;
}

export async function readPull(client: GithubClient, repo: string, number: number): Promise<Pull | null> {
  const where = { ...splitRepo(repo), pull_number: number };
  return client.find('GET /repos/{owner}/{repo}/pulls/{pull_number}', where, pullShape);
}

async function commitsSince(
  client: GithubClient,
  repo: string,
  sinceSha: string,
  headSha: string,
): Promise<Commit[] | ChangesProblem> {
  const commits: Commit[] = [];
  for (let page = 1; ; page += 1) {
    const where = { ...splitRepo(repo), basehead: `${sinceSha}...${headSha}`, per_page: 100, page };
    const part = await client.find('GET /repos/{owner}/{repo}/compare/{basehead}', where, comparisonShape);
    // The head was just read, so what GitHub does not know any more is the commit from before.
    if (part === null || part.status === 'diverged') return { code: 'history-rewritten', sinceSha, headSha };
    // A look at a replica that lags, or a branch that was set back: there is nothing new.
    if (part.status !== 'ahead') return [];
    if (part.total_commits > MAX_COMMITS) {
      return { code: 'too-far-behind', sinceSha, headSha, commits: part.total_commits };
    }
    commits.push(...part.commits);
    if (commits.length >= part.total_commits) return commits;
    if (part.commits.length === 0) throw new SourceUnavailable('GitHub left out commits of a comparison');
  }
}

/** From the head back along first parents while they are new; oldest first. */
function firstParents(commits: Commit[], headSha: string): string[] {
  const bySha = new Map(commits.map((commit) => [commit.sha, commit]));
  const shas: string[] = [];
  for (let at = bySha.get(headSha); at; at = bySha.get(at.parents[0]?.sha ?? '')) shas.unshift(at.sha);
  return shas;
}

/** When the oldest commit of the change was written; its date is whatever its author's clock said. */
function committedAtMs(commits: Commit[], mergedAtMs: number): number {
  return Math.min(mergedAtMs, ...commits.map((commit) => commit.commit.author.date));
}
