import { type Kysely, sql } from 'kysely';
import { type Effect, isMutating, OUTLIVES_PHASE } from '../core/effect.ts';
import { upcastEffect } from '../core/upcast.ts';
import type { DriftDue, Due, LedgerWriter, Owed, RolloutDue } from '../engine/ledger.ts';
import { prepared } from './prepared.ts';
import type { Tables } from './schema.ts';

type Outbox = Pick<
  LedgerWriter,
  | 'owe'
  | 'oweProjection'
  | 'oweDrift'
  | 'isDriftTold'
  | 'cancelOlder'
  | 'cancelRemovals'
  | 'settle'
  | 'postpone'
  | 'moveOwed'
  | 'claimDue'
>;

/** The family of `owed` and `fences`: what is to be done, by whom it is leased, under which fence it may change a target. */
export function outbox(database: Kysely<Tables>): Outbox {
  const queries = queriesOf(database);
  return {
    async owe(rollout, effect, dueAtMs) {
      const target = isMutating(effect) ? `${rollout.service}/${effect.target}` : null;
      await queries.owe({
        key: effect.key,
        rollout_id: rollout.id,
        generation: effect.generation,
        kind: effect.kind,
        target,
        fence: target === null ? null : await nextFence(queries, target),
        body: JSON.stringify(effect satisfies Effect),
        due_at_ms: dueAtMs,
      });
    },
    async oweProjection(rolloutId, dueAtMs) {
      const due: RolloutDue = { kind: 'project', key: `${rolloutId}/project`, generation: 0, afterMs: 0 };
      const { key, kind } = due;
      await queries.oweAgain({ key, kind, rollout_id: rolloutId, body: JSON.stringify(due), due_at_ms: dueAtMs });
    },
    async oweDrift({ service, target }, dueAtMs) {
      const key = driftKey(service, target);
      const due: DriftDue = { kind: 'project-drift', key, generation: 0, afterMs: 0, service, target };
      const body = JSON.stringify(due);
      await queries.oweAgain({
        key,
        kind: due.kind,
        rollout_id: `drift:${service}/${target}`,
        body,
        due_at_ms: dueAtMs,
      });
    },
    async isDriftTold(service, target) {
      return (await queries.has({ key: driftKey(service, target) })).rows.length === 0;
    },
    async cancelOlder(rolloutId, generation) {
      const { rows } = await queries.cancelOlder({ rollout_id: rolloutId, generation });
      return rows.map((row) => row.key);
    },
    async cancelRemovals(service, target) {
      const { rows } = await queries.cancelRemovals({ target: `${service}/${target}` });
      return rows.map((row) => ({ rolloutId: row.rollout_id, key: row.key }));
    },
    async settle(owed) {
      const { numAffectedRows } = await queries.settle({ key: owed.key, version: owed.version });
      if (numAffectedRows === 1n) return true;
      // Owed again while it was being done: due at once.
      await queries.release({ key: owed.key });
      return false;
    },
    async postpone(owed, dueAtMs, attempts) {
      const { key, version } = owed;
      await queries.postpone({ key, due_at_ms: dueAtMs, attempts, version });
    },
    async moveOwed(byMs) {
      await database
        .updateTable('owed')
        .set({ due_at_ms: sql`due_at_ms + ${byMs}`, lease_until_ms: sql`lease_until_ms + ${byMs}` })
        .execute();
    },
    async claimDue(nowMs, leaseUntilMs, limit) {
      const { rows } = await queries.claimDue({ nowMs, leaseUntilMs, limit });
      return rows.map(
        (row): Owed<Due> => ({
          key: row.key,
          rolloutId: row.rollout_id,
          due: readDue(row.body),
          target: row.target,
          fence: row.fence,
          attempts: row.attempts,
          version: row.version,
        }),
      );
    },
  };
}

/** What is owed, whichever version of Belay wrote it. */
function readDue(text: string): Due {
  const due = JSON.parse(text) as Due;
  return due.kind === 'project' || due.kind === 'project-drift' ? due : upcastEffect(due);
}

function driftKey(service: string, target: string): string {
  return `drift:${service}/${target}/project`;
}

type Row = Tables['owed'];
const FRESH = { attempts: 0, version: 0, lease_until_ms: null };

