/**
 * Who acts. Ids decide; names and e-mail addresses are only shown. A Slack id is unique within its enterprise or
 * workspace, so both parts belong to the key.
 */
export type Principal =
  | { kind: 'slack'; teamId: string; userId: string }
  | { kind: 'github'; id: number; login: string }
  /** A person with a shell on Belay's own host. */
  | { kind: 'host'; user: string }
  /** Belay itself: an automatic rule, a schedule, a merge. */
  | { kind: 'belay' };

/** One text for each principal: what unique keys and comparisons use. */
export function principalKey(principal: Principal): string {
  switch (principal.kind) {
    case 'slack':
      return `slack:${principal.teamId}/${principal.userId}`;
    case 'github':
      return `github:${principal.id}`;
    case 'host':
      return `host:${principal.user}`;
    case 'belay':
      return 'belay';
  }
}

export type Role = 'viewer' | 'deployer' | 'approver' | 'on-call' | 'admin';

/** What the workspace says of an account at this moment; everything but `member` is refused. */
export type Standing = 'member' | 'guest' | 'external' | 'bot' | 'deactivated' | 'unknown';

/**
 * A principal with the facts that `authorize` needs, read at the door and carried by the event, so that the decision
 * is made inside the transaction and can be repeated from the audit.
 */
export type Actor = {
  principal: Principal;
  /** For display only. */
  name: string;
  standing: Standing;
  roles: Role[];
  /** The proved link to a GitHub account; null: look, don't touch protected stages. */
  githubId: number | null;
};
