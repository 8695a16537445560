import Sqlite from 'better-sqlite3';
import { StoreError } from './database.ts';
import { makeFolderOf } from './folder.ts';

/**
 * Holds the database for one process: a second Belay on the same file is refused. The lock is the operating system's,
 * on a file beside the database, and ends with the process however it ends. A command line beside it does not need it.
 */
export function lockDatabase(path: string): Disposable {
  if (path === ':memory:') return { [Symbol.dispose]() {} };
  const lock = openLock(`${path}-lock`);
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

function openLock(path: string): Sqlite.Database {
  try {
    // The first start may be the first to need the folder.
    makeFolderOf(path);
    return new Sqlite(path, { timeout: 0 });
  } catch (error) {
    throw new StoreError(
      `The file ${path} cannot be made: ${(error as Error).message}. ` +
        'Belay writes beside its database: give it a folder that it may write to, as database in belay.yml.',
    );
  }
}
