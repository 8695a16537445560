import { describe, expect, it } from 'vitest';
import { emptyMemory, judge, rememberBefore } from '../../../src/core/judge/judge.ts';
import { formatLimit } from '../../../src/core/judge/limit.ts';
import { readAlone } from '../../../src/core/judge/reading.ts';
import type { Measured, Measurement, Signal } from '../../../src/core/judge/signal.ts';
import type { SignalMemory } from '../../../src/core/judge/verdict.ts';
import { gap, NOW, number, signal } from './builders.ts';

/** Judges one after another, a list of measurements each, and says verdict and reason of the last. */
function last(signals: Signal[], rounds: Measurement[][], memory: SignalMemory = emptyMemory()) {
  let kept = memory;
  let judgement = judge(signals, kept, [], NOW).judgement;
  for (const measurements of rounds) ({ judgement, memory: kept } = judge(signals, kept, measurements, NOW));
  return { verdict: judgement.verdict, reason: judgement.signals[0]?.reason, judgement, memory: kept };
}

it('H3 T9 a number that is none is within no bound, even if nothing stopped it before', () => {
  for (const healthyWhen of [{ max: 1 }, { min: 0 }, { min: 0, max: 1 }]) {
    for (const kind of ['threshold', 'requests'] as const) {
      const one = { ...signal({ healthyWhen }), kind };
      expect(readAlone(one, number(Number.NaN) as Measured, undefined).is).not.toBe('good');
    }
  }
});

describe('H3 one signal alone', () => {
  const cases: [string, Partial<Signal>, Measurement[], string, string][] = [
    ['within its bounds is healthy', {}, [number(1)], 'healthy', 'within-bounds'],
    ['beyond its bounds is degraded', {}, [number(1.01)], 'degraded', 'out-of-bounds'],
    ['below a minimum is degraded', { healthyWhen: { min: 5, max: 9 } }, [number(4)], 'degraded', 'out-of-bounds'],
    ['between two bounds is inconclusive', { degradedWhen: { min: 5 } }, [number(3)], 'inconclusive', 'between-bounds'],
    ['beyond the second bound is degraded', { degradedWhen: { min: 5 } }, [number(5)], 'degraded', 'out-of-bounds'],
    [
      'within both bounds is degraded: harm first',
      { degradedWhen: { min: 1 } },
      [number(1)],
      'degraded',
      'out-of-bounds',
    ],
    ['without any bound says nothing', { healthyWhen: {} }, [number(0)], 'inconclusive', 'between-bounds'],
    [
      'with a bound that is NaN never passes',
      { healthyWhen: { max: Number.NaN } },
      [number(0)],
      'degraded',
      'out-of-bounds',
    ],
    ['on too few samples waits', { minSamples: 101 }, [number(0)], 'inconclusive', 'too-few-samples'],
    ['on enough samples is judged', { minSamples: 100 }, [number(0)], 'healthy', 'within-bounds'],
    [
      'on an unknown number of samples waits',
      { minSamples: 1 },
      [number(0, { samples: null })],
      'inconclusive',
      'too-few-samples',
    ],
    ['on few but bad samples waits too', { minSamples: 101 }, [number(50)], 'inconclusive', 'too-few-samples'],
    ['as old as allowed is judged', {}, [number(0, { takenAtMs: NOW - 60_000 })], 'healthy', 'within-bounds'],
    ['older than allowed is an error', {}, [number(0, { takenAtMs: NOW - 60_001 })], 'error', 'stale'],
    ['from a little ahead is judged', {}, [number(0, { takenAtMs: NOW + 5_000 })], 'healthy', 'within-bounds'],
    ['from the future is an error', {}, [number(0, { takenAtMs: NOW + 5_001 })], 'error', 'stale'],
    ['of a time that is no number is an error', {}, [number(0, { takenAtMs: Number.NaN })], 'error', 'stale'],
    ['that is NaN is an error', {}, [number(Number.NaN)], 'error', 'not-a-number'],
    ['that is infinite is an error, not harm', {}, [number(Number.POSITIVE_INFINITY)], 'error', 'not-a-number'],
    ['that is minus infinity is an error', {}, [number(Number.NEGATIVE_INFINITY)], 'error', 'not-a-number'],
    ['that nobody answered is an error', {}, [], 'error', 'no-data'],
    ['that could not be measured keeps its reason', {}, [gap()], 'error', 'unreachable'],
    ['answered twice is an error, never the last one', {}, [number(5), number(0)], 'error', 'many-series'],
    ['check passed is healthy', { kind: 'check' }, [number(1)], 'healthy', 'within-bounds'],
    ['check failed is degraded', { kind: 'check' }, [number(0)], 'degraded', 'out-of-bounds'],
    ['check with another number is an error', { kind: 'check' }, [number(0.5)], 'error', 'bad-answer'],
    [
      'floor of traffic unmet waits',
      { kind: 'requests', healthyWhen: { min: 200 } },
      [number(0)],
      'inconclusive',
      'too-little-traffic',
    ],
    [
      'floor of traffic met alone is no evidence',
      { kind: 'requests', healthyWhen: { min: 200 } },
      [number(200)],
      'inconclusive',
      'within-bounds',
    ],
    ['that only observes never passes', { role: 'observe' }, [number(0)], 'inconclusive', 'within-bounds'],
    ['that only observes never fails', { role: 'observe' }, [number(50)], 'inconclusive', 'out-of-bounds'],
    [
      'called constructor is judged like any other',
      { name: 'constructor' },
      [number(0, { signal: 'constructor' })],
      'healthy',
      'within-bounds',
    ],
    [
      'called __proto__ is judged like any other',
      { name: '__proto__' },
      [number(0, { signal: '__proto__' })],
      'healthy',
      'within-bounds',
    ],
  ];
  it.each(cases)('%s', (_, changes, measurements, verdict, reason) => {
    expect(last([signal(changes)], [measurements])).toMatchObject({ verdict, reason });
  });

  it('no signal at all never passes', () => {
    expect(judge([], emptyMemory(), [], NOW).judgement).toEqual({
      verdict: 'inconclusive',
      score: null,
      atMs: NOW,
      signals: [],
    });
  });
});

