import type { Compilable, CompiledQuery, Kysely } from 'kysely';
import { type Answer, execute } from './database.ts';
import type { Tables } from './schema.ts';

/** Stands for a parameter while its query is built. */
class Slot {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A query that is built once, at its first use, and from then on only run with other parameters: building and compiling
 * one costs several times what SQLite takes to answer it. `build` gets a stand-in for each parameter, and must not look
 * into it. Constants that the plan depends on (a limit, what an index is `WHERE`) are better written out with `sql.lit`:
 * SQLite prepares a statement anew whenever such a parameter is bound.
 */
export function prepared<Given extends object, Row>(
  database: Kysely<Tables>,
  build: (given: Given) => Compilable<Row>,
): (given: Given) => Promise<Answer<Row>> {
  let compiled: CompiledQuery<Row> | null = null;
  return (given) => {
    compiled ??= build(new Proxy({}, { get: (_, name) => new Slot(String(name)) }) as Given).compile();
    const parameters = compiled.parameters.map((one) =>
      one instanceof Slot ? (given as Record<string, unknown>)[one.name] : one,
    );
    return execute<Row>(database, { ...compiled, parameters });
  };
}
