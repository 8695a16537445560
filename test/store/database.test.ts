import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { openDatabase, StoreError } from '../../src/store/database.ts';
import { lockDatabase } from '../../src/store/lock.ts';
import { type Migration, migrate, migrationState, migrations } from '../../src/store/migrate.ts';
import { aFolder } from './world.ts';

describe('opening the database', () => {
  it('T13 commits are fsynced on the first open and on every later one', async () => {
    using folder = aFolder();
    for (const _open of [1, 2, 3]) {
      const database = openDatabase(folder.file);
      migrate(database.raw, 0);
      expect(database.raw.pragma('synchronous', { simple: true })).toBe(2);
      expect(database.raw.pragma('journal_mode', { simple: true })).toBe('wal');
      expect(database.raw.pragma('foreign_keys', { simple: true })).toBe(1);
      await database.close();
    }
    // What would be without the pragma: the reason that it is set on every open.
    const plain = new Sqlite(folder.file);
    expect(plain.pragma('synchronous', { simple: true })).toBe(1);
    plain.close();
  });

  it('says what to do about a file that is no database', () => {
    using folder = aFolder();
    writeFileSync(folder.file, 'this is a text and no database, and long enough to be sure of it\n'.repeat(40));
    expect(() => openDatabase(folder.file)).toThrow(StoreError);
    expect(() => openDatabase(folder.file)).toThrow(
      /belay\.sqlite cannot be opened.*Check that the path is a SQLite file/s,
    );
  });

  it('makes the folder that it is told to use', async () => {
    using folder = aFolder();
    const database = openDatabase(folder.file.replace('belay.sqlite', 'deep/er/belay.sqlite'));
    expect(database.raw.open).toBe(true);
    await database.close();
  });

  it('a reader sees only what is committed', async () => {
    using folder = aFolder();
    const database = openDatabase(folder.file);
    migrate(database.raw, 0);
    const heads = () => database.reader.selectFrom('repos').selectAll().execute();
    database.raw.exec("BEGIN IMMEDIATE; INSERT INTO repos VALUES ('acme/shop', 'main', NULL, NULL)");
    expect(await heads()).toEqual([]);
    database.raw.exec('COMMIT');
    expect(await heads()).toHaveLength(1);
    await database.close();
  });
});

describe('migrations', () => {
  const one: Migration = { name: '0001_one.sql', sql: 'CREATE TABLE one (id TEXT)', checksum: 'a' };
  const two: Migration = { name: '0002_two.sql', sql: 'CREATE TABLE two (id TEXT)', checksum: 'b' };
  const tables = (raw: Sqlite.Database) =>
    raw.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all();

  it('are applied once, in order, however often it is asked', () => {
    const raw = new Sqlite(':memory:');
    expect(migrate(raw, 5, [one])).toEqual(['0001_one.sql']);
    expect(migrate(raw, 6, [one])).toEqual([]);
    expect(migrate(raw, 7, [one, two])).toEqual(['0002_two.sql']);
    expect(tables(raw)).toEqual(['migrations', 'one', 'two']);
    expect(raw.prepare('SELECT at_ms FROM migrations').pluck().all()).toEqual([5, 7]);
  });

  it('that Belay brings apply to an empty database, and leave nothing pending', () => {
    const raw = new Sqlite(':memory:');
    const names = migrations().map((migration) => migration.name);
    expect(names[0]).toBe('0001_first.sql');
    expect(migrate(raw, 0)).toEqual(names);
    expect(migrationState(raw)).toEqual({ applied: names, pending: [] });
  });

  it('refuse a database that is newer than the code, and say what to do', () => {
    const raw = new Sqlite(':memory:');
    migrate(raw, 0, [one, two]);
    expect(() => migrate(raw, 0, [one])).toThrow(StoreError);
    expect(() => migrate(raw, 0, [one])).toThrow(/0002_two\.sql.*newer.*restore the backup/s);
  });

  it('refuse a migration that was changed after it was applied', () => {
    const raw = new Sqlite(':memory:');
    migrate(raw, 0, [one]);
    expect(() => migrate(raw, 0, [{ ...one, checksum: 'other' }])).toThrow(/0001_one\.sql was changed after/);
  });

  it('are whole or not at all', () => {
    const raw = new Sqlite(':memory:');
    const broken = { ...two, sql: 'CREATE TABLE two (id TEXT); CREATE TABLE two (id TEXT)' };
    expect(() => migrate(raw, 0, [one, broken])).toThrow(/already exists/);
    expect(tables(raw)).toEqual(['migrations', 'one']);
    expect(migrate(raw, 0, [one, two])).toEqual(['0002_two.sql']);
  });
});

describe('the lock of the database', () => {
  const HOLDER = `
    import { lockDatabase } from ${JSON.stringify(new URL('../../src/store/lock.ts', import.meta.url).href)};
    globalThis.kept = lockDatabase(process.argv[1]);
    console.log('locked');
    setInterval(() => {}, 1000);
  `;

  it('a second Belay in this process is refused, until the first lets go', () => {
    using folder = aFolder();
    const first = lockDatabase(folder.file);
    expect(() => lockDatabase(folder.file)).toThrow(/Another Belay already runs on .*stop the other one/s);
    first[Symbol.dispose]();
    lockDatabase(folder.file)[Symbol.dispose]();
  });

  it('T5 a second process is refused, and kill -9 of the first releases it', async () => {
    using folder = aFolder();
    const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, folder.file], {
      cwd: fileURLToPath(new URL('../../', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [line] = await once(createInterface(child.stdout), 'line');
      expect(line).toBe('locked');
      expect(() => lockDatabase(folder.file)).toThrow(StoreError);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    lockDatabase(folder.file)[Symbol.dispose]();
  });

  it('does not keep a command line beside it from reading and writing', async () => {
    using folder = aFolder();
    using _lock = lockDatabase(folder.file);
    const database = openDatabase(folder.file);
    expect(migrate(database.raw, 0)).not.toEqual([]);
    await database.close();
  });
});
