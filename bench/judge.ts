import { criticalValue, test as npmMannWhitney } from '@tainakanchu/mann-whitney-utest';
import { USUAL_COMPARISON } from '../src/core/judge/comparison.ts';
import { compareSamples } from '../src/core/judge/stats/compare-samples.ts';
import { SHAPES, seeded, series } from '../test/core/judge/simulated.ts';
import {
  falseAlarms,
  falseAlarmsOfBakes,
  judgeSides,
  STEP,
  shiftsFound,
  sparseErrorsFound,
  sparseErrorsFoundAmongMany,
  sparseFalseAlarms,
} from '../test/core/judge/targets.ts';
import { type Benchmark, interleaved, type Line, perSecond, type Size, show } from './measure.ts';

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

/** How often it is wrong, and how often right, on numbers of which it is known whether they differ. */
function targets({ isQuick }: Size): Line[] {
  const scale = isQuick ? 100 : 1;
  const [steps, shifts, rates, bakes] = [4_000 / scale, 2_000 / scale, 40_000 / scale, 200 / scale];
  const alarms = falseAlarms(seeded(1), steps);
  const found = shiftsFound(seeded(2), shifts);
  const sparse = sparseErrorsFound(seeded(3), rates);
  const sparseAlarms = sparseFalseAlarms(seeded(4), rates);
  const amongMany = sparseErrorsFoundAmongMany(seeded(5), rates / 20);
  const [everyLook, twoOfThree] = [{}, { failures: 2, of: 3 }].map((changes) =>
    falseAlarmsOfBakes(seeded(6), bakes, changes),
  );
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
      [
        `Five shapes: ${Object.keys(SHAPES).join(', ')}. Points are independent: overlapping ones raise more.`,
        `Judged at each of 56 looks while it grows from 5 points to 60, ${bakes} bakes: ${percent(everyLook ?? 0)}; when two of three looks must be bad: ${percent(twoOfThree ?? 0)}.`,
      ],
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
    rate((baseline, canary) => compareSamples(baseline, canary, USUAL_COMPARISON)),
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
