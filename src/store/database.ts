import Sqlite from 'better-sqlite3';
import { CompiledQuery, Kysely, SqliteDialect } from 'kysely';
import { makeFolderOf } from './folder.ts';
import type { Tables } from './schema.ts';

/** The store cannot be used as it is: what was found and what to do. Starting must stop here. */
export class StoreError extends Error {
  override name = 'StoreError';
}

export type Database = {
  /** For everything inside a transaction. */
  writer: Kysely<Tables>;
  /** Sees only what is committed. */
  reader: Kysely<Tables>;
  raw: Sqlite.Database;
  close(): Promise<void>;
};

/**
 * Opens the SQLite file, or `:memory:`. WAL with `synchronous=FULL`, which has to be set on every open (better-sqlite3
 * opens a WAL database with NORMAL from the second open on, and a power cut could lose a committed approval): asserted.
 * Throws StoreError when the file cannot be read or is no database.
 */
export function openDatabase(path: string | Buffer): Database {
  const isMemory = typeof path !== 'string' || path === ':memory:';
  const raw = connect(path, false);
  const writer = kysely(raw);
  const rawReader = isMemory ? null : connect(path, true);
  const reader = rawReader ? kysely(rawReader) : writer;
  return {
    writer,
    reader,
    raw,
    async close() {
      if (rawReader) await reader.destroy();
      await writer.destroy();
    },
  };
}

function connect(path: string | Buffer, isReadonly: boolean): Sqlite.Database {
  const name = typeof path === 'string' ? path : ':memory:';
  try {
    if (typeof path === 'string' && path !== ':memory:') makeFolderOf(path);
    const raw = new Sqlite(path, { readonly: isReadonly, timeout: 5000 });
    if (!isReadonly) raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = FULL');
    raw.pragma('foreign_keys = ON');
    // What a savepoint needs to undo a unit stays in memory: it is of no use after a crash.
    raw.pragma('temp_store = MEMORY');
    if (raw.pragma('synchronous', { simple: true }) !== 2) throw new Error('synchronous=FULL was not accepted');
    return raw;
  } catch (error) {
    throw new StoreError(
      `The database ${name} cannot be opened: ${(error as Error).message}. ` +
        'Check that the path is a SQLite file, that its folder is writable and that the disk is not full.',
    );
  }
}

function kysely(raw: Sqlite.Database): Kysely<Tables> {
  // Preparing costs more than running for queries this small: each text is prepared once.
  const prepared = new Map<string, Sqlite.Statement>();
  const prepare = (sql: string) => {
    const known = prepared.get(sql);
    if (known) return known;
    const statement = raw.prepare(sql);
    if (prepared.size < 500) prepared.set(sql, statement);
    return statement;
  };
  // Statements of better-sqlite3 take and give more types than Kysely's narrow interface names.
  const database = { prepare, close: () => raw.close() } as unknown as Sqlite.Database;
  const built = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
  SHORT_WAYS.set(built, (text, parameters) => {
    const statement = prepare(text);
    if (statement.reader) return { rows: statement.all(...parameters) };
    return { rows: [], numAffectedRows: BigInt(statement.run(...parameters).changes) };
  });
  return built;
}

export type Answer<Row> = { rows: Row[]; numAffectedRows?: bigint };

/**
 * Kysely's way to a statement passes a pool, plugins and half a dozen promises, which for SQLite, one connection and an
 * answer at once, cost as much as the statement. What is compiled already takes the short way, where there is one.
 */
const SHORT_WAYS = new WeakMap<Kysely<Tables>, (text: string, parameters: readonly unknown[]) => Answer<unknown>>();

/** Runs a compiled query. */
export async function execute<Row>(database: Kysely<Tables>, query: CompiledQuery<Row>): Promise<Answer<Row>> {
  const shortWay = SHORT_WAYS.get(database);
  return shortWay ? (shortWay(query.sql, query.parameters) as Answer<Row>) : database.executeQuery<Row>(query);
}

export function command(database: Kysely<Tables>, text: string): Promise<unknown> {
  return execute(database, CompiledQuery.raw(text));
}
