import type { Ask } from './emulator.ts';
import { emailOf, FULL_NAMES, type Login, WEB_FLOW } from './people.ts';

export type Files = Record<string, string>;

/** The few git operations that the sandbox's people need, made with the emulator's git data API. */
export type Git = {
  head(branch: string): Promise<string>;
  commit(request: {
    parents: string[];
    files: Files;
    message: string;
    author: Login;
    isWebFlow?: boolean;
  }): Promise<string>;
  /** Creates a branch or tag, such as `heads/x` or `tags/v1`. */
  create(ref: string, sha: string, by: Login): Promise<void>;
  move(ref: string, sha: string, by: Login, force?: boolean): Promise<void>;
  diff(base: string, head: string): Promise<{ additions: number; deletions: number; commits: unknown[] }>;
};

/** `pushed` is told of every branch that moved. */
export function gitOf(
  ask: Ask,
  repo: string,
  now: () => number,
  pushed: (ref: string, before: string, after: string, by: Login) => void,
): Git {
  const at = `/repos/${repo}`;
  return {
    async head(branch) {
      const answer = (await ask('GET', `${at}/branches/${branch}`, null, 'ana')) as { commit: { sha: string } };
      return answer.commit.sha;
    },
    async commit({ parents, files, message, author, isWebFlow }) {
      const parent = (await ask('GET', `${at}/git/commits/${parents[0]}`, null, 'ana')) as { tree: { sha: string } };
      const entries = Object.entries(files).map(([path, content]) => ({ path, mode: '100644', type: 'blob', content }));
      const tree = await ask('POST', `${at}/git/trees`, { base_tree: parent.tree.sha, tree: entries }, author);
      const date = new Date(now()).toISOString();
      const person = { name: FULL_NAMES[author], email: emailOf(author), date };
      const committer = isWebFlow ? { name: 'GitHub', email: WEB_FLOW.email, date } : person;
      const body = { message, tree: tree.sha, parents, author: person, committer };
      return (await ask('POST', `${at}/git/commits`, body, author)).sha as string;
    },
    async create(ref, sha, by) {
      await ask('POST', `${at}/git/refs`, { ref: `refs/${ref}`, sha }, by);
      pushed(`refs/${ref}`, '0'.repeat(40), sha, by);
    },
    async move(ref, sha, by, force = false) {
      const before = (await ask('GET', `${at}/git/ref/${ref}`, null, by)) as { object: { sha: string } };
      await ask('PATCH', `${at}/git/refs/${ref}`, { sha, force }, by);
      pushed(`refs/${ref}`, before.object.sha, sha, by);
    },
    async diff(base, head) {
      const { files, commits } = (await ask('GET', `${at}/compare/${base}...${head}`, null, 'ana')) as {
        files: { additions: number; deletions: number }[];
        commits: unknown[];
      };
      const sum = (key: 'additions' | 'deletions') => files.reduce((total, file) => total + file[key], 0);
      return { additions: sum('additions'), deletions: sum('deletions'), commits };
    },
  };
}
