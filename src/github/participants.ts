import type { Participant } from '../core/release.ts';
import type { Account, Commit, Pull } from './answers.ts';

/** The account with which GitHub itself commits on behalf of whoever pressed the button. */
const WEB_FLOW = 19864447;

const MAX_CO_AUTHORS = 100;

/**
 * Everybody who took part in a change: who opened and merged the pull request, or pushed; who wrote the commits, alone
 * or with others. What a commit says of its authors is unproved, so it may only add people who cannot approve.
 */
export function participantsOf(
  commit: Commit,
  pull: Pull | null,
  commits: Commit[],
  pusher: Account | null,
): Participant[] {
  const all: Participant[] = [];
  const add = (part: Participant['part'], account: Account | null, name: string | null) => {
    if (account) all.push({ part, githubId: account.id, login: account.login, isBot: account.type !== 'User' });
    else if (name !== null) all.push({ part, githubId: null, login: name.slice(0, 100), isBot: false });
  };
  if (pull) {
    add('opener', pull.user, null);
    add('merger', pull.merged_by, null);
  } else {
    add('pusher', pusher, null);
    if (commit.committer?.id !== WEB_FLOW) add('pusher', commit.committer, commit.commit.committer.name);
  }
  for (const one of [commit, ...commits]) {
    // The author of a merge commit is who merged: that part is known already.
    if (one.parents.length < 2 || !pull) add('author', one.author, one.commit.author.name);
    all.push(...coAuthorsOf(one.commit.message));
  }
  const key = (one: Participant) => `${one.part} ${one.githubId ?? one.login}`;
  return [...new Map(all.map((one) => [key(one), one])).values()];
}

/** The `Co-authored-by` trailers; the numeric id is known when the address is GitHub's own `id+login@…`. */
export function coAuthorsOf(message: string): Participant[] {
  const found: Participant[] = [];
  for (const raw of message.slice(0, 65_536).split('\n')) {
    const line = raw.slice(0, 400).trim();
    if (!/^co-authored-by:/i.test(line) || found.length >= MAX_CO_AUTHORS) continue;
    const [, name = '', address = ''] = /^([^<]*)<([^<>\s]+)>$/.exec(line.slice('co-authored-by:'.length).trim()) ?? [];
    const [, id, login] = /^(\d{1,15})\+([A-Za-z0-9[\]-]{1,80})@users\.noreply\.github\.com$/i.exec(address) ?? [];
    const shown = login ?? (name.trim() || address);
    if (shown === '') continue;
    found.push({
      part: 'co-author',
      githubId: id === undefined ? null : Number(id),
      login: shown.slice(0, 100),
      isBot: shown.endsWith('[bot]'),
    });
  }
  return found;
}
