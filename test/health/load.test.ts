import { expect, it } from 'vitest';
import type { Measurement } from '../../src/core/judge/signal.ts';
import type { Source } from '../../src/health/source.ts';
import { readLoad } from '../../src/measure.ts';

const NOW_MS = 1_700_000_000_000;
const NO_SIGNAL = new AbortController().signal;
const TRAFFIC = { source: 'metrics', query: {}, perInstance: 100 };

const GONE = { value: null, missing: 'partial', detail: 'eu-4 cannot be read' } as const;

/** What is known of the load when the source answers so much, taken so long ago. */
function loadTaken(agoMs: number): Promise<Measurement> {
  const takenAtMs = NOW_MS - agoMs;
  const source: Source = { measure: async ({ signal }) => ({ signal, link: null, value: 5, samples: 1, takenAtMs }) };
  const meters = { now: () => NOW_MS, source: () => source };
  return readLoad(meters, TRAFFIC, { service: 'shop', target: 'eu', without: [] }, NO_SIGNAL);
}

it('R3 T9 a load counts while it is of now', async () => {
  expect(await loadTaken(0)).toMatchObject({ value: 5 });
  expect(await loadTaken(120_000)).toMatchObject({ value: 5 });
});

it.each([120_001, 86_400_000, -60_000, Number.NaN])(
  'R3 T9 a load that was taken %d ms ago is not known: no capacity is counted against it',
  async (agoMs) => {
    expect(await loadTaken(agoMs)).toMatchObject({ value: null, missing: 'stale' });
  },
);

it('R3 R6 a load is read without the instance that somebody decided to go on without, when it can no longer be asked', async () => {
  const asked: string[][] = [];
  const source: Source = {
    measure: async ({ signal, without }) => {
      asked.push(without);
      const isRead = without.includes('eu-4');
      return { signal, link: null, takenAtMs: NOW_MS, samples: 1, ...(isRead ? { value: 5 } : GONE) };
    },
  };
  const meters = { now: () => NOW_MS, source: () => source };
  const of = { service: 'shop', target: 'eu' };
  expect(await readLoad(meters, TRAFFIC, { ...of, without: ['eu-4'] }, NO_SIGNAL)).toMatchObject({ value: 5 });
  // With it first: it may serve all the same.
  expect(asked).toEqual([[], ['eu-4']]);
  expect(await readLoad(meters, TRAFFIC, { ...of, without: [] }, NO_SIGNAL)).toMatchObject({ missing: 'partial' });
});
