import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import type { GroupCommit } from './group-commit.ts';
import { prepared } from './prepared.ts';
import type { Tables } from './schema.ts';

/**
 * GitHub redelivers, when it is asked to, what is some days old. One that comes later still is only looked at once more,
 * which changes nothing.
 */
const KEPT_MS = 30 * 24 * 3_600_000;

export type Delivery = { id: string; event: string; repo: string };

/** Webhook deliveries and Slack requests: accepted once they are committed, harmless when they come again. */
export function createInbox(database: Database, commits: GroupCommit) {
  const tx: Kysely<Tables> = database.writer;
  const receive = prepared(tx, (given: Delivery & { atMs: number }) =>
    tx
      .insertInto('deliveries')
      .values({
        id: given.id,
        event: given.event,
        repo: given.repo,
        received_at_ms: given.atMs,
        processed_at_ms: null,
      })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ event: sql`deliveries.event` }))
      .returning('processed_at_ms'),
  );
  const forget = prepared(tx, ({ nowMs }: { nowMs: number }) =>
    tx.deleteFrom('replays').where('expires_at_ms', '<', nowMs),
  );
  const note = prepared(tx, (given: Tables['replays']) =>
    tx
      .insertInto('replays')
      .values({ digest: given.digest, expires_at_ms: given.expires_at_ms })
      .onConflict((conflict) => conflict.column('digest').doNothing()),
  );
  /** The one process that writes here knows all that was noted: since it started, and before from the table. */
  const recent = new Map<string, number>();
  for (const row of database.raw.prepare('SELECT digest, expires_at_ms FROM replays').all() as Tables['replays'][]) {
    recent.set(row.digest, row.expires_at_ms);
  }
  return {
    /**
     * Accepts a delivery durably. `known`: it was processed before. One that was received and never processed is
     * owed again: GitHub redelivers under the same id.
     */
    receive: (delivery: Delivery, atMs: number): Promise<'accepted' | 'known'> =>
      commits.write(async () => {
        const { rows } = await receive({ ...delivery, atMs });
        return (rows[0]?.processed_at_ms ?? null) === null ? 'accepted' : 'known';
      }),
    unprocessed: (): Promise<Delivery[]> =>
      commits.write(() =>
        tx
          .selectFrom('deliveries')
          .select(['id', 'event', 'repo'])
          .where('processed_at_ms', 'is', null)
          .orderBy('received_at_ms')
          .limit(1000)
          .execute(),
      ),
    processed: (ids: string[], atMs: number): Promise<void> =>
      commits.write(async () => {
        await tx.updateTable('deliveries').set({ processed_at_ms: atMs }).where('id', 'in', ids).execute();
        await tx
          .deleteFrom('deliveries')
          .where('processed_at_ms', '<', atMs - KEPT_MS)
          .execute();
      }),
    /**
     * True: this signed request was accepted before. Whoever handles it need not wait for the disk: the note is the next
     * thing to be written, so it is there with, or before, whatever the request comes to change.
     */
    seen: async (digest: string, nowMs: number, expiresAtMs: number): Promise<boolean> => {
      if ((recent.get(digest) ?? 0) >= nowMs) return true;
      for (const [old, endsAtMs] of recent) if (endsAtMs < nowMs) recent.delete(old);
      recent.set(digest, expiresAtMs);
      commits
        .write(async () => {
          await forget({ nowMs });
          await note({ digest, expires_at_ms: expiresAtMs });
        })
        // A disk that takes no note takes no change either; the request itself may come again.
        .catch(() => recent.delete(digest));
      return false;
    },
  };
}

export type Inbox = ReturnType<typeof createInbox>;

/** Where each Slack message is and what it showed last. */
export function createPosted(database: Database, commits: GroupCommit) {
  const tx: Kysely<Tables> = database.writer;
  // One connection (memory): a read in the middle of a transaction would see what is not committed.
  const isShared = database.reader === database.writer;
  const read = <T>(run: () => Promise<T>): Promise<T> => (isShared ? commits.write(run) : run());
  return {
    get: (key: string): Promise<{ channel: string; ts: string; hash: string } | null> =>
      read(async () => {
        const row = await database.reader
          .selectFrom('posted')
          .select(['channel', 'ts', 'hash'])
          .where('key', '=', key)
          .executeTakeFirst();
        return row ?? null;
      }),
    put: (key: string, message: { channel: string; ts: string; hash: string }, atMs: number): Promise<void> =>
      commits.write(async () => {
        const row = { ...message, at_ms: atMs };
        await tx
          .insertInto('posted')
          .values({ key, ...row })
          .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
          .execute();
      }),
  };
}
