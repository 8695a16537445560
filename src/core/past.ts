import type { Release } from './release.ts';
import type { Rollout } from './rollout.ts';

/** What Belay recorded before a rollout and a decision on it wants to know. */
export type Past = {
  /** By the sha that ran before on touched targets: what was merged since, newest first; null: it was never recorded. */
  since: Record<string, Pick<Release, 'sha' | 'title' | 'url' | 'pullRequest'>[] | null>;
  /** By the digest that ran before: when it was last recorded as healthy in this service, in epoch milliseconds. */
  goodAtMs: Record<string, number>;
};

/** The versions that a rollback would put back, each once. */
export function ranBefore(rollout: Rollout): { sha: string; digest: string }[] {
  const byDigest = new Map<string, { sha: string; digest: string }>();
  for (const target of rollout.touched) {
    const before = Object.hasOwn(rollout.before, target) ? rollout.before[target] : null;
    if (before) byDigest.set(before.digest, before);
  }
  return [...byDigest.values()];
}
