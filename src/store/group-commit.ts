import type { Kysely } from 'kysely';
import { command } from './database.ts';
import type { Tables } from './schema.ts';

type Unit = { run: () => Promise<unknown>; resolve: (value: never) => void; reject: (error: unknown) => void };

/** How many units share a transaction at most: bounds how long a single one can wait for the others. */
const LARGEST_GROUP = 256;

/**
 * One writer. Units that are waiting when a transaction begins share it and its fsync, and one that fails takes nothing
 * of the others with it: then all of them are run once more, each behind a savepoint of its own. (Savepoints from the
 * start would cost a third of a transition: SQLite keeps a copy of every page that a unit touches.) So a unit changes
 * nothing but the database, and may run twice. A promise resolves only after the commit.
 */
export class GroupCommit {
  #database: Kysely<Tables>;
  #waiting: Unit[] = [];
  #isRunning = false;
  #epoch = 0;

  constructor(database: Kysely<Tables>) {
    this.#database = database;
  }

  /** Changes whenever what a unit has read may no longer hold for the next one: a new transaction, a unit undone. */
  get epoch(): number {
    return this.#epoch;
  }

  write<T>(run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ run, resolve: resolve as (value: never) => void, reject });
      if (!this.#isRunning) {
        this.#isRunning = true;
        // The next turn of the loop: requests that arrived together are grouped.
        setImmediate(() => void this.#drain());
      }
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, LARGEST_GROUP));
    this.#isRunning = false;
  }

  async #commit(units: Unit[]): Promise<void> {
    if (await this.#commitTogether(units)) return;
    await this.#commitApart(units);
  }

  /** False: something failed, and nothing of it happened. */
  async #commitTogether(units: Unit[]): Promise<boolean> {
    const values: unknown[] = [];
    try {
      this.#epoch += 1;
      await command(this.#database, 'BEGIN IMMEDIATE');
      for (const unit of units) values.push(await unit.run());
      await command(this.#database, 'COMMIT');
    } catch {
      await command(this.#database, 'ROLLBACK').catch(() => undefined);
      return false;
    }
    for (const [index, unit] of units.entries()) unit.resolve(values[index] as never);
    return true;
  }

  async #commitApart(units: Unit[]): Promise<void> {
    const database = this.#database;
    const done: { unit: Unit; value: unknown }[] = [];
    const failed: { unit: Unit; error: unknown }[] = [];
    try {
      this.#epoch += 1;
      await command(database, 'BEGIN IMMEDIATE');
      for (const unit of units) {
        await command(database, 'SAVEPOINT unit');
        try {
          const value = await unit.run();
          await command(database, 'RELEASE unit');
          done.push({ unit, value });
        } catch (error) {
          failed.push({ unit, error });
          this.#epoch += 1;
          await command(database, 'ROLLBACK TO unit');
          await command(database, 'RELEASE unit');
        }
      }
      await command(database, 'COMMIT');
    } catch (error) {
      // Nothing of the group was accepted: each is told so.
      await command(database, 'ROLLBACK').catch(() => undefined);
      for (const unit of units) unit.reject(error);
      return;
    }
    for (const { unit, value } of done) unit.resolve(value as never);
    for (const { unit, error } of failed) unit.reject(error);
  }
}
