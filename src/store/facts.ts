import type { Kysely } from 'kysely';
import { assertNever } from '../core/assert.ts';
import type { Fact } from '../core/decision.ts';
import type { Rollout } from '../core/rollout.ts';
import type { RecordLook } from './looks.ts';
import type { Tables } from './schema.ts';

/**
 * Writes the facts of one decision. `generation` is the one before the decision: a second decision of the same person
 * about the same state hits the key and fails the whole transaction.
 */
export async function recordFacts(
  database: Kysely<Tables>,
  recordLook: RecordLook,
  rollout: Rollout,
  generation: number,
  facts: Fact[],
): Promise<void> {
  for (const fact of facts) await recordFact(database, recordLook, rollout, generation, fact);
}

async function recordFact(
  database: Kysely<Tables>,
  recordLook: RecordLook,
  rollout: Rollout,
  generation: number,
  fact: Fact,
): Promise<void> {
  switch (fact.fact) {
    case 'approval': {
      const { approval } = fact;
      await database
        .insertInto('approvals')
        .values({
          rollout_id: rollout.id,
          generation,
          stage: fact.stage,
          principal: approval.by,
          name: approval.name,
          verdict: fact.verdict,
          because: fact.because,
          digest: approval.binding.digest,
          plan_hash: approval.binding.planHash,
          policy_hash: approval.binding.policyHash,
          at_ms: approval.atMs,
          expires_at_ms: approval.expiresAtMs,
        })
        .execute();
      return;
    }
    case 'decision':
      await database
        .insertInto('decisions')
        .values({
          rollout_id: rollout.id,
          generation,
          principal: fact.by,
          name: fact.name,
          choice: fact.choice,
          because: fact.because,
          at_ms: fact.atMs,
        })
        .execute();
      return;
    case 'placed': {
      const row = {
        stage: fact.stage,
        ...placing(rollout, fact.artifact, fact.atMs),
        config: fact.config,
        left_out: JSON.stringify(fact.without),
      };
      await database
        .insertInto('placements')
        .values({ service: rollout.service, target: fact.target, ...row })
        .onConflict((conflict) => conflict.columns(['service', 'target']).doUpdateSet(row))
        .execute();
      return;
    }
    case 'good':
      for (const target of fact.targets) {
        const row = { stage: fact.stage, ...placing(rollout, fact.artifact, fact.atMs) };
        await database
          .insertInto('goods')
          .values({ service: rollout.service, target, ...row })
          .onConflict((conflict) => conflict.columns(['service', 'target', 'digest']).doUpdateSet(row))
          .execute();
      }
      return;
    case 'roll-forward-only': {
      const { release } = rollout;
      await database
        .updateTable('releases')
        .set({ body: JSON.stringify(release) })
        .where('service', '=', release.service)
        .where('pipeline', '=', release.pipeline)
        .where('sha', '=', release.sha)
        .execute();
      return;
    }
    case 'desired': {
      const row = { desired_sha: fact.artifact.sha, desired_digest: fact.artifact.digest, at_ms: fact.atMs };
      await database
        .insertInto('lanes')
        .values({ lane: rollout.lane, ...row })
        .onConflict((conflict) => conflict.column('lane').doUpdateSet(row))
        .execute();
      return;
    }
    case 'looked':
      await recordLook(rollout.id, generation, fact);
      return;
    default:
      assertNever(fact, 'This fact');
  }
}

function placing(rollout: Rollout, artifact: { digest: string; sha: string }, atMs: number) {
  return { digest: artifact.digest, sha: artifact.sha, rollout_id: rollout.id, at_ms: atMs };
}
