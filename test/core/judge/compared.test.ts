import { describe, expect, it } from 'vitest';
import { emptyMemory, judge, rememberBefore } from '../../../src/core/judge/judge.ts';
import type { Comparison, Measurement, Signal } from '../../../src/core/judge/signal.ts';
import { compared, counts, gap, NOW, number, points, signal } from './builders.ts';
import { policy } from './policy.ts';

const LOW = Array.from({ length: 60 }, (_, index) => 10 + (index % 7));
const HIGH = LOW.map((value) => value * 2);

/** One judgement: verdict and reason of the first signal, and all of it. */
function once(signals: Signal[], now: Measurement[], controls: Measurement[], groups: Record<string, number> = {}) {
  const { judgement } = judge(signals, emptyMemory(), now, NOW, controls, { groups });
  const [first] = judgement.signals;
  return { verdict: judgement.verdict, reason: first?.reason, detail: first?.detail, judgement, first };
}

describe('H1 a signal that is compared with a baseline', () => {
  it('no different from it is healthy, worse is degraded, better is healthy and said', () => {
    expect(once([compared()], [points(LOW)], [points(LOW)])).toMatchObject({
      verdict: 'healthy',
      reason: 'no-difference',
    });
    expect(once([compared()], [points(HIGH)], [points(LOW)])).toMatchObject({ verdict: 'degraded', reason: 'worse' });
    expect(once([compared()], [points(LOW)], [points(HIGH)])).toMatchObject({ verdict: 'healthy', reason: 'better' });
  });

  it('H5 is explained: now, baseline, samples of both sides, p, shift, interval, effect, limit', () => {
    const one = compared({ comparison: policy({ direction: 'increase', tolerance: 0.07 }) });
    expect(once([one], [points(HIGH)], [points(LOW.slice(0, 51))]).first).toMatchObject({
      now: 26,
      baseline: 13,
      samples: 60,
      baselineSamples: 51,
      p: expect.closeTo(0, 9),
      shift: expect.closeTo(1, 9),
      interval: { low: expect.any(Number), high: expect.any(Number) },
      effect: expect.closeTo(1, 1),
      isWeak: false,
      limit: 'up to 7 % above the baseline',
    });
    expect(once([compared()], [points(LOW.slice(0, 20))], [points(LOW)]).first).toMatchObject({ isWeak: true });
  });

  it.each<[string, Partial<Signal>, Measurement[], Measurement[], string, string]>([
    ['without a baseline is an error', {}, [points(LOW)], [], 'error', 'no-baseline'],
    ['whose baseline could not be measured is an error', {}, [points(LOW)], [gap()], 'error', 'no-baseline'],
    ['whose baseline came twice is an error', {}, [points(LOW)], [points(LOW), points(LOW)], 'error', 'no-baseline'],
    ['whose baseline is NaN is an error', {}, [points(LOW)], [number(Number.NaN)], 'error', 'no-baseline'],
    [
      'whose fresh baseline is old is an error',
      {},
      [points(LOW)],
      [{ ...points(LOW), takenAtMs: NOW - 60_001 } as Measurement],
      'error',
      'no-baseline',
    ],
    [
      'whose baseline is of another day may be old',
      { baseline: { is: 'earlier', daysAgo: [7] } },
      [points(LOW)],
      [{ ...points(LOW), takenAtMs: NOW - 86_400_000 } as Measurement],
      'healthy',
      'no-difference',
    ],
    ['that could not be measured is an error', {}, [gap()], [points(LOW)], 'error', 'unreachable'],
    [
      'with a point that is NaN is an error',
      {},
      [points([Number.NaN, ...LOW])],
      [points(LOW)],
      'error',
      'not-a-number',
    ],
    [
      'of which nothing is said when it counts is an error',
      { comparison: null },
      [points(LOW)],
      [points(LOW)],
      'error',
      'bad-query',
    ],
    [
      'with a confidence that is no number is an error',
      { comparison: policy({ confidence: Number.NaN }) },
      [points(LOW)],
      [points(LOW)],
      'error',
      'bad-query',
    ],
    ['on four points waits', {}, [points(LOW.slice(0, 4))], [points(LOW)], 'inconclusive', 'too-few-samples'],
    ['beside four points waits', {}, [points(HIGH)], [points(LOW.slice(0, 4))], 'inconclusive', 'too-few-samples'],
    [
      'on fewer than it wants waits, even when worse',
      { minSamples: 61 },
      [points(HIGH)],
      [points(LOW)],
      'inconclusive',
      'too-few-samples',
    ],
  ])('%s', (_, changes, now, controls, verdict, reason) => {
    expect(once([compared(changes)], now, controls)).toMatchObject({ verdict, reason });
  });

  it('H3 says how many samples there are and how many are needed', () => {
    expect(once([compared({ minSamples: 80 })], [points(LOW)], [points(LOW.slice(1))]).detail).toBe(
      '60 now and 59 in the baseline, each needs 80',
    );
  });

  it('degraded counts after its own m of n', () => {
    const one = compared({ failures: 2, of: 3 });
    const first = judge([one], emptyMemory(), [points(HIGH)], NOW, [points(LOW)]);
    expect(first.judgement).toMatchObject({ verdict: 'inconclusive', signals: [{ reason: 'too-few-failures' }] });
    const second = judge([one], first.memory, [points(HIGH)], NOW, [points(LOW)]);
    expect(second.judgement).toMatchObject({ verdict: 'degraded', signals: [{ reason: 'worse' }] });
    const third = judge([one], second.memory, [points(LOW)], NOW, [points(LOW)]);
    expect(third.judgement).toMatchObject({ verdict: 'degraded', signals: [{ reason: 'worse' }] });
  });

  it('a spread that changed while the middle did not is said, or decides when it is asked to', () => {
    const wild = LOW.map((value) => 13 + (value - 13) * 5);
    const asked = compared({ comparison: policy({ direction: 'increase', spread: 'decides' }) });
    const seen = { reason: 'spread-changed', detail: 'wider' };
    expect(once([compared()], [points(wild)], [points(LOW)])).toMatchObject({ verdict: 'healthy', ...seen });
    expect(once([asked], [points(wild)], [points(LOW)])).toMatchObject({ verdict: 'degraded', ...seen });
    // Calmer than before is no harm, unless a change either way is.
    expect(once([asked], [points(LOW)], [points(wild)])).toMatchObject({ verdict: 'healthy', detail: 'narrower' });
    const either = compared({ comparison: policy({ direction: 'either', spread: 'decides' }) });
    expect(once([either], [points(LOW)], [points(wild)])).toMatchObject({ verdict: 'degraded', detail: 'narrower' });
  });
});

