import type { Placing } from './effect.ts';
import { leftOut, type Wish } from './partial.ts';
import { type Position, stageAt, stepAt } from './plan.ts';
import type { Artifact } from './release.ts';
import type { Rollout } from './rollout.ts';
import { artifactOf } from './step.ts';

/**
 * What this step puts on a target: the release, or for a downgrade what ran before it, or else what the lane wished to
 * run; null: nothing is known that could be gone down to.
 */
export function artifactAt(rollout: Rollout, at: Position, target: string): Artifact | null {
  if (stepAt(rollout.plan, at).deploys === 'release') return artifactOf(rollout);
  const { desiredDigest: digest, desiredSha: sha } = rollout;
  return rollout.before[target] ?? (digest === null ? null : { digest, sha: sha ?? '' });
}

/** How this step changes a target: a share of its instances, those that were picked, beside the old ones or in place. */
export function placingOf(rollout: Rollout, at: Position, target: string): Placing {
  const { strategy } = stageAt(rollout.plan, at);
  const step = stepAt(rollout.plan, at);
  const isBeside = strategy.is === 'weight';
  const { order = [], upTo = [] } = own(rollout.assignment, target) ?? {};
  const taken = upTo[at.step] ?? 0;
  const isCounted = !isBeside && order.length > 0;
  const share = isCounted ? Math.min(1, Math.max(taken, 1) / order.length) : step.share;
  // Only where instances are changed in place does an id say anything: elsewhere they are made anew.
  const isInPlace = strategy.is === 'rolling' || strategy.is === 'symlink';
  return {
    share,
    instances: share < 1 && isCounted && isInPlace ? order.slice(0, Math.max(taken, 1)) : null,
    strategy,
    isCanary: step.kind === 'canary' || (isBeside && share < 1),
    baseline: step.hasBaseline ? (rollout.before[target] ?? null) : null,
  };
}

/** What the target should be like once that is done. */
export function wishOf(rollout: Rollout, at: Position, target: string): Wish | null {
  const artifact = artifactAt(rollout, at, target);
  if (!artifact) return null;
  const { share, strategy, isCanary, baseline, instances } = placingOf(rollout, at, target);
  return {
    digest: artifact.digest,
    share,
    others: own(rollout.found, target) ?? null,
    isBeside: strategy.is === 'weight' && share < 1,
    isCanary,
    baseline: baseline?.digest ?? null,
    without: leftOut(rollout, target),
    picked: instances,
  };
}

/** A target may be called `toString`. */
function own<Value>(record: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
