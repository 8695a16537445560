import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { scoreOf } from '../../../src/core/judge/score.ts';
import type { Comparison } from '../../../src/core/judge/signal.ts';
import { compareSamples } from '../../../src/core/judge/stats/compare-samples.ts';
import { hodgesLehmann } from '../../../src/core/judge/stats/hodges-lehmann.ts';
import { mannWhitney } from '../../../src/core/judge/stats/mann-whitney.ts';
import { outliers } from '../../../src/core/judge/stats/outliers.ts';
import { percentile } from '../../../src/core/judge/stats/percentile.ts';
import { sorted } from '../../../src/core/judge/stats/sorted.ts';

// Goal: where other public judges say what they expect, this one agrees, or differs on purpose. Method: a file of their
// cases, which is theirs and not part of this project, is read from the path in JUDGE_REFERENCE; every case runs.
const PATH = process.env.JUDGE_REFERENCE;
if (!PATH)
  console.warn('Skipped: the cases of other judges. Set JUDGE_REFERENCE to the path of their file to run them');

/**
 * Where this judge differs, and why; `differences.test.ts` shows each on numbers of our own. A case that is named here must
 * really differ.
 */
const DIFFERENCES: Record<string, string> = {
  'kayenta-classifier-mann-whitney-tied-observations':
    'Two samples beside three answer nothing: too few is no pass, even where all are the same.',
  'kayenta-mann-whitney-confidence-interval-estimate-tie-out-with-r-version-large':
    'There the bounds are where a root search with an absolute tolerance came to rest beside a jump; here they are the jumps.',
  'kayenta-scorer-two-metrics-one-good-normal-one-fail-critical':
    'A critical signal decides the verdict. It does not overwrite the score, which goes on saying what the others are like.',
};

type Case = {
  id: string;
  kind: string;
  input: Record<string, unknown>;
  expected: Record<string, unknown>;
};

type Upstream = {
  direction: Comparison['direction'];
  confLevel?: number;
  allowedDecrease?: number;
  allowedIncrease?: number;
  criticalDecrease?: number;
  criticalIncrease?: number;
  effectSizeMeasure?: 'meanRatio' | 'cles';
  isCriticalMetric: boolean;
};

/** How each kind of case is asked of this judge: what it answers, in the words of the case. */
const RUN: Record<string, (one: Case) => unknown> = {
  percentile_r7: ({ input }) => ({ value: percentile(sorted(numbers(input.values)), Number(input.p) / 100) }),
  effect_size_cles: ({ input }) => ({ value: mannWhitney(...sidesOf(input)).cles }),
  effect_size_mean_ratio: ({ input }) => {
    const [baseline, canary] = sidesOf(input);
    const ratio = compareSamples(
      [...baseline],
      [...canary],
      policyOf({ direction: 'either', isCriticalMetric: false }),
    );
    return { value: 'meanRatio' in ratio ? (ratio.meanRatio ?? 'NaN') : null };
  },
  iqr_outlier_mask: ({ input }) => ({ mask: outliers(numbers(input.values), Number(input.factor)) }),
  mann_whitney_ci: ({ input }) => {
    const { shift, interval } = hodgesLehmann(...sidesOf(input), Number(input.confidenceLevel));
    return { estimate: shift, ciLow: interval.low, ciHigh: interval.high };
  },
  mann_whitney_exact_p: ({ input }) => {
    const { u, p } = mannWhitney(sorted(numbers(input.x2)), sorted(numbers(input.x1)));
    return { U: u, pLess: p.decrease, pGreater: p.increase, pDiffers: p.either };
  },
  mann_whitney_pvalue_gate: ({ input }) => {
    const direction = ({ EITHER: 'either', LOW: 'decrease', HIGH: 'increase' } as const)[String(input.deviation)];
    const confidence = 1 - Number(input.alpha);
    const baseline = numbers(input.control);
    const answer = compareSamples(baseline, numbers(input.experiment), {
      ...policyOf({ direction: direction ?? 'either', isCriticalMetric: false }),
      confidence,
    });
    // They call it an error when there is nothing to compare.
    return { acceptable: answer.is === 'same', error: answer.is === 'error' || answer.is === 'too-few' };
  },
  metric_classification: ({ input }) =>
    classify(numbers(input.control), numbers(input.experiment), input.config as Upstream),
  score: ({ input }) => {
    const results = input.results as { classification: string; groups: string[]; critical: boolean }[];
    const parts = results
      .filter((one) => one.classification !== 'Nodata' && !one.critical)
      .map((one) => ({ group: one.groups[0] ?? null, weight: 1, isGood: one.classification === 'Pass' }));
    return { summaryScore: scoreOf(parts, input.groupWeights as Record<string, number>) };
  },
};

