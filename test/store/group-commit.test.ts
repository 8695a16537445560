import { describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { migrate } from '../../src/store/migrate.ts';
import { memoryDatabase } from '../support/store.ts';
import { aFolder } from './world.ts';

const insert = (database: Database, id: string) =>
  database.writer.insertInto('replays').values({ digest: id, expires_at_ms: 0 }).execute();
const ids = (database: Database) =>
  database.raw.prepare('SELECT digest FROM replays ORDER BY rowid').pluck().all() as string[];

/** A database whose statements of this kind fail so often, as on a full disk. */
function failing(database: Database, pattern: RegExp): { fail(times: number): void } {
  const { raw } = database;
  const prepare = raw.prepare.bind(raw);
  let left = 0;
  raw.prepare = ((sql: string) => {
    const statement = prepare(sql);
    if (!pattern.test(sql)) return statement;
    const run = statement.run.bind(statement);
    statement.run = (...values: unknown[]) => {
      if (left > 0) {
        left -= 1;
        throw new Error('database or disk is full');
      }
      return run(...values);
    };
    return statement;
  }) as typeof raw.prepare;
  return {
    fail(times) {
      left = times;
    },
  };
}

describe('group commit', () => {
  it('units that were asked for together share one transaction and run in order', async () => {
    const database = memoryDatabase();
    const commits = new GroupCommit(database.writer);
    const order: string[] = [];
    await Promise.all(
      ['a', 'b', 'c'].map((id) =>
        commits.write(async () => {
          order.push(`${id} begins`);
          expect(database.raw.inTransaction).toBe(true);
          await insert(database, id);
          order.push(`${id} ends`);
        }),
      ),
    );
    expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(ids(database)).toEqual(['a', 'b', 'c']);
    expect(database.raw.inTransaction).toBe(false);
  });

  it('one that fails takes nothing of the others with it, and is told its own error', async () => {
    const database = memoryDatabase();
    const commits = new GroupCommit(database.writer);
    const results = await Promise.allSettled([
      commits.write(() => insert(database, 'a')),
      commits.write(async () => {
        await insert(database, 'half');
        throw new Error('second thoughts');
      }),
      commits.write(() => insert(database, 'a')),
      commits.write(() => insert(database, 'b')),
    ]);
    expect(results.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { message: 'second thoughts' } });
    expect(String(results[2]?.status === 'rejected' && results[2].reason)).toMatch(/UNIQUE/);
    expect(ids(database)).toEqual(['a', 'b']);
  });

  it('T13 a failed commit rejects everybody, leaves nothing, and the next one works', async () => {
    const database = memoryDatabase();
    const commit = failing(database, /^COMMIT$/);
    const commits = new GroupCommit(database.writer);
    // The first try and the second, each unit apart.
    commit.fail(2);
    const results = await Promise.allSettled(['a', 'b'].map((id) => commits.write(() => insert(database, id))));
    expect(results.map((one) => one.status)).toEqual(['rejected', 'rejected']);
    expect(ids(database)).toEqual([]);
    await commits.write(() => insert(database, 'a'));
    expect(ids(database)).toEqual(['a']);
  });

  it('a failure that passes is seen by nobody: the units run once more', async () => {
    const database = memoryDatabase();
    const commit = failing(database, /^COMMIT$/);
    const commits = new GroupCommit(database.writer);
    commit.fail(1);
    await Promise.all(['a', 'b'].map((id) => commits.write(() => insert(database, id))));
    expect(ids(database)).toEqual(['a', 'b']);
  });

  it.each([
    ['BEGIN IMMEDIATE', 2],
    ['SAVEPOINT unit', 1],
    ['RELEASE unit', 1],
    ['RELEASE unit', 9],
  ])('T13 whoever is told "accepted" has their row, whoever is not has none: %s fails %i times', async (sql, times) => {
    const database = memoryDatabase();
    const statement = failing(database, new RegExp(`^${sql}$`));
    const commits = new GroupCommit(database.writer);
    statement.fail(times);
    const names = ['a', 'b', 'c'];
    const writes = names.map((id) => commits.write(() => insert(database, id)));
    // One that fails by itself: only then are there savepoints.
    const odd = commits.write(async () => Promise.reject(new Error('second thoughts')));
    const results = await Promise.allSettled([...writes, odd]);
    statement.fail(0);
    const accepted = names.filter((_name, index) => results[index]?.status === 'fulfilled');
    expect(accepted.length).toBeLessThan(3);
    expect(ids(database)).toEqual(accepted);
    await commits.write(() => insert(database, 'later'));
    expect(ids(database)).toEqual([...accepted, 'later']);
  });

  it('T13 resolves only after the commit: another connection sees it at that moment', async () => {
    using folder = aFolder();
    const database = openDatabase(folder.file);
    migrate(database.raw, 0);
    const commits = new GroupCommit(database.writer);
    const seenBy = async (id: string) => {
      const other = openDatabase(folder.file);
      const isThere = ids(other).includes(id);
      await other.close();
      return isThere;
    };
    let seenInside: boolean | null = null;
    const first = commits.write(async () => {
      await insert(database, 'a');
      seenInside = await seenBy('a');
    });
    const seen = Promise.all([
      first.then(() => seenBy('a')),
      commits.write(() => insert(database, 'b')).then(() => seenBy('b')),
    ]);
    expect(await seen).toEqual([true, true]);
    expect(seenInside).toBe(false);
    await database.close();
  });

  it('what is asked for while it commits is committed next, and nobody waits for ever', async () => {
    const database = memoryDatabase();
    const commits = new GroupCommit(database.writer);
    const waiting: Promise<unknown>[] = [];
    await commits.write(async () => {
      await insert(database, 'first');
      waiting.push(commits.write(() => insert(database, 'second')));
    });
    await Promise.all(waiting);
    const many = Array.from({ length: 600 }, (_, index) => commits.write(() => insert(database, `n${index}`)));
    await Promise.all(many);
    expect(ids(database)).toHaveLength(602);
  });
});
