import { type Kysely, sql } from 'kysely';
import type { Look } from '../core/effect.ts';
import type { Artifact, Participant, Release } from '../core/release.ts';
import { isOver } from '../core/rollout.ts';
import type { Ledger, LedgerReader, LedgerWriter } from '../engine/ledger.ts';
import { auditor } from './audit.ts';
import type { Database } from './database.ts';
import { driftWriter } from './drifts.ts';
import { recordFacts } from './facts.ts';
import type { GroupCommit } from './group-commit.ts';
import { lookRecorder } from './looks.ts';
import { outbox } from './outbox.ts';
import { prepared } from './prepared.ts';
import { reader } from './reader.ts';
import type { Tables } from './schema.ts';
import { States } from './states.ts';

/** The engine's ledger over a database; `commits` is shared with the other writers of the same database. */
export function createLedger(database: Database, commits: GroupCommit): Ledger {
  const states = new States();
  const tx = writer(database.writer, states, () => commits.epoch);
  const committed = reader(database.reader, states);
  // One connection (memory): a read in the middle of a transaction would see what is not committed.
  const isShared = database.reader === database.writer;
  const read = <T>(run: (from: LedgerReader) => Promise<T>): Promise<T> =>
    isShared ? commits.write(() => run(committed)) : run(committed);
  const nextDue = prepared(database.reader, () =>
    database.reader
      .selectFrom('owed')
      .select('due_at_ms')
      .where('lease_until_ms', 'is', null)
      .orderBy('due_at_ms')
      .limit(sql.lit(1)),
  );
  return {
    write: (unit) => commits.write(() => unit(tx)),
    newestAtMs: () => read((from) => from.newestAtMs()),
    nextDueAtMs: async () => (await nextDue({})).rows[0]?.due_at_ms ?? null,
    hastenBuilds: (sha, nowMs) =>
      commits.write(async () => {
        await database.writer
          .updateTable('owed')
          .set({ due_at_ms: nowMs, version: sql`version + 1` })
          .where('kind', '=', 'watch-build')
          // Asked of each of the few that wait: to look for the commit first would walk through all that ever was.
          .where((row) =>
            row.exists(
              row.selectFrom('rollouts').select('id').whereRef('id', '=', 'owed.rollout_id').where('sha', '=', sha),
            ),
          )
          .execute();
      }),
    hastenLooks: (sources, nowMs) =>
      commits.write(async () => {
        const waiting = await database.writer
          .selectFrom('owed')
          .select(['key', 'body'])
          .where('kind', '=', 'measure')
          .where('lease_until_ms', 'is', null)
          .where('due_at_ms', '>', nowMs)
          .execute();
        for (const { key, body } of waiting) {
          const { signals } = JSON.parse(body) as Look;
          if (!signals.some((one) => sources.includes(one.source))) continue;
          await database.writer.updateTable('owed').set({ due_at_ms: nowMs }).where('key', '=', key).execute();
        }
      }),
    releaseLeases: () =>
      commits.write(async () => {
        await database.writer
          .updateTable('owed')
          .set({ lease_until_ms: null })
          .where('lease_until_ms', 'is not', null)
          .execute();
      }),
    rollout: (id) => read((from) => from.rollout(id)),
    openRollouts: (lane, limit) => read((from) => from.openRollouts(lane, limit)),
    lastSucceeded: (lane) => read((from) => from.lastSucceeded(lane)),
    history: (service, limit) => read((from) => from.history(service, limit)),
    release: (service, pipeline, sha) => read((from) => from.release(service, pipeline, sha)),
    releasesBetween: (after, release) => read((from) => from.releasesBetween(after, release)),
    placements: (service) => read((from) => from.placements(service)),
    goods: (service, stage) => read((from) => from.goods(service, stage)),
    looks: (rolloutId, stage, step) => read((from) => from.looks(rolloutId, stage, step)),
    desired: (lane) => read((from) => from.desired(lane)),
    head: (repo, branch) => read((from) => from.head(repo, branch)),
    drift: (service, target) => read((from) => from.drift(service, target)),
    drifts: (service) => read((from) => from.drifts(service)),
  };
}

