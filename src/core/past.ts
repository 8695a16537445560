import type { Position } from './plan.ts';
import type { Artifact, Release } from './release.ts';
import type { Rollout } from './rollout.ts';
import { touchedIn } from './step.ts';

/** A version that a rollback of a stage would put back, and the targets that it would be put back on. */
export type Before = { artifact: Artifact; targets: string[] };

/** What Belay has recorded of it. */
export type Past = Before & {
  /** When it was last found healthy on this stage; null: it never was, by Belay's record. */
  goodAtMs: number | null;
  /** What was merged after it, this release included, newest first; null: that version was never recorded. */
  since: Pick<Release, 'sha' | 'title' | 'url' | 'pullRequest'>[] | null;
};

/** What a rollback of this stage would put back: each version once, those of the targets touched last first. */
export function ranBefore(rollout: Rollout, at: Position): Before[] {
  const byDigest = new Map<string, Before>();
  for (const target of touchedIn(rollout, at)) {
    const artifact = Object.hasOwn(rollout.before, target) ? rollout.before[target] : null;
    if (!artifact) continue;
    const known = byDigest.get(artifact.digest);
    if (known) known.targets.push(target);
    else byDigest.set(artifact.digest, { artifact, targets: [target] });
  }
  return [...byDigest.values()];
}
