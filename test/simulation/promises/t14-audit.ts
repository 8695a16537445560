import type { Database } from '../../../src/store/database.ts';
import { all } from './rows.ts';
import { Violation } from './violation.ts';

/** T14: the chain of the audit has no gap. */
export function checkAudit(database: Database): void {
  const rows = all<{ seq: number; previous_hash: string; hash: string }>(
    database,
    'SELECT seq, previous_hash, hash FROM audit ORDER BY seq',
  );
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    if (row.seq !== index + 1 || (before && row.previous_hash !== before.hash)) {
      throw new Violation('T14', `the audit breaks at row ${row.seq}`);
    }
  }
}

/** T11: a timer rings once, whatever the clock does; so a countdown decides once. */
export function checkTimers(database: Database): void {
  const rows = all<{ rollout_id: string; body: string }>(
    database,
    "SELECT rollout_id, body FROM audit WHERE what = 'woke'",
  );
  const rung = new Set<string>();
  for (const { rollout_id, body } of rows) {
    const { event } = JSON.parse(body) as { event: { generation: number; timer: string } };
    const name = `${rollout_id}/${event.generation}/${event.timer}`;
    if (rung.has(name)) throw new Violation('T11', `${name} rang twice`);
    rung.add(name);
  }
}
