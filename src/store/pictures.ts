import type { Kysely } from 'kysely';
import type { Database } from './database.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Tables } from './schema.ts';

/** Which file of Slack shows a picture. `fileId` is empty until Slack has it; `tries` counts what failed. */
export type KeptPicture = { fileId: string; alt: string; tries: number };

/** The pictures that were given to Slack, by a key that begins with the rollout's id. */
export function createPictures(database: Database, commits: GroupCommit) {
  const tx: Kysely<Tables> = database.writer;
  // One connection (memory): a read in the middle of a transaction would see what is not committed.
  const isShared = database.reader === database.writer;
  const read = <T>(run: () => Promise<T>): Promise<T> => (isShared ? commits.write(run) : run());
  return {
    get: (key: string): Promise<KeptPicture | null> =>
      read(async () => {
        const row = await database.reader
          .selectFrom('pictures')
          .select(['file_id', 'alt', 'tries'])
          .where('key', '=', key)
          .executeTakeFirst();
        return row ? { fileId: row.file_id, alt: row.alt, tries: row.tries } : null;
      }),
    put: (key: string, picture: KeptPicture, atMs: number): Promise<void> =>
      commits.write(async () => {
        const row = { file_id: picture.fileId, alt: picture.alt, tries: picture.tries, at_ms: atMs };
        await tx
          .insertInto('pictures')
          .values({ key, ...row })
          .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
          .execute();
      }),
  };
}