function writer(database: Kysely<Tables>, states: States, epoch: () => number): LedgerWriter {
  const recordLook = lookRecorder(database);
  const save = prepared(database, (given: Tables['rollouts']) => {
    return database
      .insertInto('rollouts')
      .values({
        id: given.id,
        lane: given.lane,
        service: given.service,
        kind: given.kind,
        sha: given.sha,
        phase: given.phase,
        generation: given.generation,
        is_over: given.is_over,
        created_at_ms: given.created_at_ms,
        state: given.state,
      })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((row) => ({
          phase: row.ref('excluded.phase'),
          generation: row.ref('excluded.generation'),
          is_over: row.ref('excluded.is_over'),
          state: row.ref('excluded.state'),
        })),
      );
  });
  return {
    ...reader(database, states),
    ...outbox(database),
    ...driftWriter(database),
    async saveRollout(rollout) {
      await save({
        id: rollout.id,
        lane: rollout.lane,
        service: rollout.service,
        kind: rollout.kind,
        sha: rollout.release.sha,
        phase: rollout.phase.is,
        generation: rollout.generation,
        is_over: isOver(rollout) ? 1 : 0,
        created_at_ms: rollout.createdAtMs,
        state: states.write(rollout),
      });
    },
    async addRelease(release) {
      const { id, service, pipeline, sha } = release;
      const result = await database
        .insertInto('releases')
        .values({ id, service, pipeline, sha, merged_at_ms: release.mergedAtMs, body: JSON.stringify(release) })
        .onConflict((conflict) => conflict.columns(['service', 'pipeline', 'sha']).doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    async setHead(repo, branch, sha, atMs) {
      await database
        .insertInto('repos')
        .values({ repo, branch, head_sha: sha, read_at_ms: atMs })
        .onConflict((conflict) => conflict.columns(['repo', 'branch']).doUpdateSet({ head_sha: sha, read_at_ms: atMs }))
        .execute();
    },
    record: (rollout, generation, facts) => recordFacts(database, recordLook, rollout, generation, facts),
    async participantsSince(afterSha, release) {
      const { service, pipeline } = release;
      const base = afterSha
        ? await database
            .selectFrom('releases')
            .select('merged_at_ms')
            .where('service', '=', service)
            .where('pipeline', '=', pipeline)
            .where('sha', '=', afterSha)
            .executeTakeFirst()
        : undefined;
      // Without a known beginning the change is at least the release itself.
      const fromMs = base?.merged_at_ms ?? release.mergedAtMs;
      const rows = await database
        .selectFrom('releases')
        .select('body')
        .where('service', '=', service)
        .where('pipeline', '=', pipeline)
        // GitHub counts in seconds: who merged in the same one as what is desired is asked for too, rather than missed.
        .where('merged_at_ms', '>=', fromMs)
        .where('merged_at_ms', '<=', release.mergedAtMs)
        .where('sha', '<>', afterSha ?? '')
        .execute();
      const participants = new Map<string, Participant>();
      for (const row of [{ body: JSON.stringify(release) }, ...rows]) {
        for (const one of (JSON.parse(row.body) as Release).participants) {
          participants.set(`${one.githubId ?? one.login}/${one.part}`, one);
        }
      }
      return [...participants.values()];
    },
    async lastGoodByTarget(service) {
      const rows = await database
        .selectFrom('goods')
        .leftJoin('placements', (join) =>
          join.onRef('placements.service', '=', 'goods.service').onRef('placements.target', '=', 'goods.target'),
        )
        .select(['goods.target', 'goods.digest', 'goods.sha', 'placements.digest as placed'])
        .where('goods.service', '=', service)
        .orderBy('goods.at_ms')
        .orderBy('goods.rollout_id')
        .execute();
      const placed = await database.selectFrom('placements').select('target').where('service', '=', service).execute();
      const byTarget: Record<string, Artifact | null> = Object.fromEntries(placed.map((one) => [one.target, null]));
      const isPlaced = new Set<string>();
      for (const row of rows) {
        // What runs there now, when it was good, wins over a newer version that was taken back since.
        if (isPlaced.has(row.target)) continue;
        byTarget[row.target] = { digest: row.digest, sha: row.sha };
        if (row.placed === row.digest) isPlaced.add(row.target);
      }
      return byTarget;
    },
    audit: auditor(database, epoch),
  };
}
