import { createHash } from 'node:crypto';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { createLedger } from '../../src/store/ledger.ts';
import { migrate } from '../../src/store/migrate.ts';

let image: Buffer | null = null;

/** A database in memory with every migration applied; copying the image is faster than migrating again. */
export function memoryDatabase(): Database {
  if (!image) {
    const fresh = openDatabase(':memory:');
    migrate(fresh.raw, 0);
    image = fresh.raw.serialize();
    fresh.raw.close();
  }
  return openDatabase(image);
}

export function memoryLedger(database: Database = memoryDatabase()) {
  return createLedger(database, new GroupCommit(database.writer));
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
