import { type Past, ranBefore } from '../core/past.ts';
import { stageAt } from '../core/plan.ts';
import type { Rollout } from '../core/rollout.ts';
import type { LedgerReader } from '../engine/ledger.ts';

/** What is recorded of each version that a rollback of the stage would put back. */
export async function pastOf(ledger: LedgerReader, rollout: Rollout): Promise<Past[]> {
  const { release, service, phase } = rollout;
  if (!('at' in phase)) return [];
  const goods = await ledger.goods(service, stageAt(rollout.plan, phase.at).name);
  return Promise.all(
    ranBefore(rollout, phase.at).map(async (one) => {
      const { sha, digest } = one.artifact;
      const before = sha === '' ? null : await ledger.release(service, release.pipeline, sha);
      const good = goods.find(({ artifact, target }) => artifact.digest === digest && one.targets.includes(target));
      const since = before ? await ledger.releasesBetween(before, release) : null;
      return { ...one, goodAtMs: good?.atMs ?? null, since };
    }),
  );
}
