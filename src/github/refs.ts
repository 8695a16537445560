import { nearest } from '../core/nearest.ts';
import type { Release } from '../core/release.ts';
import { branchNamesShape, gitRefShape } from './answers.ts';
import { type GithubClient, SourceUnavailable, splitRepo } from './client.ts';
import { isOnBranch, readHead } from './facts.ts';
import { type Lane, readPull, readRelease } from './release.ts';

/** Why a name is not a commit that may ship. */
export type RefProblem =
  | { code: 'unknown-ref'; found: string; nearest: string | null }
  | { code: 'ambiguous-ref'; found: string }
  | { code: 'not-on-default-branch'; found: string }
  | { code: 'source-unreachable'; detail: string };

/**
 * A branch, a tag, a full sha or `#pr` (null: the branch's head) → the release, with facts read now. Only a commit that
 * is part of the lane's branch is one. Never throws for what GitHub does.
 */
export async function resolveRef(
  client: GithubClient,
  request: Lane & { ref: string | null },
): Promise<Release | RefProblem> {
  const { repo, branch, ref } = request;
  try {
    const found = ref === null ? await readHead(client, repo, branch) : await shaOf(client, repo, branch, ref.trim());
    if (typeof found !== 'string') return found;
    if (!(await isOnBranch(client, repo, branch, found))) {
      return { code: 'not-on-default-branch', found: ref ?? found };
    }
    return await readRelease(client, request, found);
  } catch (error) {
    if (error instanceof SourceUnavailable) return { code: 'source-unreachable', detail: error.message };
    throw error;
  }
}

export function isRefProblem(value: Release | RefProblem): value is RefProblem {
  return 'code' in value;
}

async function shaOf(client: GithubClient, repo: string, branch: string, ref: string): Promise<string | RefProblem> {
  const shown = ref.slice(0, 100);
  const [, number] = /^#(\d{1,9})$/.exec(ref) ?? [];
  if (number !== undefined) return mergeOf(client, repo, branch, Number(number));
  if (/^[0-9a-f]{40}$/i.test(ref)) {
    return /^0+$/.test(ref) ? { code: 'unknown-ref', found: shown, nearest: null } : ref.toLowerCase();
  }
  // Seven digits are enough today and two commits tomorrow; a tag can also be made to look like one.
  if (/^[0-9a-f]{7,39}$/i.test(ref)) return { code: 'ambiguous-ref', found: shown };
  // Anybody who can open a pull request can write there.
  if (/^(refs\/)?pull\//.test(ref)) return { code: 'not-on-default-branch', found: shown };
  const name = ref.replace(/^refs\/(heads|tags)\//, '');
  if (!isRefName(name)) return { code: 'unknown-ref', found: shown, nearest: null };
  const asBranch = ref.startsWith('refs/tags/') ? null : await readRef(client, repo, `heads/${name}`);
  const asTag = ref.startsWith('refs/heads/') ? null : await readRef(client, repo, `tags/${name}`);
  if (asBranch !== null && asTag !== null && asBranch !== asTag) return { code: 'ambiguous-ref', found: shown };
  return asBranch ?? asTag ?? { code: 'unknown-ref', found: shown, nearest: await nearestBranch(client, repo, name) };
}

async function mergeOf(
  client: GithubClient,
  repo: string,
  branch: string,
  number: number,
): Promise<string | RefProblem> {
  const pull = await readPull(client, repo, number);
  if (!pull) return { code: 'unknown-ref', found: `#${number}`, nearest: null };
  // Before it is merged, merge_commit_sha is a trial that is on no branch.
  const isMergedHere = pull.merged && pull.base.ref === branch;
  return isMergedHere && pull.merge_commit_sha !== null
    ? pull.merge_commit_sha
    : { code: 'not-on-default-branch', found: `#${number}` };
}

/** What was probably meant, among the first hundred branches: a help for a typing mistake, not a search. */
async function nearestBranch(client: GithubClient, repo: string, name: string): Promise<string | null> {
  const where = { ...splitRepo(repo), per_page: 100 };
  const branches = await client.find('GET /repos/{owner}/{repo}/branches', where, branchNamesShape);
  return nearest(
    name,
    (branches ?? []).map((one) => one.name),
  );
}

/** What git accepts as the name of a branch or tag, and no longer than GitHub does. */
function isRefName(name: string): boolean {
  if (name === '' || name.length > 255 || name.startsWith('refs/')) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that git refuses
  if (/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\.lock$|\.$|\/$|^[/.-]|\/\./.test(name)) return false;
  return name !== '@' && name !== 'HEAD';
}

async function readRef(client: GithubClient, repo: string, ref: string): Promise<string | null> {
  const where = splitRepo(repo);
  const found = await client.find('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...where, ref }, gitRefShape);
  if (found === null || found.object.type === 'commit') return found?.object.sha ?? null;
  if (found.object.type !== 'tag') return null;
  // An annotated tag is an object of its own that points to the commit.
  const tag = await client.find(
    'GET /repos/{owner}/{repo}/git/tags/{tag_sha}',
    { ...where, tag_sha: found.object.sha },
    gitRefShape,
  );
  return tag?.object.type === 'commit' ? tag.object.sha : null;
}
