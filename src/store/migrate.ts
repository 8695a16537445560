import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type Sqlite from 'better-sqlite3';
import { StoreError } from './database.ts';

const FOLDER = fileURLToPath(new URL('../../migrations/', import.meta.url));

export type Migration = { name: string; sql: string; checksum: string };

/** The migrations that this version of Belay brings, in order. */
export function migrations(folder: string = FOLDER): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(`${folder}/${name}`, 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    });
}

export type MigrationState = { applied: string[]; pending: string[] };

/** Which migrations the database has and which are missing. Throws StoreError for a database newer than the code. */
export function migrationState(raw: Sqlite.Database, known: Migration[] = migrations()): MigrationState {
  raw.exec(
    'CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, checksum TEXT NOT NULL, at_ms BIGINT NOT NULL)',
  );
  const rows = raw.prepare('SELECT name, checksum FROM migrations ORDER BY name').all() as {
    name: string;
    checksum: string;
  }[];
  for (const row of rows) {
    const migration = known.find((one) => one.name === row.name);
    if (!migration) {
      throw new StoreError(
        `The database has the migration ${row.name}, which this version of Belay does not know: the database is newer ` +
          'than the code. Start the version that wrote it, or restore the backup made before the upgrade.',
      );
    }
    if (migration.checksum !== row.checksum) {
      throw new StoreError(
        `The migration ${row.name} was changed after it was applied. Restore the file as it was released; ` +
          'a change of the schema is a new migration.',
      );
    }
  }
  const applied = rows.map((row) => row.name);
  return { applied, pending: known.map((one) => one.name).filter((name) => !applied.includes(name)) };
}

/** Applies what is missing, each migration in a transaction of its own. Answers the names. */
export function migrate(raw: Sqlite.Database, nowMs: number, known: Migration[] = migrations()): string[] {
  const { pending } = migrationState(raw, known);
  for (const name of pending) {
    const migration = known.find((one) => one.name === name);
    if (!migration) continue;
    raw
      .transaction(() => {
        raw.exec(migration.sql);
        raw
          .prepare('INSERT INTO migrations (name, checksum, at_ms) VALUES (?, ?, ?)')
          .run(name, migration.checksum, nowMs);
      })
      .immediate();
  }
  return pending;
}
