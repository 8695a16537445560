import { beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { createInbox, createPosted, type Inbox } from '../../src/store/inbox.ts';
import { memoryDatabase } from '../support/store.ts';
import { NOW_MS } from './world.ts';

const delivery = (id: string) => ({ id, event: 'push', repo: 'acme/shop' });

let database: Database;
let commits: GroupCommit;
let inbox: Inbox;
let posted: ReturnType<typeof createPosted>;
beforeEach(() => {
  database = memoryDatabase();
  commits = new GroupCommit(database.writer);
  inbox = createInbox(database, commits);
  posted = createPosted(database, commits);
});

describe('S1 T8 a webhook delivery', () => {
  it('is accepted, and owed until it was processed', async () => {
    expect(await inbox.receive(delivery('a'), NOW_MS)).toBe('accepted');
    expect(await inbox.unprocessed()).toEqual([delivery('a')]);
    await inbox.processed(['a'], NOW_MS + 1);
    expect(await inbox.unprocessed()).toEqual([]);
  });

  it('that comes again is known once it was processed, not once it was seen', async () => {
    await inbox.receive(delivery('a'), NOW_MS);
    expect(await inbox.receive(delivery('a'), NOW_MS + 1)).toBe('accepted');
    expect(await inbox.unprocessed()).toHaveLength(1);
    await inbox.processed(['a'], NOW_MS + 2);
    expect(await inbox.receive(delivery('a'), NOW_MS + 3)).toBe('known');
    expect(await inbox.unprocessed()).toEqual([]);
  });

  it('several are worked off oldest first, and one by one', async () => {
    await inbox.receive(delivery('b'), NOW_MS + 1);
    await inbox.receive(delivery('a'), NOW_MS);
    await inbox.receive(delivery('c'), NOW_MS + 2);
    expect((await inbox.unprocessed()).map((one) => one.id)).toEqual(['a', 'b', 'c']);
    await inbox.processed(['a', 'c'], NOW_MS);
    expect((await inbox.unprocessed()).map((one) => one.id)).toEqual(['b']);
  });

  it('is forgotten a month after it was processed: the table grows with what comes, and no further', async () => {
    for (const id of ['a', 'b', 'c']) await inbox.receive(delivery(id), NOW_MS);
    const later = NOW_MS + 30 * 24 * 3_600_000;
    await inbox.processed(['a'], NOW_MS);
    await inbox.processed(['b'], later);
    expect(database.raw.prepare('SELECT id FROM deliveries ORDER BY id').pluck().all()).toEqual(['a', 'b', 'c']);
    await inbox.processed(['b'], later + 1);
    // Never what is still owed, however old.
    expect(database.raw.prepare('SELECT id FROM deliveries ORDER BY id').pluck().all()).toEqual(['b', 'c']);
    const plan = 'EXPLAIN QUERY PLAN DELETE FROM deliveries WHERE processed_at_ms < ?';
    expect(database.raw.prepare(plan).all(1)).toMatchObject([
      { detail: expect.stringContaining('deliveries_processed') },
    ]);
  });

  it('nothing processed is no error', async () => {
    await inbox.processed([], NOW_MS);
    expect(await inbox.unprocessed()).toEqual([]);
  });
});

describe('a signed Slack request', () => {
  it('is seen when it comes again, however often', async () => {
    expect(await inbox.seen('digest', NOW_MS, NOW_MS + 300_000)).toBe(false);
    expect(await inbox.seen('digest', NOW_MS + 1, NOW_MS + 300_001)).toBe(true);
    expect(await inbox.seen('digest', NOW_MS + 300_000, NOW_MS + 600_000)).toBe(true);
    expect(await inbox.seen('other', NOW_MS, NOW_MS + 300_000)).toBe(false);
  });

  it('two at the same moment: one of them is the first', async () => {
    const both = await Promise.all([1, 2].map(() => inbox.seen('digest', NOW_MS, NOW_MS + 300_000)));
    expect(both.sort()).toEqual([false, true]);
  });

  it('T13 is on disk before anything that the request came to change, and known to the next process', async () => {
    await inbox.seen('digest', NOW_MS, NOW_MS + 300_000);
    const atChange = await commits.write(() => database.writer.selectFrom('replays').selectAll().execute());
    expect(atChange).toEqual([{ digest: 'digest', expires_at_ms: NOW_MS + 300_000 }]);
    const next = createInbox(database, new GroupCommit(database.writer));
    expect(await next.seen('digest', NOW_MS + 1, NOW_MS + 300_001)).toBe(true);
  });

  it('is forgotten after its time', async () => {
    await inbox.seen('digest', NOW_MS, NOW_MS + 300_000);
    expect(await inbox.seen('digest', NOW_MS + 300_001, NOW_MS + 600_000)).toBe(false);
  });
});

describe('T12 where a Slack message is', () => {
  it('and what it showed last', async () => {
    expect(await posted.get('card')).toBeNull();
    await posted.put('card', { channel: 'C1', ts: '1.1', hash: 'a' }, NOW_MS);
    await posted.put('card', { channel: 'C1', ts: '1.1', hash: 'b' }, NOW_MS + 1);
    expect(await posted.get('card')).toEqual({ channel: 'C1', ts: '1.1', hash: 'b' });
    expect(await posted.get('other')).toBeNull();
  });
});