describe('m of n', () => {
  const twoOfThree = [signal({ failures: 2, of: 3 })];
  const rounds = (...values: (number | null)[]) => values.map((value) => [value === null ? gap() : number(value)]);

  it.each([
    ['the first failure is neither healthy nor degraded', rounds(9), 'inconclusive', 'too-few-failures'],
    ['the second in a row is degraded', rounds(9, 9), 'degraded', 'out-of-bounds'],
    ['the second of three is degraded', rounds(9, 0, 9), 'degraded', 'out-of-bounds'],
    ['failures further apart are forgotten', rounds(9, 0, 0, 9), 'inconclusive', 'too-few-failures'],
    ['one failure, then good, is healthy', rounds(9, 0), 'healthy', 'within-bounds'],
    ['a gap never counts as a failure', rounds(9, null, null), 'error', 'unreachable'],
    ['a gap does not undo two failures around it', rounds(9, null, 9), 'degraded', 'out-of-bounds'],
    ['harm that counted still counts while it is remembered', rounds(9, 9, 0), 'degraded', 'out-of-bounds'],
  ])('%s', (_, measurements, verdict, reason) => {
    expect(last(twoOfThree, measurements)).toMatchObject({ verdict, reason });
  });

  it('remembers no more than it needs', () => {
    expect(last(twoOfThree, rounds(9, 0, null, 9, 0)).memory.recent).toEqual({ errors: ['missing', 'bad', 'good'] });
  });
});

