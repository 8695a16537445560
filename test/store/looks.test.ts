import { expect, it } from 'vitest';
import type { Fact, SignalLook } from '../../src/core/decision.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { createLedger } from '../../src/store/ledger.ts';
import { createPictures } from '../../src/store/pictures.ts';
import { rolloutAt } from '../support/given.ts';
import { memoryDatabase } from '../support/store.ts';
import { NOW_MS } from './world.ts';

const { rollout } = rolloutAt('baking');
const DAY_MS = 86_400_000;

const look = (round: number, atMs: number, now: number | null = round, step = 'all'): Fact => ({
  fact: 'looked',
  stage: 'staging',
  step,
  round,
  sinceMs: NOW_MS - 1,
  atMs,
  signals: [{ signal: 'errors', now, baseline: 0.5, verdict: now === null ? 'error' : 'healthy' }],
});

function aWorld() {
  const database = memoryDatabase();
  const commits = new GroupCommit(database.writer);
  const ledger = createLedger(database, commits);
  const record = (generation: number, ...facts: Fact[]) => ledger.write((tx) => tx.record(rollout, generation, facts));
  return { database, ledger, record, pictures: createPictures(database, commits) };
}

it('H5 what each look saw comes back in order, also what could not be measured', async () => {
  const { ledger, record } = aWorld();
  await record(3, look(0, NOW_MS), look(1, NOW_MS + 1, null));
  await record(3, look(2, NOW_MS + 2), look(0, NOW_MS, 9, 'canary'));
  const seen = await ledger.looks(rollout.id, 'staging', 'all');
  expect(seen.map((one) => [one.atMs, one.signals[0]?.now])).toEqual([
    [NOW_MS, 0],
    [NOW_MS + 1, null],
    [NOW_MS + 2, 2],
  ]);
  const first: SignalLook = { signal: 'errors', now: 0, baseline: 0.5, verdict: 'healthy' };
  expect(seen[0]?.signals).toEqual([first]);
  expect(await ledger.looks(rollout.id, 'staging', 'nowhere')).toEqual([]);
});

it('H5 a step that is tried again is drawn from its new try alone', async () => {
  const { ledger, record } = aWorld();
  await record(3, look(0, NOW_MS, 1), look(1, NOW_MS + 1, 1));
  await record(9, look(0, NOW_MS + 50, 7));
  expect((await ledger.looks(rollout.id, 'staging', 'all')).map((one) => one.signals[0]?.now)).toEqual([7]);
});

it('T4 the same look twice is one look and fails nothing', async () => {
  const { ledger, record } = aWorld();
  await record(3, look(0, NOW_MS, 1));
  await record(3, look(0, NOW_MS, 2));
  expect((await ledger.looks(rollout.id, 'staging', 'all')).map((one) => one.signals[0]?.now)).toEqual([1]);
});

it('T17 the looks of a month ago are forgotten when somebody watches again', async () => {
  const { database, record } = aWorld();
  const count = () => database.raw.prepare('SELECT count(*) FROM looks').pluck().get();
  await record(3, look(0, NOW_MS), look(1, NOW_MS + 2 * DAY_MS));
  await record(9, look(1, NOW_MS + 31 * DAY_MS));
  expect(count()).toBe(3);
  await record(12, look(0, NOW_MS + 31 * DAY_MS));
  expect(count()).toBe(3);
});

it('T4 the file of a picture is remembered before it is used, and replaced by a newer one', async () => {
  const { pictures } = aWorld();
  const key = 'r1/picture/staging/errors/5';
  expect(await pictures.get(key)).toBeNull();
  await pictures.put(key, { fileId: '', alt: '', tries: 1 }, NOW_MS);
  await pictures.put(key, { fileId: 'F01', alt: 'Errors.', tries: 1 }, NOW_MS);
  expect(await pictures.get(key)).toEqual({ fileId: 'F01', alt: 'Errors.', tries: 1 });
});
