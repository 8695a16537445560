import { describe, expect, it, vi } from 'vitest';
import { memoryDatabase, memoryLedger } from '../support/store.ts';

describe('what is asked often', () => {
  it('does not walk through all that ever was: every such question has an index', async () => {
    const database = memoryDatabase();
    const ledger = memoryLedger(database);
    const asked: string[] = [];
    const { raw } = database;
    const prepare = raw.prepare.bind(raw);
    vi.spyOn(raw, 'prepare').mockImplementation((text) => {
      asked.push(text);
      return prepare(text);
    });
    await ledger.openRollouts(null);
    await ledger.openRollouts(null, 20);
    await ledger.openRollouts('shop/code');
    await ledger.lastSucceeded('shop/code');
    await ledger.history('shop', 10);
    await ledger.goods('shop', 'production');
    await ledger.looks('r', 'production', 'canary');
    await ledger.drifts('shop');
    await ledger.nextDueAtMs();
    await ledger.hastenBuilds('sha', 1);
    await ledger.write(async (tx) => {
      await tx.claimDue(1, 2, 3);
      await tx.cancelRemovals('shop', 'preview');
      await tx.cancelOlder('r', 1);
      await tx.knownVersion('shop', 'sha256:a');
      await tx.lastGoodByTarget('shop');
    });
    const plans = asked
      .filter((text) => /^\s*(select|update|delete|insert)\b/i.test(text))
      .flatMap((text) => prepare(`EXPLAIN QUERY PLAN ${text}`).all(...given(text)) as { detail: string }[])
      .map((row) => row.detail);
    expect(plans.length).toBeGreaterThan(12);
    // The outbox holds what is owed now, which is little; the other tables only grow.
    const walks = plans.filter((one) => /^SCAN (?!owed|one\b|other\b)/.test(one) && !/rollouts_not_over/.test(one));
    expect(walks).toEqual([]);
  });
});

/** Something for every parameter: which plan is chosen does not depend on it. */
function given(text: string): number[] {
  return Array.from({ length: text.split('?').length - 1 }, () => 1);
}
