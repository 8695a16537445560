import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { verifyAudit } from '../../src/store/audit.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { createLedger } from '../../src/store/ledger.ts';
import { migrate } from '../../src/store/migrate.ts';
import { aRollout, NOON_MS } from '../support/rollout.ts';
import { read } from './documents.ts';

/** One open rollout and one row of the audit, in one transaction. */
function writeOne(database: Database, id: string): Promise<void> {
  return createLedger(database, new GroupCommit(database.writer)).write(async (tx) => {
    const rollout = aRollout({ id });
    await tx.saveRollout(rollout);
    await tx.oweProjection(id, NOON_MS);
    await tx.audit({ rolloutId: id, actor: 'belay', what: 'created', body: {} }, NOON_MS);
  });
}

it('C4 the backup of docs/operations.md, taken while Belay writes, is whole and goes on from there', async () => {
  const [, sql = ''] = /"(VACUUM INTO '[^"]+')"/.exec(read('docs/operations.md')) ?? [];
  expect(sql).not.toBe('');
  const folder = mkdtempSync(join(tmpdir(), 'belay-backup-'));
  const backup = join(folder, 'backup.db');
  const running = openDatabase(join(folder, 'belay.db'));
  try {
    migrate(running.raw, NOON_MS);
    await writeOne(running, 'rollout-1');
    // As the operator does it: another process, which knows nothing of Belay.
    const shell = new Sqlite(join(folder, 'belay.db'));
    shell.exec(sql.replace(/'[^']+'/, `'${backup}'`));
    shell.close();
    await writeOne(running, 'rollout-2');
  } finally {
    await running.close();
  }

  const restored = openDatabase(backup);
  try {
    expect(migrate(restored.raw, NOON_MS)).toEqual([]);
    const ledger = createLedger(restored, new GroupCommit(restored.writer));
    expect((await ledger.openRollouts(null)).map((one) => one.id)).toEqual(['rollout-1']);
    expect(await ledger.nextDueAtMs()).toBe(NOON_MS);
    await writeOne(restored, 'rollout-3');
    expect(await verifyAudit(restored.reader)).toMatchObject({ rows: 2, problems: [] });
    expect(restored.raw.pragma('integrity_check', { simple: true })).toBe('ok');
  } finally {
    await restored.close();
    rmSync(folder, { recursive: true });
  }
});
