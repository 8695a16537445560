import { beforeEach, describe, expect, it } from 'vitest';
import type { DriftCase } from '../../src/core/drift-case.ts';
import type { Ledger } from '../../src/engine/ledger.ts';
import type { Database } from '../../src/store/database.ts';
import { aRecord, four, given, OTHER } from '../support/drifted.ts';
import { rolloutAt } from '../support/given.ts';
import { memoryDatabase, memoryLedger } from '../support/store.ts';

const NOW_MS = 1_000_000;
const open = given(four(OTHER)).known;
const decision = { by: 'slack:T1/U0CHO', name: 'cho', choice: 'fix-drift', because: null, atMs: NOW_MS };

let database: Database;
let ledger: Ledger;

beforeEach(() => {
  database = memoryDatabase();
  ledger = memoryLedger(database);
});

const save = (known: DriftCase) => ledger.write((tx) => tx.saveDrift(known));
const count = (table: string) => database.raw.prepare(`SELECT count(*) FROM ${table}`).pluck().get();

describe('R6 what is known of a target', () => {
  it('comes back as it was saved, and the newest state is the one', async () => {
    expect(await ledger.drift('shop', 'eu')).toBeNull();
    const gone = given(four(OTHER), four()).known;
    for (const known of [open, gone, { ...open, target: 'us' }, { ...open, service: 'billing' }]) await save(known);
    expect(await ledger.drift('shop', 'eu')).toEqual(gone);
    expect((await ledger.drifts('shop')).map((one) => one.target)).toEqual(['eu', 'us']);
    expect(await ledger.drifts(null)).toHaveLength(3);
    const row = database.raw.prepare("SELECT number, phase FROM drifts WHERE service = 'shop' AND target = 'us'").get();
    expect(row).toEqual({ number: 1, phase: 'open' });
  });

  it('T3 one decision about one state: a second one fails the whole transaction', async () => {
    await ledger.write((tx) => tx.recordDriftDecision(open, decision));
    const second = ledger.write(async (tx) => {
      await tx.saveDrift(open);
      await tx.recordDriftDecision(open, { ...decision, name: 'dan' });
    });
    await expect(second).rejects.toThrow();
    expect([count('decisions'), count('drifts')]).toEqual([1, 0]);
  });

  it('what is accepted takes the place of what was placed', async () => {
    const { rollout } = rolloutAt('baking');
    const placed = { ...aRecord(), fact: 'placed' as const };
    await ledger.write((tx) => tx.record(rollout, rollout.generation, [placed]));
    const accepted = aRecord({
      artifact: { digest: 'sha256:other', sha: '' },
      without: ['eu-4'],
      rolloutId: 'drift:1',
    });
    await ledger.write((tx) => tx.place('shop', accepted));
    expect(await ledger.placements('shop')).toEqual([accepted]);
  });

  it('the commit of a digest is known when it was good somewhere, and else not', async () => {
    const { rollout } = rolloutAt('baking');
    const artifact = { digest: 'sha256:good', sha: 'a'.repeat(40) };
    const adopted = { digest: 'sha256:adopted', sha: '' };
    const good = (one: typeof artifact) => ({
      fact: 'good' as const,
      stage: 'staging',
      targets: ['eu'],
      artifact: one,
      atMs: 1,
    });
    await ledger.write((tx) => tx.record(rollout, 1, [good(artifact), good(adopted)]));
    const known = (digest: string) => ledger.write((tx) => tx.knownVersion('shop', digest));
    expect(await known(artifact.digest)).toEqual(artifact);
    expect(await known(adopted.digest)).toBeNull();
    expect(await ledger.write((tx) => tx.knownVersion('billing', artifact.digest))).toBeNull();
  });
});

describe('R6 T12 its message in the outbox', () => {
  const isTold = () => ledger.write((tx) => tx.isDriftTold('shop', 'eu'));
  const claim = () => ledger.write((tx) => tx.claimDue(NOW_MS, NOW_MS + 1000, 10));

  it('is owed until the newest state was shown', async () => {
    expect(await isTold()).toBe(true);
    await ledger.write((tx) => tx.oweDrift(open, NOW_MS));
    expect(await isTold()).toBe(false);
    const [owed] = await claim();
    expect(owed).toMatchObject({
      rolloutId: 'drift:shop/eu',
      due: { kind: 'project-drift', target: 'eu' },
      target: null,
    });
    // It changed while it was being shown.
    await ledger.write((tx) => tx.oweDrift(open, NOW_MS));
    if (owed) expect(await ledger.write((tx) => tx.settle(owed))).toBe(false);
    const [again] = await claim();
    expect(await isTold()).toBe(false);
    if (again) expect(await ledger.write((tx) => tx.settle(again))).toBe(true);
    expect(await isTold()).toBe(true);
  });
});