describe('H1 a compared signal whose source has no memory', () => {
  /** One look a minute, one number each. */
  function watch(looks: [now: number, baseline: number, atMs?: number][]) {
    let memory = emptyMemory();
    return looks.map(([now, baseline, atMs], index) => {
      const takenAtMs = atMs ?? NOW + index * 60_000;
      const outcome = judge([compared()], memory, [number(now, { takenAtMs })], takenAtMs, [
        number(baseline, { takenAtMs }),
      ]);
      memory = outcome.memory;
      return { ...outcome.judgement, memory };
    });
  }

  it('is collected, one number a look, and waits until there are five', () => {
    const verdicts = watch(LOW.slice(0, 6).map((value) => [value, value])).map((one) => one.verdict);
    expect(verdicts).toEqual(['inconclusive', 'inconclusive', 'inconclusive', 'inconclusive', 'healthy', 'healthy']);
    expect(watch(LOW.map((value) => [value + 100, value])).at(-1)?.verdict).toBe('degraded');
  });

  it('does not take one scrape that is answered ten times for ten samples', () => {
    const last = watch(LOW.slice(0, 10).map((value) => [value + 100, value, NOW])).at(-1);
    expect(last).toMatchObject({ verdict: 'inconclusive', signals: [{ reason: 'too-few-samples' }] });
    expect(last?.memory.series.errors?.now.values).toEqual([110]);
  });

  it('does not take numbers about the same time for two: over 30 s, asked every 10 s, every third is a sample', () => {
    let memory = emptyMemory();
    for (let look = 0; look < 12; look += 1) {
      const takenAtMs = NOW + look * 10_000;
      const now = { ...number(look, { takenAtMs }), overMs: 30_000 } as Measurement;
      // Read at the same time, of instances that were not all looked at in the same moment.
      const control = { ...number(look, { takenAtMs }), overMs: 31_000 } as Measurement;
      memory = judge([compared()], memory, [now], takenAtMs, [control]).memory;
    }
    expect(memory.series.errors?.now.values).toEqual([0, 3, 6, 9]);
    expect(memory.series.errors?.baseline.values).toEqual([0, 3, 6, 9]);
  });

  it('keeps what it collected through a gap, and no more than 240 looks', () => {
    const before = watch(LOW.slice(0, 9).map((value) => [value, value])).at(-1)?.memory ?? emptyMemory();
    const { memory } = judge([compared()], before, [gap()], NOW, [gap()]);
    expect(memory.series).toEqual(before.series);
    const long = watch(Array.from({ length: 250 }, (_, index) => [index, index])).at(-1);
    expect(long?.memory.series.errors?.now.values).toHaveLength(240);
    expect(long?.memory.series.errors?.now.values.at(-1)).toBe(249);
  });
});

