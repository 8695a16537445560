import { beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/engine/ledger.ts';
import { GENESIS, verifyAudit } from '../../src/store/audit.ts';
import type { Database } from '../../src/store/database.ts';
import { memoryDatabase, memoryLedger } from '../support/store.ts';
import { NOW_MS } from './world.ts';

let database: Database;
let ledger: Ledger;
beforeEach(async () => {
  database = memoryDatabase();
  ledger = memoryLedger(database);
  for (let n = 1; n <= 5; n += 1) {
    const entry = {
      rolloutId: n === 1 ? null : 'r1',
      actor: `person ${n}`,
      what: 'approved',
      body: { n, list: [n, null] },
    };
    await ledger.write((tx) => tx.audit(entry, NOW_MS + n));
  }
});

const verify = () => verifyAudit(database.writer);
/** What somebody with the file and a SQLite shell could do. */
function forced(sql: string): void {
  database.raw.exec('DROP TRIGGER audit_is_append_only_update; DROP TRIGGER audit_is_append_only_delete');
  database.raw.exec(sql);
}

describe('T14 O3 the audit', () => {
  it('is a chain from the first row to its head', async () => {
    const rows = database.raw.prepare('SELECT seq, previous_hash, hash FROM audit ORDER BY seq').all() as {
      seq: number;
      previous_hash: string;
      hash: string;
    }[];
    expect(rows.map((row) => row.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(rows.map((row) => row.previous_hash)).toEqual([GENESIS, ...rows.slice(0, 4).map((row) => row.hash)]);
    expect(await verify()).toEqual({ rows: 5, head: rows[4]?.hash, problems: [] });
  });

  it.each(["UPDATE audit SET actor = 'me' WHERE seq = 3", 'DELETE FROM audit WHERE seq = 3', 'DELETE FROM audit'])(
    'refuses to be changed: %s',
    async (sql) => {
      expect(() => database.raw.exec(sql)).toThrow('the audit is append-only');
      expect((await verify()).rows).toBe(5);
    },
  );

  it.each([
    ['at_ms', '7'],
    ['rollout_id', "'other'"],
    ['rollout_id', 'NULL'],
    ['actor', "'me'"],
    ['what', "'rejected'"],
    ['body', "'{}'"],
  ])('an edit of %s to %s is found, and names the row', async (column, value) => {
    forced(`UPDATE audit SET ${column} = ${value} WHERE seq = 3`);
    expect((await verify()).problems).toEqual([{ seq: 3, problem: 'edited' }]);
  });

  it('an edit that makes up its own hash breaks the chain at the next row', async () => {
    forced(`UPDATE audit SET hash = '${'f'.repeat(64)}' WHERE seq = 3`);
    expect((await verify()).problems).toEqual([
      { seq: 3, problem: 'edited' },
      { seq: 4, problem: 'chain-broken' },
    ]);
  });

  it('a removal in the middle is found', async () => {
    forced('DELETE FROM audit WHERE seq = 3');
    expect((await verify()).problems).toEqual([{ seq: 4, problem: 'missing-before' }]);
  });

  it('a removal of the beginning is found', async () => {
    forced('DELETE FROM audit WHERE seq = 1');
    expect((await verify()).problems).toEqual([{ seq: 2, problem: 'missing-before' }]);
  });

  it('a removal that closes the gap is found', async () => {
    forced('DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3');
    expect((await verify()).problems.map((one) => one.seq)).toContain(3);
  });

  it('two rows in the other order are found', async () => {
    forced(
      'UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99',
    );
    const { problems } = await verify();
    expect(problems).toContainEqual({ seq: 2, problem: 'chain-broken' });
    expect(problems).toContainEqual({ seq: 3, problem: 'edited' });
  });

  it('a removal of the end changes the head: whoever kept it outside can tell', async () => {
    const { head } = await verify();
    forced('DELETE FROM audit WHERE seq = 5');
    const after = await verify();
    expect(after.problems).toEqual([]);
    expect(after.head).not.toBe(head);
  });

  it('is written with the change or not at all, and goes on without a gap', async () => {
    const entry = { rolloutId: null, actor: 'x', what: 'y', body: {} };
    const failed = ledger.write(async (tx) => {
      await tx.audit(entry, NOW_MS);
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await ledger.write((tx) => tx.audit(entry, NOW_MS));
    expect(await verify()).toMatchObject({ rows: 6, problems: [] });
  });
});
