import { execFileSync } from 'node:child_process';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { bakingBench } from './baking.ts';
import { breach } from './breach.ts';
import { commands } from './commands.ts';
import { idle } from './idle.ts';
import { judging } from './judge.ts';
import { type Benchmark, type Line, type Size, show } from './measure.ts';
import { restart } from './restart.ts';
import { timers } from './timers.ts';
import { transitions } from './transitions.ts';
import { webhook } from './webhook.ts';

const BENCHMARKS: readonly Benchmark[] = [
  webhook,
  commands,
  transitions,
  timers,
  restart,
  breach,
  bakingBench,
  judging,
  idle,
];

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } });
const size: Size = { isQuick: values.quick === true, rounds: values.quick ? 1 : 7 };
const wanted = BENCHMARKS.filter((one) => values.only === undefined || values.only.split(',').includes(one.name));
if (wanted.length === 0) {
  console.error(`There is no such benchmark; expected some of ${BENCHMARKS.map((one) => one.name).join(', ')}`);
  process.exit(64);
}

const load = () =>
  loadavg()
    .map((value) => value.toFixed(2))
    .join(' ');

function print({ what, belay, beside, ratio, goal, isMet, notes }: Line): void {
  console.log(`${isMet === null ? '      ' : isMet ? 'met   ' : 'MISSED'} ${what}`);
  console.log(`       Belay ${belay}; ${beside}${ratio === null ? '' : `; ratio ${show.ratio(ratio)}`}; goal ${goal}`);
  for (const note of notes) console.log(`       ${note}`);
}

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
console.log(`Belay ${commit}, Node ${process.versions.node}, ${new Date().toISOString()}`);
console.log(
  `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GB, ${platform()} ${release()}; load average ${load()}`,
);
console.log(
  `${size.isQuick ? 'Quick: only shows that it works. ' : ''}Medians of ${size.rounds} interleaved rounds.\n`,
);
let missed = 0;
for (const { run } of wanted) {
  for (const line of await run(size)) {
    print(line);
    if (line.isMet === false) missed += 1;
  }
}
console.log(`\n${missed === 0 ? 'Every goal is met' : `${missed} missed`}; load average at the end ${load()}`);