describe('H1 failures out of requests', () => {
  const rate = (changes: Partial<Signal> = {}) => compared({ kind: 'rate', ...changes });

  it('sparse errors that a rank test cannot see are found', () => {
    expect(once([rate()], [counts(4, 60)], [counts(0, 600)])).toMatchObject({ verdict: 'degraded', reason: 'worse' });
    expect(once([rate()], [counts(1, 600)], [counts(1, 600)])).toMatchObject({
      verdict: 'healthy',
      reason: 'no-difference',
    });
    expect(once([rate()], [counts(0, 6000)], [counts(40, 6000)])).toMatchObject({
      verdict: 'healthy',
      reason: 'better',
    });
    // Nothing to be better than.
    expect(once([rate()], [counts(0, 600)], [counts(0, 600)])).toMatchObject({ reason: 'no-difference' });
  });

  it('H5 is explained by the rates and the requests behind them', () => {
    expect(once([rate()], [counts(50, 10_000)], [counts(10, 10_000)]).first).toMatchObject({
      now: 0.005,
      baseline: 0.001,
      samples: 10_000,
      baselineSamples: 10_000,
      shift: expect.closeTo(4, 9),
      effect: null,
    });
  });

  it.each<[string, Partial<Signal>, Measurement[], Measurement[], string, string]>([
    [
      'no requests wait, they never pass',
      {},
      [{ ...counts(0, 0), value: 0 } as Measurement],
      [counts(0, 600)],
      'inconclusive',
      'too-few-samples',
    ],
    [
      'fewer requests than wanted wait',
      { minSamples: 700 },
      [counts(0, 600)],
      [counts(0, 800)],
      'inconclusive',
      'too-few-samples',
    ],
    ['more failures than requests are an error', {}, [counts(9, 8)], [counts(0, 600)], 'error', 'bad-answer'],
    ['a source that gave no counts is an error', {}, [number(0)], [counts(0, 600)], 'error', 'bad-answer'],
    ['a baseline without counts is an error', {}, [counts(0, 600)], [number(0)], 'error', 'no-baseline'],
  ])('%s', (_, changes, now, controls, verdict, reason) => {
    expect(once([rate(changes)], now, controls)).toMatchObject({ verdict, reason });
  });
});