describe('H4 what was already bad before', () => {
  const other = signal({ name: 'latency', role: 'critical' });
  const remembering = (value: number) =>
    rememberBefore([signal(), other], [number(value), number(0, { signal: 'latency' })]);

  it('does not count against the step, and is said', () => {
    const { judgement } = last([signal(), other], [[number(9), number(0, { signal: 'latency' })]], remembering(8));
    expect(judgement.verdict).toBe('healthy');
    expect(judgement.signals[0]).toMatchObject({
      verdict: 'inconclusive',
      reason: 'already-bad-before',
      before: 8,
      now: 9,
    });
  });
  it('never passes when nothing else was measured', () => {
    expect(last([signal()], [[number(9)]], remembering(8)).verdict).toBe('inconclusive');
  });
  it('counts for the step once it is good', () => {
    expect(last([signal()], [[number(0)]], remembering(8))).toMatchObject({
      verdict: 'healthy',
      reason: 'within-bounds',
    });
  });
  it('counts for the step once it is good, whatever is remembered', () => {
    const slow = [signal({ failures: 1, of: 3 })];
    expect(last(slow, [[number(9)], [number(0)]], remembering(8)).verdict).toBe('healthy');
  });
  it('still cannot hide that it can no longer be measured', () => {
    expect(last([signal(), other], [[gap(), number(0, { signal: 'latency' })]], remembering(8)).verdict).toBe('error');
  });
  it('is not assumed when it was good, old, missing or answered twice before', () => {
    expect(last([signal()], [[number(9)]], remembering(1)).verdict).toBe('degraded');
    for (const answers of [[], [gap()], [number(Number.NaN)], [number(9), number(9)]]) {
      expect(last([signal()], [[number(9)]], rememberBefore([signal()], answers)).verdict).toBe('degraded');
    }
  });
  it.each<[string, Partial<Signal>, number, number, string]>([
    ['twice as far beyond its limit is still the same', {}, 2, 3, 'already-bad-before'],
    ['further than twice as far is this step’s: a little bad does not hide terrible', {}, 2, 3.1, 'worse-than-before'],
    ['the same below a lower limit', { healthyWhen: { min: 99 } }, 98.5, 90, 'worse-than-before'],
    ['as bad below a lower limit', { healthyWhen: { min: 99 } }, 98.5, 98.1, 'already-bad-before'],
    ['beyond the other limit is new', { healthyWhen: { min: 0.5, max: 1 } }, 9, 0.4, 'worse-than-before'],
    ['the limit of health is what counts', { degradedWhen: { min: 5 } }, 6, 9, 'already-bad-before'],
    ['and is counted from there', { degradedWhen: { min: 5 } }, 6, 11.1, 'worse-than-before'],
    ['a check that failed before can fail no further', { kind: 'check' }, 0, 0, 'already-bad-before'],
  ])('%s', (_, changes, before, now, reason) => {
    const one = signal(changes);
    const memory = rememberBefore([one, other], [number(before), number(0, { signal: 'latency' })]);
    const { judgement } = last([one, other], [[number(now), number(0, { signal: 'latency' })]], memory);
    expect(judgement.signals[0]?.reason).toBe(reason);
    expect(judgement.verdict).toBe(reason === 'worse-than-before' ? 'degraded' : 'healthy');
  });
  it('looks that did not count are none of the failures that do', () => {
    const one = signal({ failures: 2, of: 3 });
    const looks = (...values: number[]) =>
      last(
        [one],
        values.map((value) => [number(value)]),
        remembering(8),
      ).reason;
    expect(looks(9, 9, 99)).toBe('too-few-failures');
    expect(looks(9, 99, 99)).toBe('worse-than-before');
  });
  it('does not need a fresh look: it was measured before the step began', () => {
    const memory = rememberBefore([signal()], [number(8, { takenAtMs: NOW - 3_600_000 })]);
    expect(last([signal()], [[number(9)]], memory).reason).toBe('already-bad-before');
  });
});

