import { beforeEach, describe, expect, it } from 'vitest';
import type { Effect } from '../../src/core/effect.ts';
import type { Due, Ledger, LedgerWriter, Owed } from '../../src/engine/ledger.ts';
import { signal } from '../core/judge/builders.ts';
import { FIRST, rolloutAt } from '../support/given.ts';
import { memoryLedger } from '../support/store.ts';
import { aDeploy, aWake, NOW_MS } from './world.ts';

const { rollout } = rolloutAt('deploying');
const LEASE_MS = 60_000;

let ledger: Ledger;
beforeEach(() => {
  ledger = memoryLedger();
});

const claim = (nowMs = NOW_MS, limit = 100) => ledger.write((tx) => tx.claimDue(nowMs, nowMs + LEASE_MS, limit));
const keys = (owed: Owed<Due>[]) => owed.map((one) => one.key.split('/').slice(2).join('/')).sort();
const owe = (...effects: Parameters<LedgerWriter['owe']>[1][]) =>
  ledger.write(async (tx) => {
    for (const effect of effects) await tx.owe(rollout, effect, NOW_MS);
  });

async function one(nowMs = NOW_MS): Promise<Owed<Due>> {
  const [owed] = await claim(nowMs);
  if (!owed) throw new Error('nothing is due');
  return owed;
}

describe('what is owed', () => {
  it('is leased to one who asks, and to nobody else meanwhile', async () => {
    await owe(aWake(rollout, 'a'), aWake(rollout, 'b'));
    expect(keys(await claim())).toEqual(['wake/a', 'wake/b']);
    expect(await claim()).toEqual([]);
  });

  it('is not claimed before it is due, nor more of it than asked for; the longest due first', async () => {
    await ledger.write(async (tx) => {
      await tx.owe(rollout, aWake(rollout, 'late'), NOW_MS + 1);
      await tx.owe(rollout, aWake(rollout, 'soon'), NOW_MS);
      await tx.owe(rollout, aWake(rollout, 'long-due'), NOW_MS - 1);
    });
    expect(keys(await claim(NOW_MS, 1))).toEqual(['wake/long-due']);
    expect(keys(await claim())).toEqual(['wake/soon']);
    expect(keys(await claim(NOW_MS + 1))).toEqual(['wake/late']);
  });

  it('T5 comes again when its lease has ended, and says that it was tried', async () => {
    await owe(aWake(rollout, 'a'));
    expect((await one()).attempts).toBe(1);
    expect(await claim(NOW_MS + LEASE_MS - 1)).toEqual([]);
    expect((await one(NOW_MS + LEASE_MS)).attempts).toBe(2);
  });

  it('T5 comes again at once after a start with the database to itself', async () => {
    await owe(aWake(rollout, 'a'));
    await claim();
    expect(await ledger.nextDueAtMs()).toBeNull();
    await ledger.releaseLeases();
    expect(await ledger.nextDueAtMs()).toBe(NOW_MS);
    expect((await one()).attempts).toBe(2);
  });

  it('T4 the same key twice is one row', async () => {
    await owe(aWake(rollout, 'a'), aWake(rollout, 'a'));
    expect(await claim()).toHaveLength(1);
  });

  it('is gone once it is settled', async () => {
    await owe(aWake(rollout, 'a'));
    const owed = await one();
    expect(await ledger.write((tx) => tx.settle(owed))).toBe(true);
    expect(await claim(NOW_MS + LEASE_MS * 2)).toEqual([]);
    expect(await ledger.write((tx) => tx.settle(owed))).toBe(false);
  });

  it('can be put off, with its tries kept or forgotten', async () => {
    await owe(aWake(rollout, 'a'));
    const owed = await one();
    await ledger.write((tx) => tx.postpone(owed, NOW_MS + 500, 7));
    expect(await ledger.nextDueAtMs()).toBe(NOW_MS + 500);
    expect(await claim()).toEqual([]);
    expect((await one(NOW_MS + 500)).attempts).toBe(8);
  });

  it('S1 a build that was hastened while it was looked at is looked at again, now', async () => {
    const key = `${rollout.id}/${rollout.generation}/watch-build`;
    const { generation, release } = rollout;
    await ledger.write(async (tx) => {
      await tx.saveRollout(rollout);
      const { repo, sha } = release;
      await tx.owe(rollout, { kind: 'watch-build', key, generation, afterMs: 0, repo, sha, check: null }, NOW_MS);
    });
    const owed = await one();
    await ledger.hastenBuilds(release.sha, NOW_MS + 1);
    await ledger.write((tx) => tx.postpone(owed, NOW_MS + 15_000, 0));
    const again = await one(NOW_MS + 1);
    await ledger.write((tx) => tx.postpone(again, NOW_MS + 15_000, 0));
    expect(await claim(NOW_MS + 14_999)).toEqual([]);
  });

  it('H1 looks at signals of a source that has something to say happen now, others at their turn', async () => {
    const baking = rolloutAt('baking').rollout;
    const look = (key: string, ...sources: string[]): Effect => ({
      key: `${baking.id}/${baking.generation}/measure/${key}`,
      generation: baking.generation,
      afterMs: 0,
      kind: 'measure',
      round: 0,
      everyMs: 30_000,
      targets: ['eu'],
      signals: sources.map((source) => signal({ source })),
      now: FIRST,
      before: null,
      sinceMs: NOW_MS,
      lastGood: null,
      without: [],
    });
    await ledger.write(async (tx) => {
      await tx.owe(baking, look('under-way', 'alerts'), NOW_MS);
      await tx.owe(baking, look('alerts', 'metrics', 'alerts'), NOW_MS + 30_000);
      await tx.owe(baking, look('metrics', 'metrics'), NOW_MS + 30_000);
      await tx.owe(baking, aWake(baking, 'bake-deadline'), NOW_MS + 30_000);
    });
    const underWay = await one();
    await ledger.hastenLooks(['alerts', 'more-alerts'], NOW_MS + 1);
    expect(keys(await claim(NOW_MS + 1))).toEqual(['measure/alerts']);
    // However many hints come, a look that is under way ends with its own answer.
    expect(await ledger.write((tx) => tx.settle(underWay))).toBe(true);
    await ledger.hastenLooks([], NOW_MS + 2);
    expect(await claim(NOW_MS + 29_999)).toEqual([]);
    expect(keys(await claim(NOW_MS + 30_000))).toEqual(['measure/metrics', 'wake/bake-deadline']);
  });

  it('carries the effect as it was decided', async () => {
    const deploy = aDeploy(rollout, 'eu');
    await owe(deploy);
    expect((await one()).due).toEqual(deploy);
  });
});

