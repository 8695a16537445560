import { beforeEach, describe, expect, it } from 'vitest';
import type { Fact } from '../../src/core/decision.ts';
import type { Artifact } from '../../src/core/release.ts';
import type { Ledger } from '../../src/engine/ledger.ts';
import type { Database } from '../../src/store/database.ts';
import { PHASES, rolloutAt } from '../support/given.ts';
import { aRelease } from '../support/service.ts';
import { memoryDatabase, memoryLedger } from '../support/store.ts';
import { NOW_MS } from './world.ts';

let database: Database;
let ledger: Ledger;
beforeEach(() => {
  database = memoryDatabase();
  ledger = memoryLedger(database);
});

const { rollout } = rolloutAt('gated');
const version = (n: number): Artifact => ({ digest: `sha256:v${n}`, sha: String(n).repeat(40) });
const count = (table: string) => database.raw.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
const record = (...facts: Fact[]) => ledger.write((tx) => tx.record(rollout, rollout.generation, facts));
const good = (n: number, atMs = n, targets = ['eu', 'us']): Fact => ({
  fact: 'good',
  stage: 'production',
  targets,
  artifact: version(n),
  atMs,
});
const placed = (n: number, target = 'eu'): Fact => ({
  fact: 'placed',
  stage: 'production',
  target,
  artifact: version(n),
  config: `c${n}`,
  without: n === 2 ? ['eu-4'] : [],
  atMs: n,
});
const decision: Fact = { fact: 'decision', by: 'slack:T1/U0CHO', name: 'cho', choice: 'retry', because: null, atMs: 1 };

it('D2 finds what was merged after one release up to another, newest first, and nothing of another pipeline', async () => {
  await ledger.write(async (tx) => {
    for (const n of [1, 2, 3, 4]) await tx.addRelease(aRelease(n));
    await tx.addRelease(aRelease(5, { pipeline: 'assets', mergedAtMs: aRelease(2).mergedAtMs }));
  });
  expect(await ledger.releasesBetween(aRelease(1), aRelease(3))).toEqual([aRelease(3), aRelease(2)]);
});

describe('a rollout', () => {
  it.each(PHASES)('that is %s comes back as it was saved', async (name) => {
    const saved = rolloutAt(name).rollout;
    await ledger.write((tx) => tx.saveRollout(saved));
    expect(await ledger.rollout(saved.id)).toEqual(saved);
  });

  it('is open until it is over, on its lane and of its service', async () => {
    const over = { ...rolloutAt('aborted').rollout, id: 'over' };
    const elsewhere = { ...rollout, id: 'elsewhere', lane: 'billing/code', service: 'billing' };
    await ledger.write(async (tx) => {
      for (const one of [rollout, over, elsewhere]) await tx.saveRollout(one);
    });
    const ids = (all: { id: string }[]) => all.map((one) => one.id);
    expect(ids(await ledger.openRollouts(rollout.lane))).toEqual([rollout.id]);
    expect(ids(await ledger.openRollouts(null)).sort()).toEqual(['elsewhere', rollout.id].sort());
    expect(ids(await ledger.history('shop', 10)).sort()).toEqual(['over', rollout.id].sort());
    expect(await ledger.history(null, 2)).toHaveLength(2);
    expect(await ledger.rollout('nobody')).toBeNull();
  });
});

describe('a release', () => {
  it('T8 is recorded once for its service, pipeline and commit, however often it is reported', async () => {
    expect(await ledger.write((tx) => tx.addRelease(aRelease(1)))).toBe(true);
    expect(await ledger.write((tx) => tx.addRelease(aRelease(1, { id: 'another', title: 'changed' })))).toBe(false);
    expect(await ledger.release('shop', 'code', aRelease(1).sha)).toEqual(aRelease(1));
    expect(await ledger.write((tx) => tx.addRelease(aRelease(1, { id: 'b', pipeline: 'config' })))).toBe(true);
    expect(await ledger.release('shop', 'assets', aRelease(1).sha)).toBeNull();
  });

  it('the head of a branch is the one that was read last', async () => {
    expect(await ledger.head('acme/shop', 'main')).toBeNull();
    await ledger.write((tx) => tx.setHead('acme/shop', 'main', 'a', 1));
    await ledger.write((tx) => tx.setHead('acme/shop', 'main', 'b', 2));
    expect(await ledger.head('acme/shop', 'main')).toBe('b');
  });
});

