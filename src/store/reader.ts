import { type Kysely, sql } from 'kysely';
import type { EventType } from '../core/event.ts';
import type { Release } from '../core/release.ts';
import type { Good, LedgerReader, Placement } from '../engine/ledger.ts';
import { driftReader } from './drifts.ts';
import { looksOf } from './looks.ts';
import { prepared } from './prepared.ts';
import type { Tables } from './schema.ts';
import { readState, type States } from './states.ts';

/** Written out, as all that an index is `WHERE`: with a parameter SQLite could not use it, or would plan anew each time. */
const NOT_OVER = sql.lit(0);

/** More than is written in the second that it takes to notice that the clock leapt. */
const LATEST = 2000;

/** SQLite takes -1 for no limit, PostgreSQL does not: more than any installation has. */
const ALL = 1_000_000;

/** What may be read of the ledger over one connection. */
export function reader(database: Kysely<Tables>, states: States): LedgerReader {
  const stateOf = prepared(database, (given: { id: string }) =>
    database.selectFrom('rollouts').select('state').where('id', '=', given.id),
  );
  const openIn = prepared(database, (given: { lane: string }) =>
    database
      .selectFrom('rollouts')
      .select('state')
      .where('is_over', '=', NOT_OVER)
      .where('lane', '=', given.lane)
      .orderBy('id', 'desc'),
  );
  const open = (limit: number) =>
    database
      .selectFrom('rollouts')
      .select('state')
      .where('is_over', '=', NOT_OVER)
      .orderBy('id', 'desc')
      .limit(sql.lit(limit))
      .execute();
  return {
    ...driftReader(database),
    async newestAtMs() {
      const newest = database.selectFrom('audit').select(['at_ms', 'what']).orderBy('seq', 'desc').limit(LATEST);
      let newestMs: number | null = null;
      for (const row of await newest.execute()) {
        newestMs = Math.max(newestMs ?? row.at_ms, row.at_ms);
        if (row.what === ('clock-leapt' satisfies EventType)) break;
      }
      return newestMs;
    },
    async rollout(id) {
      const [row] = (await stateOf({ id })).rows;
      return row ? states.read(row.state, id) : null;
    },
    async openRollouts(lane, limit = ALL) {
      const rows = lane === null ? await open(limit) : (await openIn({ lane })).rows.slice(0, limit);
      return rows.map((row) => readState(row.state));
    },
    async lastSucceeded(lane) {
      const row = await database
        .selectFrom('rollouts')
        .select('state')
        .where('lane', '=', lane)
        .where('kind', '=', sql.lit('release'))
        .where('phase', '=', sql.lit('succeeded'))
        .orderBy('id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row ? readState(row.state) : null;
    },
    async history(service, limit) {
      let query = database.selectFrom('rollouts').select('state').orderBy('id', 'desc').limit(limit);
      if (service !== null) query = query.where('service', '=', service);
      return (await query.execute()).map((row) => readState(row.state));
    },
    async release(service, pipeline, sha) {
      const row = await database
        .selectFrom('releases')
        .select('body')
        .where('service', '=', service)
        .where('pipeline', '=', pipeline)
        .where('sha', '=', sha)
        .executeTakeFirst();
      return row ? (JSON.parse(row.body) as Release) : null;
    },
    async releasesBetween(after, release) {
      const rows = await database
        .selectFrom('releases')
        .select('body')
        .where('service', '=', release.service)
        .where('pipeline', '=', release.pipeline)
        // GitHub counts in seconds: who merged in the same one is named too, rather than missed.
        .where('merged_at_ms', '>=', after.mergedAtMs)
        .where('merged_at_ms', '<=', release.mergedAtMs)
        .where('sha', '<>', after.sha)
        .orderBy('merged_at_ms', 'desc')
        .execute();
      return rows.map((row) => JSON.parse(row.body) as Release);
    },
    async placements(service) {
      const rows = await database.selectFrom('placements').selectAll().where('service', '=', service).execute();
      return rows.map((row): Placement => {
        return { ...placed(row), config: row.config, without: JSON.parse(row.left_out) as string[] };
      });
    },
    async goods(service, stage) {
      const rows = await database
        .selectFrom('goods')
        .selectAll()
        .where('service', '=', service)
        .where('stage', '=', stage)
        .orderBy('at_ms', 'desc')
        .execute();
      return rows.map((row): Good => placed(row));
    },
    looks: (rolloutId, stage, step) => looksOf(database, rolloutId, stage, step),
    async desired(lane) {
      const row = await database.selectFrom('lanes').selectAll().where('lane', '=', lane).executeTakeFirst();
      return row ? { sha: row.desired_sha, digest: row.desired_digest } : null;
    },
    async head(repo, branch) {
      const row = await database
        .selectFrom('repos')
        .select('head_sha')
        .where('repo', '=', repo)
        .where('branch', '=', branch)
        .executeTakeFirst();
      return row?.head_sha ?? null;
    },
  };
}

function placed(row: Tables['placements'] | Tables['goods']): Good {
  return {
    stage: row.stage,
    target: row.target,
    artifact: { digest: row.digest, sha: row.sha },
    rolloutId: row.rollout_id,
    atMs: row.at_ms,
  };
}
