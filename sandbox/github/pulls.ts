import { GITHUB_IDS, type Login } from './people.ts';

export type ReviewState = 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED';

export type Review = { id: number; by: Login | 'dependabot[bot]'; state: ReviewState; sha: string; isInsider: boolean };

export type SandboxPull = {
  number: number;
  title: string;
  body: string;
  author: Login;
  branch: string;
  baseSha: string;
  headSha: string;
  files: Record<string, string>;
  additions: number;
  deletions: number;
  reviews: Review[];
  createdAt: string;
  merged: { sha: string; by: Login; at: string } | null;
};

const BOT = { login: 'dependabot[bot]', id: 49699333, type: 'Bot' };

export function accountOf(login: Login | 'dependabot[bot]'): { login: string; id: number; type: string } {
  return login === 'dependabot[bot]' ? BOT : { login, id: GITHUB_IDS[login], type: 'User' };
}

/** A pull request as the API and the webhooks show it. */
export function showPull(pull: SandboxPull, url: string, repo: string): Record<string, unknown> {
  const here = { full_name: repo };
  return {
    number: pull.number,
    title: pull.title,
    body: pull.body,
    state: pull.merged ? 'closed' : 'open',
    html_url: `${url}/${repo}/pull/${pull.number}`,
    user: accountOf(pull.author),
    merged: pull.merged !== null,
    merged_at: pull.merged?.at ?? null,
    merged_by: pull.merged && accountOf(pull.merged.by),
    merge_commit_sha: pull.merged?.sha ?? null,
    created_at: pull.createdAt,
    additions: pull.additions,
    deletions: pull.deletions,
    changed_files: Object.keys(pull.files).length,
    draft: false,
    head: { ref: pull.branch, sha: pull.headSha, repo: here },
    base: { ref: 'main', sha: pull.baseSha, repo: here },
  };
}

export function showReview(review: Review): Record<string, unknown> {
  return {
    id: review.id,
    user: accountOf(review.by),
    state: review.state,
    commit_id: review.sha,
    author_association: review.isInsider ? 'MEMBER' : 'NONE',
  };
}
