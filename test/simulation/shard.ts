import { expect } from 'vitest';
import { type Run, simulate } from './simulator.ts';

/** Runs the seeds of one half, so that two workers share them; answers what they saw together. */
export async function runShard(half: 0 | 1, seeds: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (let seed = half + 1; seed <= seeds; seed += 2) runs.push(await simulate(seed));
  return runs;
}

/** What there is to get wrong: each of these must have happened in some universe. */
const TO_BE_SEEN = [
  ...['preparing', 'surveying', 'gated', 'clearing', 'deploying', 'verifying', 'checking', 'baking', 'holding'],
  ...['degraded', 'inconclusive', 'unmeasurable', 'partial', 'check-failed', 'short-of-capacity', 'drifted'],
  ...['rolling', 'weight', 'blue-green', 'replace', 'symlink'].map((one) => `passed by ${one}`),
  ...['gone on without', 'begun short', 'drift opened', 'drift fixing', 'drift fixed'],
];

/** A simulation that never crashed, never shipped and never rolled back would prove nothing. */
export function expectVariety(runs: Run[]): void {
  const ends = new Set(runs.flatMap((run) => Object.keys(run.ends)));
  expect([...ends].sort()).toEqual(['aborted', 'failed', 'rolled-back', 'succeeded', 'superseded']);
  const saw = new Set(runs.flatMap((run) => run.saw));
  expect(TO_BE_SEEN.filter((one) => !saw.has(one))).toEqual([]);
  expect(runs.reduce((sum, run) => sum + run.crashes, 0)).toBeGreaterThan(runs.length);
}