function queriesOf(database: Kysely<Tables>) {
  return {
    owe: prepared(database, (given: Omit<Row, keyof typeof FRESH>) =>
      database
        .insertInto('owed')
        .values({
          key: given.key,
          rollout_id: given.rollout_id,
          generation: given.generation,
          kind: given.kind,
          target: given.target,
          fence: given.fence,
          body: given.body,
          due_at_ms: given.due_at_ms,
          ...FRESH,
        })
        .onConflict((conflict) => conflict.column('key').doNothing()),
    ),
    oweAgain: prepared(database, (given: Pick<Row, 'key' | 'kind' | 'rollout_id' | 'body' | 'due_at_ms'>) =>
      database
        .insertInto('owed')
        .values({
          key: given.key,
          rollout_id: given.rollout_id,
          generation: 0,
          kind: given.kind,
          target: null,
          fence: null,
          body: given.body,
          due_at_ms: given.due_at_ms,
          ...FRESH,
        })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ version: sql`owed.version + 1` })),
    ),
    has: prepared(database, (given: Pick<Row, 'key'>) =>
      database.selectFrom('owed').select('key').where('key', '=', given.key),
    ),
    cancelOlder: prepared(database, (given: Pick<Row, 'rollout_id' | 'generation'>) =>
      database
        .deleteFrom('owed')
        .where('rollout_id', '=', given.rollout_id)
        .where('generation', '<', given.generation)
        .where('kind', 'not in', [...OUTLIVES_PHASE, 'project'])
        .returning('key'),
    ),
    cancelRemovals: prepared(database, (given: { target: string }) =>
      database
        .deleteFrom('owed')
        .where('kind', '=', 'remove')
        .where('target', '=', given.target)
        .returning(['rollout_id', 'key']),
    ),
    settle: prepared(database, (given: Pick<Row, 'key' | 'version'>) =>
      database.deleteFrom('owed').where('key', '=', given.key).where('version', '=', given.version),
    ),
    release: prepared(database, (given: Pick<Row, 'key'>) =>
      database.updateTable('owed').set({ lease_until_ms: null, attempts: 0 }).where('key', '=', given.key),
    ),
    postpone: prepared(database, (given: Pick<Row, 'key' | 'due_at_ms' | 'attempts' | 'version'>) =>
      database
        .updateTable('owed')
        .set({
          lease_until_ms: null,
          // A build that was hastened while somebody looked at it is looked at once more, now.
          due_at_ms: sql`CASE WHEN kind = 'watch-build' AND version <> ${given.version} THEN due_at_ms ELSE ${given.due_at_ms} END`,
          attempts: given.attempts,
        })
        .where('key', '=', given.key),
    ),
    nextFence: prepared(database, (given: { target: string }) =>
      database
        .insertInto('fences')
        .values({ target: given.target, fence: 1 })
        .onConflict((conflict) => conflict.column('target').doUpdateSet({ fence: sql`fences.fence + 1` }))
        .returning('fence'),
    ),
    claimDue: prepared(
      database,
      ({ nowMs, leaseUntilMs, limit }: Record<'nowMs' | 'leaseUntilMs' | 'limit', number>) => ({
        compile: () =>
          sql<Row>`
        UPDATE owed SET lease_until_ms = ${leaseUntilMs}, attempts = attempts + 1
        WHERE key IN (
          SELECT one.key FROM owed AS one
          WHERE one.due_at_ms <= ${nowMs}
            AND (one.lease_until_ms IS NULL OR one.lease_until_ms <= ${nowMs})
            AND (one.target IS NULL OR NOT EXISTS (
              SELECT 1 FROM owed AS other
              WHERE other.target = one.target AND other.key <> one.key AND (other.lease_until_ms > ${nowMs}
                OR other.due_at_ms <= ${nowMs} AND (other.due_at_ms, other.key) < (one.due_at_ms, one.key))))
          ORDER BY one.due_at_ms, one.key
          LIMIT CAST(${limit} AS INTEGER))
        RETURNING *`.compile(database),
      }),
    ),
  };
}

async function nextFence(queries: ReturnType<typeof queriesOf>, target: string): Promise<number> {
  const [row] = (await queries.nextFence({ target })).rows;
  if (!row) throw new Error(`No fence was given for ${target}`);
  return row.fence;
}