describe('H1 D1 a rate with few requests', () => {
  const rate = (changes: Partial<Signal> = {}) => compared({ kind: 'rate', minSamples: 100, ...changes });

  it.each<[string, Partial<Signal>, Measurement, Measurement, string, string]>([
    [
      '6 of 30 beside 1 in 1,000 is harm: nobody waits for a hundred',
      {},
      counts(6, 30),
      counts(3, 3000),
      'bad',
      'worse',
    ],
    ['0 of 30 is no health', {}, counts(0, 30), counts(3, 3000), 'unclear', 'too-few-samples'],
    ['1 of 30 that may be chance is neither', {}, counts(1, 30), counts(90, 3000), 'unclear', 'too-few-samples'],
    ['3 of 3 is nothing yet', {}, counts(3, 3), counts(0, 3000), 'unclear', 'too-few-samples'],
    ['2 of 5 beside none is an accident so far', {}, counts(2, 5), counts(0, 1e6), 'unclear', 'too-few-samples'],
    ['2 of 200 beside none is harm', {}, counts(2, 200), counts(0, 1e6), 'bad', 'worse'],
    [
      'that got lower where lower is harm is found too',
      { comparison: policy({ direction: 'decrease' }) },
      counts(2, 30),
      counts(2900, 3000),
      'bad',
      'worse',
    ],
    [
      'of which two alone are missing is an accident so far',
      { comparison: policy({ direction: 'decrease' }) },
      counts(8, 10),
      counts(1e6, 1e6),
      'unclear',
      'too-few-samples',
    ],
    [
      'a floor of points is kept: it is the time to warm up',
      { kind: 'compare' },
      points(HIGH),
      points(LOW),
      'unclear',
      'too-few-samples',
    ],
  ])('%s', (_, changes, now, control, is, reason) => {
    const verdict = is === 'bad' ? 'degraded' : 'inconclusive';
    expect(once([rate(changes)], [now], [control])).toMatchObject({ verdict, reason });
  });

  it('is adjusted together with the others when it is scored: it is one look more', () => {
    const names = ['a', 'b', 'c', 'd'];
    const signals = names.map((name) => rate({ name, role: 'scored' }));
    const now = names.map((name) => counts(name === 'a' ? 6 : 3, 30, name));
    const controls = names.map((name) => counts(10, 100, name));
    const alone = once([rate({ name: 'a' })], now.slice(0, 1), controls.slice(0, 1)).first?.p ?? Number.NaN;
    expect(once(signals, now, controls).first?.p).toBeCloseTo(4 * alone, 9);
  });
});

describe('H3 so few samples that no difference between them could be sure enough', () => {
  const at = (confidence: number, direction: Comparison['direction'] = 'increase') => ({
    comparison: policy({ direction, confidence }),
  });
  const five = [1, 2, 3, 4, 5];
  const apart = [11, 12, 13, 14, 15];
  const rate = (changes: Partial<Signal>) => compared({ kind: 'rate', ...changes });

  // By hand: of 5 beside 5 one order in 252 is wholly apart, 0.0040; two-sided 0.0079. Of 6 beside 6 one in 924, 0.0011.
  it.each<[string, Signal, Measurement, Measurement, number]>([
    ['equal', compared(at(0.998)), points(five), points(five), 6],
    ['wholly apart', compared(at(0.998)), points(apart), points(five), 6],
    ['better', compared(at(0.998)), points(five), points(apart), 6],
    ['looked at both ways', compared(at(0.995, 'either')), points(five), points(five), 6],
    ['looked at for a decrease', compared(at(0.998, 'decrease')), points(apart), points(apart), 6],
    ['fewer than any five', compared(at(0.998)), points(five.slice(1)), points(five), 6],
    ['requests of which none failed', rate(at(0.998)), counts(0, 5), counts(0, 5), 6],
    ['requests that all failed', rate(at(0.998)), counts(5, 5), counts(0, 5), 6],
    ['as sure as a service file may ask', compared(at(0.99999)), points(five), points(five), 10],
  ])('%s: the signal cannot tell, and says how many it needs', (_, one, now, control, needed) => {
    const [before, after] = [control, now].map(
      (side) => side.value !== null && (side.counts?.total ?? side.points?.length),
    );
    expect(once([one], [now], [control])).toMatchObject({
      verdict: 'inconclusive',
      reason: 'too-few-samples',
      detail: `${after} now and ${before} in the baseline, each needs ${needed}`,
    });
  });

  it.each<[string, Signal, Measurement, Measurement, string]>([
    ['five beside five that are equal', compared(at(0.995)), points(five), points(five), 'no-difference'],
    ['five beside five that are apart', compared(at(0.995)), points(apart), points(five), 'worse'],
    ['five beside seven', compared(at(0.998)), points(five), points([...five, 6, 7]), 'no-difference'],
    ['six requests beside six', rate(at(0.998)), counts(0, 6), counts(0, 6), 'no-difference'],
    ['five requests beside many', rate(at(0.998)), counts(0, 5), counts(0, 1e9), 'no-difference'],
  ])('%s: enough for what is asked', (_, one, now, control, reason) => {
    expect(once([one], [now], [control])).toMatchObject({ reason });
  });

  it('harm by the spread is seen all the same, and a spread that is only observed makes nothing pass', () => {
    // Brown-Forsythe: p is below 0.007, which five beside five wholly apart cannot be when looked at both ways.
    const [tight, wide] = [
      [9.9, 9.95, 10, 10.05, 10.1],
      [3.9, 4, 10, 16, 16.1],
    ];
    const asked = (spread: Comparison['spread']) =>
      compared({ comparison: policy({ confidence: 0.993, direction: 'either', spread }) });
    expect(once([asked('decides')], [points(wide)], [points(tight)])).toMatchObject({
      verdict: 'degraded',
      reason: 'spread-changed',
    });
    expect(once([asked('observed')], [points(wide)], [points(tight)])).toMatchObject({
      verdict: 'inconclusive',
      reason: 'too-few-samples',
    });
  });

  it('while the bake is under way six that are wholly apart are never called no different', () => {
    const six = [...five, 6];
    const far = six.map((value) => value + 10);
    const { judgement } = judge([compared(at(0.998))], emptyMemory(), [points(far)], NOW, [points(six)], {
      isUnderWay: true,
    });
    expect(judgement).toMatchObject({ verdict: 'inconclusive', signals: [{ reason: 'worse-so-far' }] });
  });
});

