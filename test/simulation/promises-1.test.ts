import { describe, expect, it } from 'vitest';
import { CORPUS } from './corpus.ts';
import { expectVariety, runShard } from './shard.ts';
import { simulate } from './simulator.ts';

describe('T1 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15 T16 T17 T18 hold in any order of crashes, faults, clicks and clocks', () => {
  it.each(CORPUS)('seed $seed, which once broke $broke', async ({ seed }) => {
    expect((await simulate(seed)).seed).toBe(seed);
  });

  it('500 universes, the odd seeds', { timeout: 300_000 }, async () => {
    expectVariety(await runShard(0, 1000));
  });
});
