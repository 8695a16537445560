import { describe, expect, it } from 'vitest';
import { Violation } from './invariants.ts';
import { expectVariety, runShard } from './shard.ts';
import { simulate } from './simulator.ts';
import type { PlantedBug } from './universe.ts';

describe('T1 T3 T4 T5 T6 T7 T8 T9 T10 T12 T13 T14 T15 T17 hold in any order of crashes, faults, clicks and clocks', () => {
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
  ];

  it.each(BUGS)('%s is caught', { timeout: 120_000 }, async (bug, promise) => {
    expect(await broken(bug, promise)).toMatch(promise);
  });

  /** How the bug breaks this promise, within seeds that hold without it; it may break others on the way. */
  async function broken(bug: PlantedBug, promise: RegExp): Promise<string> {
    const others: string[] = [];
    for (let seed = 1; seed <= 200; seed += 1) {
      try {
        await simulate(seed, bug);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        if (promise.test(error.message)) return error.message;
        others.push(error.message);
      }
    }
    return `not in 200 universes; instead: ${others.join('; ') || 'nothing'}`;
  }
});
