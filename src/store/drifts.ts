import type { Kysely } from 'kysely';
import { caseId, type DriftCase } from '../core/drift-case.ts';
import type { LedgerReader, LedgerWriter } from '../engine/ledger.ts';
import type { Tables } from './schema.ts';

type Reads = Pick<LedgerReader, 'drift' | 'drifts'>;
type Writes = Pick<LedgerWriter, 'saveDrift' | 'recordDriftDecision' | 'place' | 'knownVersion'>;

/** What is known of targets between deploys. */
export function driftReader(database: Kysely<Tables>): Reads {
  return {
    async drift(service, target) {
      const row = await database
        .selectFrom('drifts')
        .select('state')
        .where('service', '=', service)
        .where('target', '=', target)
        .executeTakeFirst();
      return row ? (JSON.parse(row.state) as DriftCase) : null;
    },
    async drifts(service) {
      let query = database.selectFrom('drifts').select('state').orderBy('service').orderBy('target');
      if (service !== null) query = query.where('service', '=', service);
      return (await query.execute()).map((row) => JSON.parse(row.state) as DriftCase);
    },
  };
}

export function driftWriter(database: Kysely<Tables>): Writes {
  return {
    async saveDrift(known) {
      const { service, target, number, generation, phase } = known;
      const sinceMs = 'sinceMs' in phase ? phase.sinceMs : 0;
      const row = { number, generation, phase: phase.is, since_ms: sinceMs, state: JSON.stringify(known) };
      await database
        .insertInto('drifts')
        .values({ service, target, ...row })
        .onConflict((conflict) => conflict.columns(['service', 'target']).doUpdateSet(row))
        .execute();
    },
    async recordDriftDecision(known, { by, name, choice, because, atMs }) {
      // The key holds one decision about one state: a second one fails the whole transaction.
      await database
        .insertInto('decisions')
        .values({
          rollout_id: caseId(known),
          generation: known.generation,
          principal: by,
          name,
          choice,
          because,
          at_ms: atMs,
        })
        .execute();
    },
    async place(service, { stage, target, artifact, config, without, rolloutId, atMs }) {
      const row = {
        stage,
        digest: artifact.digest,
        sha: artifact.sha,
        rollout_id: rolloutId,
        at_ms: atMs,
        config,
        left_out: JSON.stringify(without),
      };
      await database
        .insertInto('placements')
        .values({ service, target, ...row })
        .onConflict((conflict) => conflict.columns(['service', 'target']).doUpdateSet(row))
        .execute();
    },
    async knownVersion(service, digest) {
      const row = await database
        .selectFrom('goods')
        .select('sha')
        .where('service', '=', service)
        .where('digest', '=', digest)
        .where('sha', '<>', '')
        .executeTakeFirst();
      return row ? { digest, sha: row.sha } : null;
    },
  };
}
