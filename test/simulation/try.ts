import { simulate } from './simulator.ts';

const from = Number(process.argv[2] ?? 1);
const n = Number(process.argv[3] ?? 20);
const started = performance.now();
const ends: Record<string, number> = {};
let steps = 0,
  crashes = 0,
  bad = 0;
for (let seed = from; seed < from + n; seed += 1) {
  try {
    const run = await simulate(seed, (process.argv[4] ?? null) as never);
    steps += run.steps;
    crashes += run.crashes;
    for (const [end, count] of Object.entries(run.ends)) ends[end] = (ends[end] ?? 0) + count;
  } catch (error) {
    bad += 1;
    if (bad < 6) console.log(seed, (error as Error).name === 'Violation' ? (error as Error).message : error);
  }
}
console.log({ steps, crashes, ends, bad, ms: Math.round(performance.now() - started) });
process.exit(0);
