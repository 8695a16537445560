import type { Ancestry } from '../core/event.ts';
import type { Release } from '../core/release.ts';
import { ancestryShape, branchShape, type Commit, comparisonShape, repositoryShape } from './answers.ts';
import { type GithubClient, SourceUnavailable, splitRepo } from './client.ts';
import { type Lane, readRelease } from './release.ts';

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
  // A replica of GitHub's that lags, or a branch that was set back: there is nothing new.
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

/** The repository's lasting id, which a webhook is compared with: a name can change hands. */
export async function readRepositoryId(client: GithubClient, repo: string): Promise<number> {
  return (await client.ask('GET /repos/{owner}/{repo}', splitRepo(repo), repositoryShape)).id;
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