function classify(baseline: number[], canary: number[], config: Upstream): unknown {
  const usual = compareSamples(baseline, canary, policyOf(config));
  if (usual.is === 'too-few' || usual.is === 'error') return { classification: 'Nodata', reason: 'non-empty' };
  const { is, meanRatio } = usual;
  const { criticalDecrease = 1, criticalIncrease = 1 } = config;
  const strict = { ...config, allowedDecrease: criticalDecrease, allowedIncrease: criticalIncrease };
  const harsh = compareSamples(baseline, canary, policyOf(strict));
  const classification = { same: 'Pass', increased: 'High', decreased: 'Low' }[is];
  const critical = config.isCriticalMetric && harsh.is === is && is !== 'same';
  const isZero = meanRatio === null || meanRatio === 0;
  return { classification, critical, ...(isZero ? { deviation: 'NaN' } : {}) };
}

/**
 * Their ratios of means are our tolerance: 1.2 is 20 %. Their CLES is our floor. Both of theirs come for two directions; in
 * the cases that name two different ones, only an increase happens.
 */
function policyOf(config: Upstream): Comparison {
  const { direction, confLevel = 0.98, allowedIncrease = 1, allowedDecrease = 1, effectSizeMeasure } = config;
  const isCles = effectSizeMeasure === 'cles';
  const tolerance = isCles ? 0 : Math.max(allowedIncrease - 1, 1 - allowedDecrease);
  return { direction, confidence: confLevel, tolerance, minEffect: isCles ? allowedIncrease : 0.5, spread: 'observed' };
}

function numbers(value: unknown): number[] {
  return (value as unknown[]).map(Number);
}

function sidesOf(input: Case['input']): [Float64Array, Float64Array] {
  return [sorted(numbers(input.control)), sorted(numbers(input.experiment))];
}

/** Only what the case names is compared; a number within the tolerance that it names. */
function agrees({ expected }: Case, answer: unknown): boolean {
  const answered = answer as Record<string, unknown>;
  return Object.entries(expected).every(([key, value]) => {
    if (/tol$/i.test(key)) return true;
    const found = answered[key];
    const tolerance = Number(expected[`${key}Tol`] ?? expected[`${key.slice(0, 2)}Tol`] ?? expected.tol ?? 1e-9);
    if (typeof value === 'number') return typeof found === 'number' && Math.abs(found - value) <= tolerance;
    return JSON.stringify(found) === JSON.stringify(value);
  });
}

function casesOf(path: string | undefined): Case[] {
  return path ? (JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] }).cases : [];
}

describe.skipIf(!PATH)('the cases of other judges', () => {
  const cases = casesOf(PATH);

  it.each(cases.map((one) => [one.id, one] as const))('H1 %s', (id, one) => {
    const run = RUN[one.kind];
    if (!run) throw new Error(`Nobody runs a case of the kind ${one.kind}`);
    const answer = run(one);
    const why = DIFFERENCES[id];
    const found = `${JSON.stringify(answer)}, they ${JSON.stringify(one.expected)}; a difference because: ${why}`;
    expect(agrees(one, answer), `This judge says ${found}`).toBe(why === undefined);
  });

  it('H1 every difference that is named belongs to a case that is there', () => {
    expect(cases.length).toBeGreaterThan(0);
    expect(Object.keys(DIFFERENCES).filter((id) => !cases.some((one) => one.id === id))).toEqual([]);
  });
});
