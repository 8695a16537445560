import { simulate } from './simulator.ts';

/** `SEED=7 npm run simulate`, or `npm run simulate -- 1 1000` for a range of seeds; prints what each run saw. */
const [from = 1, to = from] = process.env.SEED ? [Number(process.env.SEED)] : process.argv.slice(2).map(Number);

let failed = 0;
const startedMs = performance.now();
for (let seed = from; seed <= to; seed += 1) {
  try {
    const run = await simulate(seed);
    if (from === to) console.log(run);
  } catch (error) {
    failed += 1;
    console.error(error instanceof Error ? error.message : error);
  }
}
console.log(`${to - from + 1} universes, ${failed} broke a promise, ${Math.round(performance.now() - startedMs)} ms`);
process.exitCode = failed > 0 ? 1 : 0;
