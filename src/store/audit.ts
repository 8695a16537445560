import { hash as digest } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { canonical } from '../core/json.ts';
import type { AuditEntry } from '../engine/ledger.ts';
import { prepared } from './prepared.ts';
import type { Tables } from './schema.ts';

/** What the first row's `previous_hash` is. */
export const GENESIS = '0'.repeat(64);

type Row = Tables['audit'];

function hashOf(row: Omit<Row, 'hash'>): string {
  return digest('sha256', canonical(row));
}

/**
 * Appends to the chain; call what it answers inside the transaction that makes the change. The chain's head is read once
 * for each `epoch`, in which nobody else can append.
 */
export function auditor(
  database: Kysely<Tables>,
  epoch: () => number,
): (entry: AuditEntry, atMs: number) => Promise<void> {
  const newest = prepared(database, () =>
    database.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(sql.lit(1)),
  );
  const append = prepared(database, (given: Row) =>
    database.insertInto('audit').values({
      seq: given.seq,
      at_ms: given.at_ms,
      rollout_id: given.rollout_id,
      actor: given.actor,
      what: given.what,
      body: given.body,
      previous_hash: given.previous_hash,
      hash: given.hash,
    }),
  );
  let head = { seq: 0, hash: GENESIS, epoch: -1 };
  return async (entry, atMs) => {
    if (head.epoch !== epoch()) {
      const [last] = (await newest({})).rows;
      head = { ...(last ?? { seq: 0, hash: GENESIS }), epoch: epoch() };
    }
    const row = {
      seq: head.seq + 1,
      at_ms: atMs,
      rollout_id: entry.rolloutId,
      actor: entry.actor,
      what: entry.what,
      body: canonical(entry.body),
      previous_hash: head.hash,
    };
    const hash = hashOf(row);
    await append({ ...row, hash });
    head = { seq: row.seq, hash, epoch: head.epoch };
  };
}

export type AuditProblem = { seq: number; problem: 'edited' | 'missing-before' | 'chain-broken' };

/** Walks the whole chain; an edit, a removal in the middle or a reordering is found and named by its row. */
export async function verifyAudit(
  database: Kysely<Tables>,
): Promise<{ rows: number; head: string; problems: AuditProblem[] }> {
  const problems: AuditProblem[] = [];
  let previous = { seq: 0, hash: GENESIS };
  let rows = 0;
  for await (const row of database.selectFrom('audit').selectAll().orderBy('seq').stream()) {
    const { hash, ...rest } = row;
    if (row.seq !== previous.seq + 1) problems.push({ seq: row.seq, problem: 'missing-before' });
    else if (row.previous_hash !== previous.hash) problems.push({ seq: row.seq, problem: 'chain-broken' });
    if (hashOf(rest) !== hash) problems.push({ seq: row.seq, problem: 'edited' });
    previous = { seq: row.seq, hash };
    rows += 1;
  }
  return { rows, head: previous.hash, problems };
}
