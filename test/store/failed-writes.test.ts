import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import type { ServiceSpec } from '../../src/core/pipeline.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { applyEvent } from '../../src/engine/apply.ts';
import { createCommands } from '../../src/engine/commands.ts';
import type { Ledger } from '../../src/engine/ledger.ts';
import { verifyAudit } from '../../src/store/audit.ts';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/database.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { createLedger } from '../../src/store/ledger.ts';
import {
  approvedBy,
  decidedBy,
  rejectedBy,
  rollbackBy,
  rolloutAt,
  type Scene,
  supersededBy,
  type When,
  woke,
} from '../support/given.ts';
import { actor, aRelease, aService } from '../support/service.ts';
import { memoryDatabase, sha256 } from '../support/store.ts';
import { NOW_MS } from './world.ts';

/** Every table as text: two databases with the same are the same. */
function contents(database: Database): string {
  const tables = database.raw
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .pluck()
    .all();
  return JSON.stringify(tables.map((name) => [name, database.raw.prepare(`SELECT * FROM ${name}`).all()]));
}

/** A ledger on a copy of `image` whose disk is full from the n-th write on, until it is freed. */
function failingAt(image: Buffer, n: number) {
  const database = openDatabase(image);
  const { raw } = database;
  const prepare = raw.prepare.bind(raw);
  let writes = 0;
  let isFreed = false;
  const guard = <T>(sql: string, run: () => T): T => {
    if (!isFreed && /^\s*(insert|update|delete|commit|begin|savepoint|release)/i.test(sql)) {
      writes += 1;
      if (writes >= n) throw new Error('SQLITE_FULL: database or disk is full');
    }
    return run();
  };
  const free = () => {
    isFreed = true;
  };
  raw.prepare = ((sql: string) => {
    const statement = prepare(sql);
    const run = statement.run.bind(statement);
    const all = statement.all.bind(statement);
    statement.run = (...values: unknown[]) => guard(sql, () => run(...values));
    statement.all = (...values: unknown[]) => guard(sql, () => all(...values));
    return statement;
  }) as typeof raw.prepare;
  const ledger = createLedger(database, new GroupCommit(database.writer));
  return { database, ledger, free, hasFailed: () => writes >= n };
}

type Scenario = (ledger: Ledger) => Promise<unknown>;

/** Fails the n-th write of the scenario for every n: after it nothing is half written, and the same again succeeds. */
async function failEveryWrite(image: Buffer, scenario: Scenario): Promise<number> {
  const never = failingAt(image, Number.POSITIVE_INFINITY);
  const before = contents(never.database);
  await scenario(never.ledger);
  const after = contents(never.database);
  expect(after).not.toBe(before);
  for (let n = 1; n < 200; n += 1) {
    const { database, ledger, free, hasFailed } = failingAt(image, n);
    const first = await scenario(ledger).then(
      () => 'accepted',
      () => 'refused',
    );
    if (!hasFailed()) return n - 1;
    expect(first).toBe('refused');
    expect(contents(database)).toBe(before);
    free();
    await scenario(ledger);
    expect(contents(database)).toBe(after);
    expect((await verifyAudit(database.writer)).problems).toEqual([]);
    database.raw.close();
  }
  throw new Error('no end of writes');
}

/** A database in which these rollouts are as they are, with what they owe. */
async function holding(...scenes: Scene[]): Promise<Buffer> {
  const database = memoryDatabase();
  const ledger = createLedger(database, new GroupCommit(database.writer));
  await ledger.write(async (tx) => {
    for (const { rollout, owed, facts, nowMs } of scenes) {
      await tx.addRelease(rollout.release);
      await tx.saveRollout(rollout);
      for (const effect of owed) await tx.owe(rollout, effect, nowMs + effect.afterMs);
      await tx.record(
        rollout,
        rollout.generation - 1,
        facts.filter((one) => one.fact === 'good' || one.fact === 'placed'),
      );
    }
  });
  const image = database.raw.serialize();
  database.raw.close();
  return image;
}

