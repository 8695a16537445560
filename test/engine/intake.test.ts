import { describe, expect, it } from 'vitest';
import { coalesced, createIntake, type Reading } from '../../src/engine/intake.ts';
import { aRelease, aService } from '../support/service.ts';
import { aHouse } from './world.ts';

const quiet = { warn() {}, error() {} };

/** A branch that is read in pieces of two. */
async function anIntake(branch: string[]) {
  const house = aHouse();
  const service = aService();
  let reads = 0;
  const read = async (_service: unknown, sinceSha: string | null): Promise<Reading> => {
    reads += 1;
    const from = sinceSha === null ? branch.length : branch.indexOf(sinceSha) + 1;
    if (sinceSha !== null && from === 0) return { is: 'rewritten', headSha: branch.at(-1) ?? '', detail: 'gone' };
    const shas = branch.slice(from, from + 2);
    const releases = shas.map((sha) => aRelease(Number.parseInt(sha.slice(1), 16)));
    return { is: 'read', headSha: shas.at(-1) ?? branch.at(-1) ?? '', releases, hasMore: from + 2 < branch.length };
  };
  const { ledger, commands } = house;
  const intake = createIntake({ services: [service], ledger, commands, read, log: quiet });
  const shipped = async () => (await ledger.history(null, 100)).map((rollout) => rollout.release.title).reverse();
  return { intake, shipped, reads: () => reads };
}

const commits = (count: number) => Array.from({ length: count }, (_, index) => aRelease(index + 1).sha);

describe('S1 S2 T8 what is merged', () => {
  it('before Belay first saw the branch is not shipped', async () => {
    const { intake, shipped } = await anIntake(commits(3));
    await intake.lookAt(null);
    expect(await shipped()).toEqual([]);
  });

  it('afterwards becomes one rollout for each merge, oldest first, however often it is looked at', async () => {
    const branch = commits(1);
    const { intake, shipped } = await anIntake(branch);
    await intake.lookAt(null);
    branch.push(...commits(6).slice(1));
    await Promise.all([intake.lookAt(null), intake.lookAt(['acme/shop']), intake.lookAt(['acme/other'])]);
    expect(await shipped()).toEqual(['Change 2', 'Change 3', 'Change 4', 'Change 5', 'Change 6']);
  });

  it('after the history was rewritten goes on from the new head', async () => {
    const branch = commits(2);
    const { intake, shipped } = await anIntake(branch);
    await intake.lookAt(null);
    branch.splice(0, 2, aRelease(7).sha);
    expect(await intake.lookAt(null)).toBe(true);
    branch.push(aRelease(8).sha);
    await intake.lookAt(null);
    expect(await shipped()).toEqual(['Change 8']);
  });
});

describe('the same work asked for at once', () => {
  it('runs once, and once more when it was asked for meanwhile', async () => {
    let runs = 0;
    const gate = Promise.withResolvers<void>();
    const work = coalesced(async () => {
      runs += 1;
      await gate.promise;
    });
    const asked = [work(), work(), work()];
    gate.resolve();
    await Promise.all(asked);
    expect(runs).toBe(2);
    await work();
    expect(runs).toBe(3);
  });

  it('fails for all who asked, and can be asked again', async () => {
    let runs = 0;
    const work = coalesced(async () => {
      runs += 1;
      if (runs === 1) throw new Error('down');
    });
    await expect(work()).rejects.toThrow('down');
    await expect(work()).resolves.toBeUndefined();
  });
});