describe('all signals together', () => {
  const scored = (name: string, changes: Partial<Signal> = {}) => signal({ name, role: 'scored', ...changes });
  const good = (name: string) => number(0, { signal: name });
  const bad = (name: string) => number(9, { signal: name });
  const unsure = (name: string) => number(3, { signal: name });

  it.each<[string, Signal[], Measurement[], string, number | null]>([
    [
      'one bad critical signal outweighs all',
      [signal(), scored('a', { weight: 99 })],
      [number(9), good('a')],
      'degraded',
      100,
    ],
    ['a critical error cannot be outvoted', [signal(), scored('a', { weight: 99 })], [gap(), good('a')], 'error', 100],
    [
      'a critical doubt cannot be outvoted',
      [signal({ degradedWhen: { min: 5 } }), scored('a')],
      [number(3), good('a')],
      'inconclusive',
      100,
    ],
    [
      'a score of 95 passes',
      [scored('a', { weight: 95 }), scored('b', { weight: 5 })],
      [good('a'), bad('b')],
      'healthy',
      95,
    ],
    [
      'a score below 95 does not',
      [scored('a', { weight: 94 }), scored('b', { weight: 6 })],
      [good('a'), bad('b')],
      'inconclusive',
      94,
    ],
    [
      'a score of 75 is not degraded',
      [scored('a', { weight: 75 }), scored('b', { weight: 25 })],
      [good('a'), bad('b')],
      'inconclusive',
      75,
    ],
    [
      'a score below 75 is',
      [scored('a', { weight: 74 }), scored('b', { weight: 26 })],
      [good('a'), bad('b')],
      'degraded',
      74,
    ],
    [
      'doubt is not harm',
      [scored('a'), scored('b', { degradedWhen: { min: 5 } })],
      [good('a'), unsure('b')],
      'inconclusive',
      50,
    ],
    [
      'doubt is not health',
      [scored('a', { weight: 1 }), scored('b', { weight: 99, minSamples: 1_000 })],
      [good('a'), good('b')],
      'inconclusive',
      1,
    ],
    ['half of the evidence missing is an error', [scored('a'), scored('b')], [good('a'), gap('b')], 'error', 100],
    [
      'less than half leaves the score to the rest',
      [scored('a'), scored('b'), scored('c')],
      [good('a'), good('b'), gap('c')],
      'healthy',
      100,
    ],
    [
      'a missing signal weighs what it weighs',
      [scored('a'), scored('b', { weight: 98 }), scored('c')],
      [good('a'), gap('b'), good('c')],
      'error',
      100,
    ],
    ['degraded beats error', [signal(), signal({ name: 'a' })], [number(9), gap('a')], 'degraded', null],
    [
      'error beats doubt',
      [signal({ degradedWhen: { min: 5 } }), signal({ name: 'a' })],
      [number(3), gap('a')],
      'error',
      null,
    ],
    [
      'observed signals change nothing',
      [signal(), scored('a', { role: 'observe', weight: 99 })],
      [number(0), bad('a')],
      'healthy',
      null,
    ],
    [
      'a floor of traffic holds a step that is otherwise healthy',
      [signal(), scored('n', { kind: 'requests', healthyWhen: { min: 10 } })],
      [number(0), number(9, { signal: 'n' })],
      'inconclusive',
      null,
    ],
    [
      'a floor of traffic met lets it pass',
      [signal(), scored('n', { kind: 'requests', healthyWhen: { min: 10 } })],
      [number(0), number(10, { signal: 'n' })],
      'healthy',
      null,
    ],
    [
      'a floor that cannot be measured is an error',
      [signal(), scored('n', { kind: 'requests', healthyWhen: { min: 10 }, weight: 0 })],
      [number(0), gap('n')],
      'error',
      null,
    ],
    ['weights that are all zero prove nothing', [scored('a', { weight: 0 })], [good('a')], 'inconclusive', null],
    [
      'measurements of unknown signals are ignored',
      [signal()],
      [number(9, { signal: 'x' }), number(0)],
      'healthy',
      null,
    ],
  ])('%s', (_, signals, measurements, verdict, score) => {
    expect(judge(signals, emptyMemory(), measurements, NOW).judgement).toMatchObject({ verdict, score });
  });
});

describe('H5 every verdict is explained', () => {
  it('with before, now, limit, samples, time and link', () => {
    const memory = rememberBefore([signal()], [number(0.5)]);
    const measured: Measurement = {
      signal: 'errors',
      link: 'https://graph',
      value: 7,
      samples: 30,
      takenAtMs: NOW - 1,
    };
    expect(judge([signal()], memory, [measured], NOW).judgement.signals).toEqual([
      {
        signal: 'errors',
        verdict: 'degraded',
        reason: 'out-of-bounds',
        role: 'critical',
        neighbour: null,
        group: null,
        baseline: null,
        baselineSamples: null,
        p: null,
        shift: null,
        interval: null,
        effect: null,
        isWeak: false,
        now: 7,
        before: 0.5,
        limit: '≤ 1 %',
        unit: '%',
        samples: 30,
        takenAtMs: NOW - 1,
        link: 'https://graph',
        detail: '',
      },
    ]);
  });
  it('with what the source said when there is no number', () => {
    expect(judge([signal()], emptyMemory(), [gap()], NOW).judgement.signals[0]).toMatchObject({
      now: null,
      detail: 'ECONNREFUSED',
    });
  });
  it('how often it failed when several failures are needed', () => {
    expect(last([signal({ failures: 2, of: 3 })], [[number(0)], [number(9)]]).judgement.signals[0]?.detail).toBe(
      '1 of the last 2 out of bounds',
    );
  });
  it.each([
    [{ healthyWhen: { max: 1 } }, '≤ 1 %'],
    [{ healthyWhen: { min: 2 }, unit: 'req' }, '≥ 2 req'],
    [{ healthyWhen: { min: 0.5, max: 2 }, unit: '' }, '0.5 to 2'],
    [{ healthyWhen: {} }, 'no limit'],
    [{ kind: 'check' as const }, 'passes'],
  ])('limit of %j reads %s', (changes, text) => {
    expect(formatLimit(signal(changes))).toBe(text);
  });
});
