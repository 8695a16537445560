import { readFileSync } from 'node:fs';
import type { Effect } from '../../src/core/effect.ts';
import type { ServiceSpec } from '../../src/core/pipeline.ts';
import { isOver, type PhaseName, type Rollout } from '../../src/core/rollout.ts';
import type { Performed } from '../../src/engine/perform.ts';
import { createPerform } from '../../src/perform.ts';
import { createMemoryProvider } from '../../src/providers/memory.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { createLedger } from '../../src/store/ledger.ts';
import { migrate, migrations } from '../../src/store/migrate.ts';
import { aHouse } from '../engine/world.ts';
import { START_MS } from '../support/given.ts';
import { actor, aService } from '../support/service.ts';

type Row = Record<string, unknown>;

/**
 * What the version before rollouts had a schema left behind: its engine, its commands and its store ran over the platform
 * in memory until the moment that `name` says, in a real file with the first migration alone. Nothing of it is made up.
 */
export type OldWorld = {
  name: string;
  nowMs: number;
  /** The digest on each instance of each target. */
  runs: Record<string, (string | null)[]>;
  /** Every row of every table; `state` and `body` as what they say. */
  tables: Record<string, Row[]>;
};

export const OLD_WORLDS = readFileSync(new URL('schema-1.ndjson', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as OldWorld);

export function oldWorld(name: string): OldWorld {
  const found = OLD_WORLDS.find((one) => one.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

/** The states as they were stored: typed as what they become, and lacking what has come since. */
export function storedRollouts(world: OldWorld): Rollout[] {
  return (world.tables.rollouts ?? []).map((row) => row.state as Rollout);
}

export function storedEffects(world: OldWorld): Effect[] {
  return (world.tables.owed ?? []).filter((row) => row.kind !== 'project').map((row) => row.body as Effect);
}

const TARGETS = { staging: { regions: { eu: 1 } }, eu: { regions: { eu: 4 } }, us: { regions: { us: 4 } } };

function serviceToday(): ServiceSpec {
  const service = aService({ targets: TARGETS });
  const stages = service.stages.map((stage) =>
    stage.isProtected ? { ...stage, approvals: { required: 2, expireMs: 14_400_000 } } : stage,
  );
  return { ...service, stages };
}

/** The database of that time with its rows, before and after this version has migrated it. */
export function upgradedDatabase({ tables, nowMs }: OldWorld): Database {
  const database = openDatabase(':memory:');
  migrate(database.raw, START_MS, migrations().slice(0, 1));
  for (const [table, rows] of Object.entries(tables)) {
    for (const row of rows) {
      const names = Object.keys(row);
      const values = Object.values(row).map((value) =>
        typeof value === 'object' && value !== null ? JSON.stringify(value) : value,
      );
      database.raw
        .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
        .run(values);
    }
  }
  migrate(database.raw, nowMs);
  return database;
}

/** This version's engine, started on what the old one left behind. Everything is well from now on. */
export async function upgradedHouse(world: OldWorld) {
  const database = upgradedDatabase(world);
  const ledger = createLedger(database, new GroupCommit(database.writer));
  const provider = createMemoryProvider();
  const refOf = (target: string) => ({ service: 'shop', target, options: TARGETS[target as 'eu'] });
  const { signal } = new AbortController();
  for (const [target, digests] of Object.entries(world.runs)) {
    const { instances } = await provider.observe(refOf(target), signal);
    for (const [index, { id }] of instances.entries()) provider.place(refOf(target), digests[index] ?? null, [id]);
  }
  let now = () => world.nowMs;
  const well = async (): Promise<Performed> => ({ is: 'done' });
  const perform = createPerform({
    now: () => now(),
    targetsOf: () => null,
    provider: () => ({ provider, options: (target) => refOf(target).options }),
    source: () => ({
      measure: async ({ signal }) => ({ signal, link: null, value: 0.001, samples: 500, takenAtMs: now() }),
    }),
    check: () => null,
    github: {
      watchBuild: async (_repo, sha) => ({ is: 'built', digest: `sha256:${sha}`, url: null }),
      compare: async () => 'ahead',
      isOnBranch: async () => true,
    },
    people: {
      eligibleAmong: async (_rollout, keys) => keys,
      project: well,
      announce: well,
      page: well,
      projectDrift: well,
    },
  });
  const house = aHouse({ service: serviceToday(), ledger, perform });
  now = house.clock.now;
  house.clock.advance(world.nowMs - START_MS);
  await ledger.releaseLeases();
  const seen: PhaseName[] = [];

  return {
    ...house,
    database,
    seen,
    runs: async (target: string) => (await provider.observe(refOf(target), signal)).instances.map((one) => one.digest),
    /** Until it is over: whoever has not approved does, whoever is asked tries again. Says which phases it came through. */
    async toItsEnd(id: string): Promise<Rollout> {
      for (let turn = 0; turn < 300; turn += 1) {
        const rollout = await house.rollout(id);
        const { phase } = rollout;
        if (seen.at(-1) !== phase.is) seen.push(phase.is);
        if (isOver(rollout)) return rollout;
        if (phase.is === 'gated') await house.approve(id, hasApproved(rollout, 'ben') ? 'bo' : 'ben');
        else if (phase.is === 'deciding' || phase.is === 'holding') {
          await house.act(id, (generation) => {
            return { type: 'decided', generation, actor: actor('cho'), choice: 'retry', because: null } as const;
          });
        } else await house.step();
      }
      throw new Error(`no end: ${seen}; ${house.said}`);
    },
    rollBack: (id: string) =>
      house.act(id, () => {
        return { type: 'rollback-requested', actor: actor('cho'), because: 'it hurts', to: null } as const;
      }),
  };
}

function hasApproved({ approvals }: Rollout, name: string): boolean {
  return approvals.some((one) => one.name === name);
}