describe('T6 one effect at a time on a target', () => {
  it('while one is leased no other of that target is claimed', async () => {
    await owe(aDeploy(rollout, 'eu'));
    await claim();
    await owe(aDeploy(rollout, 'eu', { key: 'x/1/deploy/eu' }), aDeploy(rollout, 'us'));
    expect(keys(await claim())).toEqual(['deploy/us']);
  });

  it('of two that are due at the same time one is claimed, and the other when that is settled', async () => {
    await owe(aDeploy(rollout, 'eu', { key: 'x/1/a/eu' }), aDeploy(rollout, 'eu', { key: 'x/1/b/eu' }));
    const [first, ...others] = await claim();
    expect(others).toEqual([]);
    expect(await claim()).toEqual([]);
    await ledger.write(async (tx) => first && tx.settle(first));
    expect(await claim()).toHaveLength(1);
  });

  it('the target of another service is another target', async () => {
    await owe(aDeploy(rollout, 'eu'));
    const other = { ...rollout, id: 'other', service: 'billing' };
    await ledger.write((tx) => tx.owe(other, aDeploy(other, 'eu'), NOW_MS));
    expect(await claim()).toHaveLength(2);
  });

  it('each gets a larger fence than all before it on that target', async () => {
    const fences: (number | null)[] = [];
    for (const key of ['x/1/a', 'x/1/b', 'x/1/c']) {
      await owe(aDeploy(rollout, 'eu', { key }));
      const owed = await one();
      fences.push(owed.fence);
      await ledger.write((tx) => tx.settle(owed));
    }
    expect(fences).toEqual([1, 2, 3]);
    await owe(aDeploy(rollout, 'us'), aWake(rollout, 'a'));
    expect((await claim()).map((owed) => owed.fence).sort()).toEqual([1, null]);
  });

  it('what waits long ago does not starve what is due on other targets', async () => {
    await owe(aDeploy(rollout, 'eu', { key: 'x/1/a/eu' }), aDeploy(rollout, 'eu', { key: 'x/1/b/eu' }));
    await owe(aDeploy(rollout, 'us'), aWake(rollout, 'z'));
    expect(await claim(NOW_MS, 3)).toHaveLength(3);
  });
});

describe('leaving a phase', () => {
  it('cancels what older generations owed and says which, and keeps what tells people', async () => {
    const generation = rollout.generation - 1;
    const { phase } = rollout;
    await owe(
      aWake(rollout, 'old', generation),
      aWake(rollout, 'now'),
      { key: 'k/announce', generation, afterMs: 0, kind: 'announce', what: 'waiting', phase },
      { key: 'k/page', generation, afterMs: 0, kind: 'page', who: 'x', phase, round: 0 },
    );
    await ledger.write((tx) => tx.oweProjection(rollout.id, NOW_MS));
    const cancelled = await ledger.write((tx) => tx.cancelOlder(rollout.id, rollout.generation));
    expect(cancelled).toEqual([`${rollout.id}/${generation}/wake/old`]);
    expect((await claim()).map((owed) => owed.due.kind).sort()).toEqual(['announce', 'page', 'project', 'wake']);
  });

  it('cancels nothing of another rollout', async () => {
    await owe(aWake(rollout, 'a', 1));
    expect(await ledger.write((tx) => tx.cancelOlder('another', 99))).toEqual([]);
  });

  it('an answer to what was cancelled under way settles nothing', async () => {
    await owe(aWake(rollout, 'a', 1));
    const owed = await one();
    await ledger.write((tx) => tx.cancelOlder(rollout.id, rollout.generation));
    expect(await ledger.write((tx) => tx.settle(owed))).toBe(false);
    await ledger.write((tx) => tx.postpone(owed, NOW_MS, 1));
    expect(await claim()).toEqual([]);
  });
});

describe('T12 what people see follows', () => {
  const owedProjections = () => ledger.write((tx) => tx.oweProjection(rollout.id, NOW_MS));

  it('is owed once however often the rollout changes', async () => {
    for (let change = 0; change < 5; change += 1) await owedProjections();
    expect(await claim()).toHaveLength(1);
  });

  it('a change while it is being shown is shown after it, at once', async () => {
    await owedProjections();
    const shown = await one();
    await owedProjections();
    expect(await claim()).toEqual([]);
    expect(await ledger.write((tx) => tx.settle(shown))).toBe(false);
    const again = await one();
    expect(again.attempts).toBe(1);
    expect(await ledger.write((tx) => tx.settle(again))).toBe(true);
    expect(await claim()).toEqual([]);
  });
});
