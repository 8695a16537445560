import type { Participant } from '../core/release.ts';
import type { Review } from './answers.ts';

/** Who may be believed: on a public repository everybody else can press Approve too. */
const INSIDERS: ReadonlySet<string> = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

/**
 * Logins of the people whose newest review approves the merged head. Neither who opened the pull request nor who wrote
 * any of it counts, nor a bot, nor somebody from outside. A comment leaves an earlier review as it was.
 */
export function approversOf(reviews: Review[], headSha: string, participants: Participant[]): string[] {
  const wrote = new Set(
    participants.filter((one) => one.part !== 'merger' && one.githubId !== null).map((one) => one.githubId),
  );
  const newest = new Map<number, Review>();
  for (const review of reviews.toSorted((a, b) => a.id - b.id)) {
    if (!review.user || review.state === 'COMMENTED' || review.state === 'PENDING') continue;
    newest.set(review.user.id, review);
  }
  const logins: string[] = [];
  for (const { user, state, commit_id: at, author_association: from } of newest.values()) {
    const counts = state === 'APPROVED' && at === headSha && user?.type === 'User' && INSIDERS.has(from);
    if (counts && !wrote.has(user.id)) logins.push(user.login);
  }
  return logins;
}