describe('H1 a comparison while the bake is under way', () => {
  // SciPy: mannwhitneyu(slightly, LOW, alternative="greater") is 0.0248.
  const slightly = LOW.map((value, index) => (index % 4 === 0 ? value + 4 : value));
  const look = (now: number[], changes: Partial<Signal>, isUnderWay: boolean) =>
    judge([compared(changes)], emptyMemory(), [points(now)], NOW, [points(LOW)], { isUnderWay }).judgement;

  it('has to be ten times as sure of harm as at the end, and holds meanwhile', () => {
    expect(look(slightly, {}, true)).toMatchObject({ verdict: 'inconclusive', signals: [{ reason: 'worse-so-far' }] });
    expect(look(slightly, {}, false)).toMatchObject({ verdict: 'degraded', signals: [{ reason: 'worse' }] });
    expect(look(HIGH, {}, true)).toMatchObject({ verdict: 'degraded', signals: [{ reason: 'worse' }] });
    const tenth = { comparison: policy({ direction: 'increase', confidence: 0.7 }) };
    expect(look(slightly, tenth, true)).toMatchObject({ verdict: 'degraded' });
  });

  it('looks that are not sure enough are none of the failures that count', () => {
    const one = compared({ failures: 2, of: 3 });
    const under = { isUnderWay: true };
    const first = judge([one], emptyMemory(), [points(slightly)], NOW, [points(LOW)], under);
    const second = judge([one], first.memory, [points(slightly)], NOW, [points(LOW)], under);
    expect(second.judgement).toMatchObject({ verdict: 'inconclusive', signals: [{ reason: 'worse-so-far' }] });
    const end = judge([one], second.memory, [points(slightly)], NOW, [points(LOW)]);
    expect(end.judgement).toMatchObject({ verdict: 'inconclusive', signals: [{ reason: 'too-few-failures' }] });
  });

  it('the same holds for a spread that decides', () => {
    const wider = LOW.map((value) => 13 + (value - 13) * 1.3);
    const decides = { comparison: policy({ direction: 'increase', spread: 'decides' }) };
    const seen = { signals: [{ reason: 'spread-changed', detail: 'wider' }] };
    expect(look(wider, decides, true)).toMatchObject({ verdict: 'inconclusive', ...seen });
    expect(look(wider, decides, false)).toMatchObject({ verdict: 'degraded', ...seen });
  });
});

