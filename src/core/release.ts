/** What is deployed, named by digest: built once, the same through every stage. */
export type Artifact = { digest: string; sha: string };

/** Somebody who took part in a change, and so may not approve it. */
export type Participant = {
  part: 'opener' | 'merger' | 'pusher' | 'author' | 'co-author';
  /** GitHub's numeric id; null when GitHub could not match the commit's e-mail address to an account. */
  githubId: number | null;
  login: string;
  isBot: boolean;
};

/** One line of the reviewer's checklist as it stood in the pull request's body. `unanswered` is shown as that. */
export type ChecklistAnswer = { answer: 'yes' | 'no' | 'unanswered'; text: string };

/** The reviewer's checklist: tests included? metrics, logs, traces? can it break production? can it be rolled back? */
export type Checklist = {
  tests: ChecklistAnswer;
  telemetry: ChecklistAnswer;
  breaking: ChecklistAnswer;
  rollback: ChecklistAnswer;
};

export type PullRequest = {
  number: number;
  title: string;
  url: string;
  headRef: string;
  authorLogin: string;
  mergedByLogin: string | null;
};

/** What was found of the review when the release was read; a missing one costs one approval more. */
export type ReviewEvidence = {
  /** Logins of people other than the author whose latest review approves the merged head. Bots never count. */
  approvedBy: string[];
  checks: 'green' | 'red' | 'pending' | 'none';
};

/** A merged commit, immutable. */
export type Release = {
  id: string;
  service: string;
  pipeline: string;
  /** `owner/name` */
  repo: string;
  branch: string;
  /** The full 40 hexadecimal digits. */
  sha: string;
  title: string;
  url: string;
  committedAtMs: number;
  mergedAtMs: number;
  /** null: pushed directly. */
  pullRequest: PullRequest | null;
  participants: Participant[];
  review: ReviewEvidence;
  checklist: Checklist;
  isRollForwardOnly: boolean;
  /** Added plus deleted; null when GitHub did not say. */
  changedLines: number | null;
  diffUrl: string;
};

/** Merged after a look by somebody else, with its required checks green. */
export function isReviewed(release: Release): boolean {
  return (
    release.pullRequest !== null &&
    release.review.approvedBy.length > 0 &&
    (release.review.checks === 'green' || release.review.checks === 'none')
  );
}
