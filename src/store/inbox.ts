import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Tables } from './schema.ts';

export type Delivery = { id: string; event: string; repo: string };

/** Webhook deliveries and Slack requests: accepted once they are committed, harmless when they come again. */
export function createInbox(database: Database, commits: GroupCommit) {
  const tx: Kysely<Tables> = database.writer;
  return {
    /**
     * Accepts a delivery durably. `known`: it was processed before. One that was received and never processed is
     * owed again: GitHub redelivers under the same id.
     */
    receive: (delivery: Delivery, atMs: number): Promise<'accepted' | 'known'> =>
      commits.write(async () => {
        const row = await tx
          .insertInto('deliveries')
          .values({ ...delivery, received_at_ms: atMs, processed_at_ms: null })
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ event: sql`deliveries.event` }))
          .returning('processed_at_ms')
          .executeTakeFirstOrThrow();
        return row.processed_at_ms === null ? 'accepted' : 'known';
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
      }),
    /** True: this signed request was accepted before. Rows past their time are removed on the way. */
    seen: (digest: string, nowMs: number, expiresAtMs: number): Promise<boolean> =>
      commits.write(async () => {
        await tx.deleteFrom('replays').where('expires_at_ms', '<', nowMs).execute();
        const result = await tx
          .insertInto('replays')
          .values({ digest, expires_at_ms: expiresAtMs })
          .onConflict((conflict) => conflict.column('digest').doNothing())
          .executeTakeFirst();
        return (result.numInsertedOrUpdatedRows ?? 0n) === 0n;
      }),
  };
}

export type Inbox = ReturnType<typeof createInbox>;

/** Where each Slack message is and what it showed last. */
export function createPosted(database: Database, commits: GroupCommit) {
  const tx: Kysely<Tables> = database.writer;
  return {
    get: (key: string): Promise<{ channel: string; ts: string; hash: string } | null> =>
      commits.write(async () => {
        const row = await tx
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