describe('T1 who took part between what runs and what would run', () => {
  const by = (n: number, githubId: number | null, login: string, mergedAtMs = aRelease(n).mergedAtMs) =>
    aRelease(n, { mergedAtMs, participants: [{ part: 'author', githubId, login, isBot: false }] });
  const since = (afterSha: string | null, n: number, releases: ReturnType<typeof by>[]) =>
    ledger.write(async (tx) => {
      for (const release of releases) await tx.addRelease(release);
      const release = releases[n - 1];
      if (!release) throw new Error(`no release ${n}`);
      return (await tx.participantsSince(afterSha, release)).map((one) => one.login).sort();
    });

  it('is everybody after what is desired, up to this release', async () => {
    const all = [by(1, 1, 'one'), by(2, 2, 'two'), by(3, 3, 'three'), by(4, 4, 'four')];
    expect(await since(aRelease(1).sha, 3, all)).toEqual(['three', 'two']);
    expect(await since(aRelease(3).sha, 3, all)).toEqual(['three']);
  });

  it('without a known beginning it is at least those of the release itself', async () => {
    const all = [by(1, 1, 'one'), by(2, 2, 'two')];
    expect(await since(null, 2, all)).toEqual(['two']);
    expect(await since('unknown', 2, all)).toEqual(['two']);
  });

  it('counts those whose change was merged in the same second as what is desired', async () => {
    const { mergedAtMs } = aRelease(1);
    const all = [by(1, 1, 'one'), by(2, 2, 'two', mergedAtMs), by(3, 3, 'three')];
    expect(await since(aRelease(1).sha, 3, all)).toEqual(['three', 'two']);
  });

  it('keeps those apart whom GitHub could not match to an account', async () => {
    const all = [by(1, 1, 'one'), by(2, null, 'x'), by(3, null, 'y')];
    expect(await since(aRelease(1).sha, 3, all)).toEqual(['x', 'y']);
  });
});

describe('what ran and what was good', () => {
  it('a placement says what runs on a target now', async () => {
    await record(placed(1), placed(1, 'us'), placed(2));
    const now = (await ledger.placements('shop')).map((one) => `${one.target} ${one.artifact.digest}`).sort();
    expect(now).toEqual(['eu sha256:v2', 'us sha256:v1']);
    expect(await ledger.placements('billing')).toEqual([]);
  });

  it('R6 a placement keeps the configuration that was read back, and the instances that were left out', async () => {
    await record(placed(1, 'us'), placed(2));
    const kept = (await ledger.placements('shop')).map((one) => [one.target, one.config, one.without]);
    expect(kept.sort()).toEqual([
      ['eu', 'c2', ['eu-4']],
      ['us', 'c1', []],
    ]);
  });

  it('good versions come newest first; one that was good again is new again', async () => {
    await record(good(1), good(2), good(3));
    const digests = async () =>
      (await ledger.goods('shop', 'production')).filter((one) => one.target === 'eu').map((one) => one.artifact.digest);
    expect(await digests()).toEqual(['sha256:v3', 'sha256:v2', 'sha256:v1']);
    await record(good(1, 9));
    expect(await digests()).toEqual(['sha256:v1', 'sha256:v3', 'sha256:v2']);
    expect(await ledger.goods('shop', 'staging')).toEqual([]);
  });

  it('the last good one of a target is the one that runs there, before a newer one that was taken back', async () => {
    const lastGood = () => ledger.write((tx) => tx.lastGoodByTarget('shop'));
    expect(await lastGood()).toEqual({});
    // Placed there, and never good: nothing that could be adopted.
    await record(placed(9));
    expect(await lastGood()).toEqual({ eu: null });
    await record(good(1), good(2));
    expect((await lastGood()).eu).toEqual(version(2));
    await record(placed(1));
    expect(await lastGood()).toEqual({ eu: version(1), us: version(2) });
    // What runs there was never good: the newest that was.
    await record(placed(3));
    expect((await lastGood()).eu).toEqual(version(2));
  });

  it('what a lane wishes to run is what was said last', async () => {
    expect(await ledger.desired(rollout.lane)).toBeNull();
    await record(
      { fact: 'desired', artifact: version(1), atMs: 1 },
      { fact: 'desired', artifact: version(2), atMs: 2 },
    );
    expect(await ledger.desired(rollout.lane)).toEqual({ sha: version(2).sha, digest: 'sha256:v2' });
  });
});

describe('T3 a decision and an approval are rows with a unique key', () => {
  it('a second decision about the same state fails its whole transaction and leaves nothing', async () => {
    await record(decision);
    const second = ledger.write(async (tx) => {
      await tx.saveRollout(rollout);
      await tx.audit({ rolloutId: rollout.id, actor: 'x', what: 'y', body: {} }, NOW_MS);
      await tx.oweProjection(rollout.id, NOW_MS);
      await tx.record(rollout, rollout.generation, [{ ...decision, by: 'slack:T1/U0BEN', choice: 'roll-back' }]);
    });
    await expect(second).rejects.toThrow(/UNIQUE/);
    expect([count('rollouts'), count('audit'), count('owed'), count('decisions')]).toEqual([0, 0, 0, 1]);
  });

  it('a decision about the next state is another one', async () => {
    await record(decision);
    await ledger.write((tx) => tx.record(rollout, rollout.generation + 1, [decision]));
    expect(count('decisions')).toBe(2);
  });

  it('an approval of the same person for the same gate is one, of another person another', async () => {
    const approval = rolloutAt('clearing').rollout.approvals[0];
    if (!approval) throw new Error('no approval');
    const fact: Fact = { fact: 'approval', stage: 'production', verdict: 'approved', approval, because: null };
    await record(fact);
    await expect(record(fact)).rejects.toThrow(/UNIQUE/);
    await record({ ...fact, approval: { ...approval, by: 'slack:T1/U0BO' } });
    expect(count('approvals')).toBe(2);
    const row = database.raw.prepare('SELECT digest, plan_hash, policy_hash FROM approvals').get();
    const { digest, planHash: plan_hash, policyHash: policy_hash } = approval.binding;
    expect(row).toEqual({ digest, plan_hash, policy_hash });
  });
});
