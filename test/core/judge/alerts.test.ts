import { describe, expect, it } from 'vitest';
import { emptyMemory, judge, rememberBefore } from '../../../src/core/judge/judge.ts';
import type { Measurement, Signal } from '../../../src/core/judge/signal.ts';
import { alerts, compared, counts, gap, NOW, number, points, signal } from './builders.ts';

const alert = (changes: Partial<Signal> = {}) => signal({ kind: 'alert', healthyWhen: {}, unit: '', ...changes });

function once(signals: Signal[], now: Measurement[], before: Measurement[] = []) {
  const memory = before.length > 0 ? rememberBefore(signals, before) : emptyMemory();
  const { judgement } = judge(signals, memory, now, NOW);
  const [first] = judgement.signals;
  return { verdict: judgement.verdict, reason: first?.reason, detail: first?.detail, first };
}

describe('H1 alerts', () => {
  it.each<[string, Measurement[], Measurement[], string, string, string]>([
    ['nothing fires: healthy', [alerts([])], [], 'healthy', 'quiet', ''],
    ['something fires: degraded, and named', [alerts(['a'])], [alerts([])], 'degraded', 'firing', 'alert a'],
    ['what fired before does not count, and is named', [alerts(['a'])], [alerts(['a'])], 'healthy', 'quiet', 'alert a'],
    ['what began beside it does', [alerts(['a', 'b'])], [alerts(['a'])], 'degraded', 'firing', 'alert b'],
    ['what stopped and began anew does', [alerts(['a2'])], [alerts(['a1'])], 'degraded', 'firing', 'alert a2'],
    ['what fires counts when nobody knows what did before', [alerts(['a'])], [gap()], 'degraded', 'firing', 'alert a'],
    [
      'a source that does not say which is an error',
      [number(0)],
      [],
      'error',
      'bad-answer',
      'which alerts fire was not said',
    ],
    ['a source that does not answer is an error', [gap()], [alerts([])], 'error', 'unreachable', 'ECONNREFUSED'],
  ])('%s', (_, now, before, verdict, reason, detail) => {
    expect(once([alert()], now, before)).toMatchObject({ verdict, reason, detail });
  });

  it('H4 one that fired before, stopped and fires again is this step’s, though it is called the same', () => {
    const again = (sinceMs: number) => {
      return { ...alerts(['a']), alerts: [{ id: 'a', name: 'alert a', sinceMs }] } as Measurement;
    };
    const before = { ...again(NOW - 600_000), takenAtMs: NOW - 60_000 } as Measurement;
    expect(once([alert()], [again(NOW - 600_000)], [before])).toMatchObject({ verdict: 'healthy', reason: 'quiet' });
    expect(once([alert()], [again(NOW - 30_000)], [before])).toMatchObject({ verdict: 'degraded', reason: 'firing' });
    // Two machines' clocks may differ a little; a time that is none is no reason to forgive.
    expect(once([alert()], [again(NOW - 58_000)], [before]).reason).toBe('quiet');
    expect(once([alert()], [again(Number.NaN)], [before]).reason).toBe('firing');
  });

  it('an old answer is no quiet', () => {
    const old = { ...alerts([]), takenAtMs: NOW - 60_001 } as Measurement;
    expect(once([alert()], [old])).toMatchObject({ verdict: 'error', reason: 'stale' });
  });

  it('H5 says what it must be to pass', () => {
    expect(once([alert()], [alerts([])]).first?.limit).toBe('nothing new fires');
  });
});

describe('H2 a neighbour', () => {
  const neighbour = { service: 'payments', is: 'downstream' } as const;

  it('any kind of signal may be one, and the verdict says whose it is', () => {
    const others = [
      signal({ name: 'a', neighbour }),
      compared({ name: 'b', neighbour }),
      compared({ name: 'c', kind: 'rate', neighbour }),
      alert({ name: 'd', neighbour }),
      signal({ name: 'e', kind: 'check', neighbour }),
    ];
    const low = Array.from({ length: 20 }, (_, index) => index);
    const high = low.map((value) => value + 100);
    const bad = [
      number(9, { signal: 'a' }),
      points(high, 'b'),
      counts(50, 100, 'c'),
      alerts(['x'], 'd'),
      number(0, { signal: 'e' }),
    ];
    const controls = [points(low, 'b'), counts(0, 100, 'c')];
    const { judgement } = judge([signal(), ...others], emptyMemory(), [number(0), ...bad], NOW, controls);
    expect(judgement.verdict).toBe('degraded');
    expect(judgement.signals.map((one) => [one.signal, one.verdict, one.neighbour])).toEqual([
      ['errors', 'healthy', null],
      ...['a', 'b', 'c', 'd', 'e'].map((name) => [name, 'degraded', neighbour]),
    ]);
  });

  it('H4 one that was bad already does not count', () => {
    const other = signal({ name: 'a', neighbour });
    const bad = number(9, { signal: 'a' });
    const memory = rememberBefore([other], [bad]);
    const { judgement } = judge([signal(), other], memory, [number(0), bad], NOW);
    expect(judgement).toMatchObject({ verdict: 'healthy', signals: [{}, { reason: 'already-bad-before' }] });
  });
});
