import { artifactAt } from '../../../src/core/placing.ts';
import type { Rollout } from '../../../src/core/rollout.ts';
import type { Database } from '../../../src/store/database.ts';
import { keyOf } from '../../support/service.ts';
import type { Asked } from '../platform.ts';
import { digestOf, type Universe } from '../universe.ts';
import { all } from './rows.ts';
import { Violation } from './violation.ts';

/** T1, T4, T6, T13, T16: every change that the platform was asked for, those from `from` on. */
export function checkChanges({ platform }: Universe, rollouts: Rollout[], database: Database, from: number): void {
  if (platform.overlaps.length > 0) throw new Violation('T6', `two changes at once on ${platform.overlaps}`);
  for (const asked of platform.asked.slice(from)) {
    if (!asked.wasIntended) throw new Violation('T4', `${asked.key} was issued before its intent was committed`);
    const [id] = asked.key.split('/');
    const rollout = rollouts.find((one) => one.id === id);
    if (!rollout) throw new Violation('T13', `${asked.key} belongs to no committed rollout`);
    checkDigest(asked, rollout);
    if (asked.kind !== 'deploy') continue;
    const stage = rollout.plan.stages.find((one) => one.steps.some((step) => step.targets.includes(asked.target)));
    if (stage?.isProtected) checkApproved(asked, rollout, stage.approvals?.required ?? 1, database);
  }
  checkKeys(platform.asked);
  checkFences(platform);
}

/** T16: the digest that was built from the commit, or on the way back what ran before: nothing else is ever put anywhere. */
function checkDigest({ kind, digest, target, key }: Asked, rollout: Rollout): void {
  const before = rollout.before[target]?.digest;
  if (kind === 'deploy') {
    const isDowngrade = rollout.plan.stages.some((stage, index) =>
      stage.steps.some(
        (step, at) =>
          step.deploys === 'before' && artifactAt(rollout, { stage: index, step: at }, target)?.digest === digest,
      ),
    );
    if (digest === digestOf(rollout.release.sha) || isDowngrade) return;
    throw new Violation('T16', `${key} puts ${digest} there for ${rollout.release.sha}`);
  }
  if (kind === 'roll-back' && digest !== before) {
    throw new Violation('T16', `${key} goes back to ${digest} where ${before} ran before`);
  }
}

/** T1, T16: N distinct people who took no part approved exactly this for this rollout's stage. */
function checkApproved(asked: Asked, rollout: Rollout, required: number, database: Database): void {
  const rows = all<{ principal: string; digest: string }>(
    database,
    "SELECT DISTINCT principal, digest FROM approvals WHERE rollout_id = ? AND verdict = 'approved'",
    rollout.id,
  );
  if (rows.some((row) => row.principal === keyOf('ana')))
    throw new Violation('T1', 'the author approved her own change');
  if (rows.length < required)
    throw new Violation('T1', `${rollout.id} deployed with ${rows.length} of ${required} approvals`);
  const other = rows.find((row) => row.digest !== asked.digest);
  if (other) throw new Violation('T16', `${asked.key} deploys ${asked.digest}, and ${other.digest} was approved`);
}

/** T4: one intent, one key. */
function checkKeys(changes: readonly Asked[]): void {
  const byIntent = new Map<string, Set<string>>();
  for (const asked of changes) {
    const [id, generation, kind, target] = asked.key.split('/');
    const round = asked.key.match(/#(\d+)$/)?.[1] ?? '';
    const intent = [id, generation, kind, target?.replace(/[#~].*$/, ''), round].join('/');
    byIntent.set(intent, (byIntent.get(intent) ?? new Set()).add(asked.key));
  }
  for (const [intent, keys] of byIntent) {
    if (keys.size > 1) throw new Violation('T4', `${intent} was issued under ${[...keys]}`);
  }
}

/** T6: what takes effect on a target is never older than what took effect there before, by the number that it was asked under. */
function checkFences({ asked, memory }: Universe['platform']): void {
  const fences = new Map(asked.map(({ key, generation }) => [key, generation]));
  const newest = new Map<string, number>();
  for (const { key, target } of memory.changes) {
    const fence = fences.get(key) ?? 0;
    if (fence < (newest.get(target) ?? 0))
      throw new Violation('T6', `${key} took effect after a newer change of ${target}`);
    newest.set(target, fence);
  }
}

/** R3, T18: no change takes more away from those that serve than the platform had said before it. */
export function checkLosses({ platform, begunShort }: Universe, rollouts: Rollout[], from: number): void {
  for (const { key, target, least, lost } of platform.losses.slice(from)) {
    const [id = '', generation = '0'] = key.split('/');
    const rollout = rollouts.find((one) => one.id === id);
    const isMade = rollout?.plan.stages.some(
      (stage) => stage.isEphemeral && stage.steps.some((step) => step.targets.includes(target)),
    );
    if (!rollout?.spec.traffic?.perInstance || isMade || begunShort.has(`${id}/${generation}`)) continue;
    const promised = [...platform.capacities].findLast(([of]) =>
      of.startsWith(`${id}/${Number(generation) - 1}/read-capacity/${target}#`),
    )?.[1];
    if (!promised) throw new Violation('T18', `${key} was begun and nobody had asked what would serve on ${target}`);
    const { serving, servingDuring } = promised;
    if (least >= servingDuring || lost <= serving - servingDuring) continue;
    throw new Violation('T18', `${key} left ${least} serving on ${target}, and ${servingDuring} were promised`);
  }
}