describe('H1 many comparisons together', () => {
  const quiet = Array.from({ length: 9 }, (_, index) => `quiet-${index}`);
  // SciPy: mannwhitneyu(slightly, LOW, alternative="greater") is 0.0248: unlikely alone, not as the best of ten.
  const slightly = LOW.map((value, index) => (index % 4 === 0 ? value + 4 : value));
  const step = (role: Signal['role']) => {
    const signals = [compared({ role }), ...quiet.map((name) => compared({ name, role }))];
    const same = quiet.map((name) => points(LOW, name));
    return once(signals, [points(slightly), ...same], [points(LOW), ...same]);
  };

  it('what would be found alone is not, when it is the best of ten scored ones', () => {
    const alone = once([compared({ role: 'scored' })], [points(slightly)], [points(LOW)]);
    expect(alone).toMatchObject({ reason: 'worse' });
    const together = step('scored');
    expect(together).toMatchObject({ verdict: 'healthy', reason: 'no-difference' });
    expect(alone.first?.p).toBeCloseTo(0.0248, 4);
    expect(together.first?.p).toBeCloseTo(10 * (alone.first?.p ?? Number.NaN), 9);
  });

  it('a critical one is judged as if it were alone', () => {
    expect(step('critical')).toMatchObject({ verdict: 'degraded', reason: 'worse' });
  });

  it('what is only observed does not make what decides any blinder', () => {
    const signals = [compared({ role: 'scored' }), ...quiet.map((name) => compared({ name, role: 'observe' }))];
    const same = quiet.map((name) => points(LOW, name));
    expect(once(signals, [points(slightly), ...same], [points(LOW), ...same])).toMatchObject({ reason: 'worse' });
  });
});

describe('H1 groups and their weights', () => {
  const one = (name: string, group: string | null) => signal({ name, group, role: 'scored' });
  const good = (name: string) => number(0, { signal: name });
  const bad = (name: string) => number(9, { signal: name });

  it('each group counts with its weight in the verdict', () => {
    const signals = [one('a', 'errors'), one('b', 'errors'), one('c', 'latency')];
    const now = [good('a'), good('b'), bad('c')];
    expect(once(signals, now, []).judgement).toMatchObject({ verdict: 'degraded', score: 50 });
    expect(once(signals, now, [], { errors: 96, latency: 4 }).judgement).toMatchObject({
      verdict: 'healthy',
      score: 96,
    });
    expect(once(signals, now, [], { errors: 80, latency: 20 }).judgement).toMatchObject({
      verdict: 'inconclusive',
      score: 80,
    });
  });

  it('a group of which nothing could be measured leaves its weight to the others', () => {
    const signals = [one('a', 'errors'), one('b', 'errors'), one('c', 'latency')];
    const now = [good('a'), good('b'), gap('c')];
    expect(once(signals, now, [], { errors: 20, latency: 80 }).judgement).toMatchObject({
      verdict: 'healthy',
      score: 100,
    });
  });

  it('H3 an answer that makes no sense stays in the score as not good: it is not forgotten', () => {
    const signals = ['a', 'b', 'c', 'd'].map((name) => one(name, null));
    const now = [good('a'), good('b'), good('c')];
    expect(once(signals, [...now, gap('d')], []).judgement).toMatchObject({ verdict: 'healthy', score: 100 });
    const nonsense = [...now, number(Number.NaN, { signal: 'd' })];
    expect(once(signals, nonsense, []).judgement).toMatchObject({ verdict: 'inconclusive', score: 75 });
  });
});

describe('T9 nonsense in one signal', () => {
  it('is its own error: it keeps its role, and the others are judged', () => {
    const broken = { ...points(LOW), points: 'many' } as unknown as Measurement;
    const other = signal({ name: 'latency' });
    const { judgement } = once([compared(), other], [broken, number(0, { signal: 'latency' })], [points(LOW)]);
    expect(judgement).toMatchObject({
      verdict: 'error',
      signals: [
        { signal: 'errors', verdict: 'error', role: 'critical', detail: expect.stringContaining('every') },
        { signal: 'latency', verdict: 'healthy' },
      ],
    });
  });

  it('points of before are not carried along, what is shown of them is', () => {
    const memory = rememberBefore([compared()], [points(LOW)]);
    expect(memory.before.errors).toEqual({
      signal: 'errors',
      link: null,
      samples: 60,
      takenAtMs: NOW,
      value: LOW.at(-1),
    });
  });
});
