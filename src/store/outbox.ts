import { type Kysely, sql } from 'kysely';
import { type Effect, isMutating } from '../core/effect.ts';
import type { Due, LedgerWriter, Owed } from '../engine/ledger.ts';
import type { Tables } from './schema.ts';

type Outbox = Pick<LedgerWriter, 'owe' | 'oweProjection' | 'cancelOlder' | 'settle' | 'postpone' | 'claimDue'>;

/** The family of `owed` and `fences`: what is to be done, by whom it is leased, under which fence it may change a target. */
export function outbox(database: Kysely<Tables>): Outbox {
  return {
    async owe(rollout, effect, dueAtMs) {
      const target = isMutating(effect) ? `${rollout.service}/${effect.target}` : null;
      await database
        .insertInto('owed')
        .values({
          key: effect.key,
          rollout_id: rollout.id,
          generation: effect.generation,
          kind: effect.kind,
          target,
          fence: target === null ? null : await nextFence(database, target),
          body: JSON.stringify(effect satisfies Effect),
          due_at_ms: dueAtMs,
          attempts: 0,
          version: 0,
          lease_until_ms: null,
        })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute();
    },
    async oweProjection(rolloutId, dueAtMs) {
      const due: Due = { kind: 'project', key: `${rolloutId}/project`, generation: 0, afterMs: 0 };
      await database
        .insertInto('owed')
        .values({
          key: due.key,
          rollout_id: rolloutId,
          generation: due.generation,
          kind: due.kind,
          target: null,
          fence: null,
          body: JSON.stringify(due),
          due_at_ms: dueAtMs,
          attempts: 0,
          version: 0,
          lease_until_ms: null,
        })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ version: sql`owed.version + 1` }))
        .execute();
    },
    async cancelOlder(rolloutId, generation) {
      const rows = await database
        .deleteFrom('owed')
        .where('rollout_id', '=', rolloutId)
        .where('generation', '<', generation)
        .where('kind', 'not in', ['announce', 'page', 'project'])
        .returning('key')
        .execute();
      return rows.map((row) => row.key);
    },
    async settle(owed) {
      const gone = await database
        .deleteFrom('owed')
        .where('key', '=', owed.key)
        .where('version', '=', owed.version)
        .returning('key')
        .execute();
      if (gone.length > 0) return true;
      // Owed again while it was being done: due at once.
      await database
        .updateTable('owed')
        .set({ lease_until_ms: null, attempts: 0 })
        .where('key', '=', owed.key)
        .execute();
      return false;
    },
    async postpone(owed, dueAtMs, attempts) {
      await database
        .updateTable('owed')
        .set({ lease_until_ms: null, due_at_ms: dueAtMs, attempts })
        .where('key', '=', owed.key)
        .execute();
    },
    async claimDue(nowMs, leaseUntilMs, limit) {
      const rows = await sql<Tables['owed']>`
        UPDATE owed SET lease_until_ms = ${leaseUntilMs}, attempts = attempts + 1
        WHERE key IN (
          SELECT one.key FROM owed AS one
          WHERE one.due_at_ms <= ${nowMs}
            AND (one.lease_until_ms IS NULL OR one.lease_until_ms <= ${nowMs})
            AND (one.target IS NULL OR NOT EXISTS (
              SELECT 1 FROM owed AS other
              WHERE other.target = one.target AND other.key <> one.key AND other.lease_until_ms > ${nowMs}))
          ORDER BY one.due_at_ms, one.key
          LIMIT ${limit})
        RETURNING *`.execute(database);
      return rows.rows.map(
        (row): Owed => ({
          key: row.key,
          rolloutId: row.rollout_id,
          due: JSON.parse(row.body) as Due,
          target: row.target,
          fence: row.fence,
          attempts: row.attempts,
          version: row.version,
        }),
      );
    },
  };
}

async function nextFence(database: Kysely<Tables>, target: string): Promise<number> {
  const row = await database
    .insertInto('fences')
    .values({ target, fence: 1 })
    .onConflict((conflict) => conflict.column('target').doUpdateSet({ fence: sql`fences.fence + 1` }))
    .returning('fence')
    .executeTakeFirstOrThrow();
  return row.fence;
}
