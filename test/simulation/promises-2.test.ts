import { describe, expect, it } from 'vitest';
import type { PlantedBug } from './planted-bug.ts';
import { Violation } from './promises/violation.ts';
import { expectVariety, runShard } from './shard.ts';
import { simulate } from './simulator.ts';

describe('T1 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15 T16 T17 T18 hold in any order of crashes, faults, clicks and clocks', () => {
  it('500 universes, the even seeds', { timeout: 300_000 }, async () => {
    expectVariety(await runShard(1, 1000));
  });
});

describe('the simulator sees a promise being broken', () => {
  const BUGS: [PlantedBug, RegExp][] = [
    ['no-fence', /T[567]:/],
    ['result-before-intent', /T4/],
    ['key-changed-at-each-try', /T4/],
    ['acknowledge-before-commit', /T13/],
    ['early-measurement-swallowed', /T17/],
    ['not-a-number-passes', /T9/],
    ['last-series-wins', /T9/],
    ['wall-clock-bake', /T11/],
    ['set-back-unnoticed', /T17/],
    ['set-forward-unnoticed', /T11/],
    ['early-promotion', /T11/],
    ['partial-counted-as-done', /T18/],
    ['newest-instead-of-approved', /T16/],
    ['environment-left-behind', /T18/],
  ];

  it.each(BUGS)('%s is caught', { timeout: 120_000 }, async (bug, promise) => {
    const { seed, message } = await broken(bug, promise);
    expect(message).toMatch(promise);
    // It is the bug and nothing else: the same universe holds without it.
    expect((await simulate(seed)).seed).toBe(seed);
  });

  /** Where the bug breaks this promise; it may break others on the way. */
  async function broken(bug: PlantedBug, promise: RegExp): Promise<{ seed: number; message: string }> {
    const others: string[] = [];
    for (let seed = 1; seed <= 200; seed += 1) {
      try {
        await simulate(seed, bug);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        if (promise.test(error.message)) return { seed, message: error.message };
        others.push(error.message);
      }
    }
    return { seed: 0, message: `not in 200 universes; instead: ${others.join('; ') || 'nothing'}` };
  }
});
