import type { Database } from '../../../src/store/database.ts';

/** Statements by database and text: the checks run after every step, and preparing costs more than running. */
const statements = new WeakMap<object, Map<string, ReturnType<Database['raw']['prepare']>>>();

export function all<Row>(database: Database, sql: string, ...values: unknown[]): Row[] {
  const known = statements.get(database.raw) ?? new Map();
  statements.set(database.raw, known);
  const statement = known.get(sql) ?? database.raw.prepare(sql);
  known.set(sql, statement);
  return statement.all(...values) as Row[];
}
