import { criticalValue, test as npmMannWhitney } from '@tainakanchu/mann-whitney-utest';
import { usualComparison } from '../src/core/judge/comparison.ts';
import { compareSamples } from '../src/core/judge/stats/compare-samples.ts';
import { SHAPES, seeded, series } from '../test/core/judge/simulated.ts';
import {
  falseAlarms,
  falseAlarmsOfBakes,
  harmFound,
  judgeSides,
  STEP,
  shiftsFound,
  sparseErrorsFound,
  sparseErrorsFoundAmongMany,
  sparseFalseAlarms,
  tinyFalseAlarms,
} from '../test/core/judge/targets.ts';
import { type Benchmark, interleaved, type Line, perSecond, type Size, show } from './measure.ts';

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

/** Failing shares and requests a look where Fisher's test has almost nothing to go by. */
const TINY: [share: number, requests: number][] = [
  [0.0001, 5],
  [0.001, 1],
  [0.01, 1],
  [0.01, 5],
  [0.05, 1],
];

/** How often it is wrong, and how often right, on numbers of which it is known whether they differ. */
function targets({ isQuick }: Size): Line[] {
  const scale = isQuick ? 100 : 1;
  const [steps, shifts, rates, bakes] = [4_000 / scale, 2_000 / scale, 40_000 / scale, 400 / scale];
  const alarms = falseAlarms(seeded(1), steps);
  const found = shiftsFound(seeded(2), shifts);
  const sparse = sparseErrorsFound(seeded(3), rates);
  const sparseAlarms = sparseFalseAlarms(seeded(4), rates);
  const amongMany = sparseErrorsFoundAmongMany(seeded(5), rates / 20);
  const bakeAlarms = falseAlarmsOfBakes(seeded(6), bakes, 'scored');
  const criticalAlarms = falseAlarmsOfBakes(seeded(6), bakes, 'critical');
  const shifted = harmFound(seeded(8), bakes, 'critical', { shift: 1.2 });
  const failing = harmFound(seeded(9), 5 * bakes, 'critical', { failing: 0.005 });
  const tiny = Math.max(...TINY.map(([share, requests]) => tinyFalseAlarms(seeded(10), 5 * bakes, share, requests)));
  const line = (what: string, belay: string, beside: string, goal: string, isMet: boolean, notes: string[]): Line => {
    return { what, belay, beside, ratio: null, goal, isMet, notes };
  };
  return [
    line(
      `False alarms in a step of ${STEP.signals} signals × ${STEP.points} points that do not differ`,
      percent(alarms),
      `${steps} steps, each judged once`,
      '≤ 1 %',
      alarms <= 0.01,
      [`Five shapes: ${Object.keys(SHAPES).join(', ')}. Points are independent: overlapping ones raise more.`],
    ),
    line(
      'False alarms in a whole bake of 20 scored signals that do not differ, judged at each of 60 looks',
      percent(bakeAlarms),
      `${bakes} bakes, all as it is when nothing is written`,
      '≤ 1 %',
      bakeAlarms <= 0.01,
      [
        `Half are compared by points, half by failures: 0.1 % of 167 requests a look. All twenty critical, adjusted for nothing: ${percent(criticalAlarms)}.`,
        `A critical rate of 1 or 5 requests a look, 0.01 to 5 % failing on both sides: ${percent(tiny)} at most.`,
      ],
    ),
    line(
      'A shift of 20 % found in the course of such a bake, a critical signal',
      percent(shifted.found),
      `half of them by look ${shifted.looks}`,
      '≥ 99 %',
      shifted.found >= 0.99,
      [],
    ),
    line(
      'Errors from 0.1 % to 0.5 % found in the course of such a bake, a critical signal',
      percent(failing.found),
      `half of them by look ${failing.looks}`,
      '≥ 99 %',
      failing.found >= 0.99,
      [],
    ),
    line(
      'A shift of 20 % on a signal with 10 % of noise, among nineteen others, found',
      percent(found),
      `${shifts} steps`,
      '≥ 99 %',
      found >= 0.99,
      [],
    ),
    line(
      'Errors from 0.1 % to 0.5 % at 10,000 requests a side, a critical signal, found',
      percent(sparse),
      `${rates} steps`,
      '≥ 99 %',
      sparse >= 0.99 && sparseAlarms <= 0.01,
      [
        `False alarms where both sides fail at 0.1 %: ${percent(sparseAlarms)}.`,
        `As one scored signal among twenty, where its p has to be twenty times as small: ${percent(amongMany)} found.`,
      ],
    ),
  ];
}

/** How fast it is, beside a package that does less of it. */
async function speed({ isQuick, rounds }: Size): Promise<Line[]> {
  const count = isQuick ? 500 : 4_000;
  const random = seeded(7);
  const { skewed } = SHAPES;
  if (!skewed) throw new Error('There is no shape to draw from');
  const sides = Array.from({ length: 200 }, () => ({
    baseline: series(random, skewed, 1, STEP.points),
    canary: series(random, skewed, 1, STEP.points),
  }));
  const rate = (judgeOne: (baseline: number[], canary: number[]) => unknown) => async () => {
    const startedMs = performance.now();
    for (let index = 0; index < count; index += 1) {
      const one = sides[index % sides.length];
      if (one) judgeOne(one.baseline, one.canary);
    }
    return perSecond(count, performance.now() - startedMs);
  };
  const step = async () => {
    const startedMs = performance.now();
    judgeSides(sides);
    return performance.now() - startedMs;
  };
  const contest = await interleaved(rounds, [
    rate((baseline, canary) => compareSamples(baseline, canary, usualComparison('scored'))),
    rate((baseline, canary) => {
      const samples: [number[], number[]] = [baseline, canary];
      criticalValue(npmMannWhitney(samples), samples);
    }),
    step,
  ]);
  const [own = 0, npm = 0, stepMs = 0] = contest.medians;
  return [
    {
      what: `Signals × ${STEP.points} points compared`,
      belay: show.rate(own),
      beside: `@tainakanchu/mann-whitney-utest ${show.rate(npm)}`,
      ratio: contest.ratio(0, 1),
      goal: 'none set',
      isMet: null,
      notes: ['The package finds U and its z only; Belay besides p, the shift with its interval, and the spread.'],
    },
    {
      what: `A step with ${sides.length} compared signals × ${STEP.points} points judged`,
      belay: show.ms(stepMs),
      beside: 'nothing',
      ratio: null,
      goal: 'none set',
      isMet: null,
      notes: [],
    },
  ];
}

async function run(size: Size): Promise<Line[]> {
  return [...(await speed(size)), ...targets(size)];
}

export const judging: Benchmark = { name: 'judge', run };