const service: ServiceSpec = aService();

function commandsOn(ledger: Ledger) {
  let id = 0;
  const newId = () => {
    id += 1;
    return `new-${id}`;
  };
  return createCommands({
    ledger,
    engine: { afterCommit() {} },
    now: () => NOW_MS + 60_000,
    newId,
    hash: sha256,
    readFacts: async () => null,
  });
}

const event =
  (scene: Scene, when: When): Scenario =>
  (ledger) => {
    const happened: Event = when(scene.rollout, scene.nowMs + 1000);
    return ledger.write((tx) => applyEvent(tx, scene.rollout.id, happened));
  };

const good =
  (type: 'deployed' | 'rolled-back'): When =>
  (rollout: Rollout, atMs) => ({ type, atMs, generation: rollout.generation, target: 'us' });

const EVENTS: [string, Scene, When][] = [
  ['an approval', rolloutAt('gated'), approvedBy('ben')],
  ['a refusal', rolloutAt('gated'), approvedBy('ana')],
  ['a reject', rolloutAt('gated'), rejectedBy('ben')],
  ['a supersede', rolloutAt('gated'), supersededBy('r2')],
  ['the deadline of a build', rolloutAt('building'), woke('build-deadline')],
  ['the last deploy of a step', rolloutAt('deploying', { step: 'wave 1' }), good('deployed')],
  ['a decision', rolloutAt('deciding'), decidedBy('cho', 'continue', 'known')],
  ['a hold', rolloutAt('deciding'), decidedBy('cho', 'hold')],
  ['a countdown', rolloutAt('deciding'), woke('countdown')],
  ['a rollback', rolloutAt('baking'), rollbackBy('dan')],
  ['one target that is back', rolloutAt('rolling-back'), good('rolled-back')],
];

describe('T13 the disk fills up at every single write of', () => {
  it.each(EVENTS)('%s: nothing is half written, and again it succeeds', async (name, scene, when) => {
    const writes = await failEveryWrite(await holding(scene), event(scene, when));
    // A refusal writes its row of the audit and nothing else, between the begin and the commit.
    if (name === 'a refusal') expect(writes).toBe(3);
    else expect(writes).toBeGreaterThan(3);
  });

  it('merges that are recorded with their rollouts', async () => {
    const releases = [aRelease(1), aRelease(2)];
    const image = await holding();
    const writes = await failEveryWrite(image, (ledger) =>
      commandsOn(ledger).recordMerges(service, { headSha: aRelease(2).sha, releases }),
    );
    expect(writes).toBeGreaterThan(15);
  });

  it('a newer green release that takes the lane of one that waits', async () => {
    const older = rolloutAt('gated');
    const newer = rolloutAt('building', { id: 'rollout-2', release: aRelease(2) });
    const { generation } = newer.rollout;
    const artifact = { digest: 'sha256:2', sha: aRelease(2).sha };
    const built = { type: 'built', atMs: NOW_MS + 1, generation, artifact, url: null } as const;
    const writes = await failEveryWrite(await holding(older, newer), (ledger) =>
      ledger.write((tx) => applyEvent(tx, 'rollout-2', built)),
    );
    expect(writes).toBeGreaterThan(15);
  });

  it('a rollback that takes over the lane', async () => {
    const shipped = rolloutAt('succeeded');
    const live = rolloutAt('gated', { id: 'rollout-2', release: aRelease(2) });
    const command = { service, stage: null, to: null, actor: actor('dan'), because: 'it hurts' };
    const writes = await failEveryWrite(await holding(shipped, live), async (ledger) => {
      const outcome = await commandsOn(ledger).rollback(command);
      expect(outcome.is).toBe('accepted');
    });
    expect(writes).toBeGreaterThan(15);
  });
});
