import Sqlite from 'better-sqlite3';
import { StoreError } from './database.ts';

/**
 * Holds the database for one process: a second Belay on the same file is refused. The lock is the operating system's,
 * on a file beside the database, and ends with the process however it ends. A command line beside it does not need it.
 */
export function lockDatabase(path: string): Disposable {
  if (path === ':memory:') return { [Symbol.dispose]() {} };
  const lock = new Sqlite(`${path}-lock`, { timeout: 0 });
  try {
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    throw new StoreError(
      `Another Belay already runs on ${path} (${(error as Error).message}). ` +
        'One process may use a SQLite file: stop the other one, or give this one its own database in belay.yml.',
    );
  }
  return {
    [Symbol.dispose]() {
      lock.close();
    },
  };
}
