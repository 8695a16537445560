import { compareNow, readDifference } from './compare-signal.ts';
import { type Reading, readAlone, whyMissing } from './reading.ts';
import type { Series } from './series.ts';
import type { Measured, Measurement, Signal } from './signal.ts';
import { adjustTogether } from './stats/adjust-together.ts';
import type { Difference } from './stats/difference.ts';
import type { SignalMemory } from './verdict.ts';

/** One signal, looked at once: what it says, what it was compared with, and what is new to be remembered of it. */
export type Look = { signal: Signal; reading: Reading; difference: Difference | null; series: Series | null };

type Unread = Omit<Look, 'reading'> & { reading: Reading | null; shortage?: Reading | null };

export type Measurements = { now: readonly Measurement[]; controls: readonly Measurement[] };

/**
 * Looks at every signal, and then at the comparisons together: those that are not critical are adjusted for their number, so
 * that forty of them do not raise an alarm at every second step. A critical one is judged as if it were alone.
 * `isUnderWay`: the step will be looked at again before it may pass.
 */
export function lookAtAll(
  signals: readonly Signal[],
  memory: SignalMemory,
  measurements: Measurements,
  nowMs: number,
  isUnderWay: boolean,
): Look[] {
  const looks = signals.map((signal) => guarded(signal, () => lookAt(signal, memory, measurements, nowMs)));
  for (const role of ['scored', 'observe'] as const) adjust(looks.filter((one) => one.signal.role === role));
  return looks.map(
    (look): Look => ({
      ...look,
      reading: look.reading ?? guarded(look.signal, () => settled(look, isUnderWay)).reading,
    }),
  );
}

function settled(look: Unread, isUnderWay: boolean): Unread & { reading: Reading } {
  const { signal, difference, shortage } = look;
  const reading: Reading = difference
    ? readDifference(signal, difference, isUnderWay)
    : { is: 'missing', reason: 'bad-answer', detail: 'it said nothing' };
  return { ...look, reading: shortage && reading.is === 'good' ? shortage : reading };
}

/** A mistake in one signal, ours or its source's, is an error of that signal: it is neither dropped nor forgiven. */
function guarded<Found extends Unread>(signal: Signal, look: () => Found): Found | (Unread & { reading: Reading }) {
  try {
    return look();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { signal, reading: { is: 'missing', reason: 'bad-answer', detail }, difference: null, series: null };
  }
}

function lookAt(signal: Signal, memory: SignalMemory, measurements: Measurements, nowMs: number): Unread {
  const answers = measurementsOf(signal.name, measurements.now);
  const remembered = own(memory.series, signal.name) ?? null;
  const missing = whyMissing(signal, answers, nowMs);
  if (missing !== null) return { signal, reading: missing, difference: null, series: null };
  const measured = answers[0] as Measured;
  const { kind } = signal;
  if (kind === 'compare' || kind === 'rate') {
    const controls = measurementsOf(signal.name, measurements.controls);
    const found = compareNow(signal, measured, controls, remembered, nowMs);
    return { signal, ...found };
  }
  const reading = readAlone({ ...signal, kind }, measured, own(memory.before, signal.name));
  return { signal, reading, difference: null, series: null };
}

/** In place: these looks were made by this call. */
function adjust(looks: readonly Unread[]): void {
  const compared = looks.flatMap((look) => {
    const { difference, signal, reading } = look;
    // What has too few samples is not judged, so it is no look more.
    return difference && signal.comparison && !reading ? [{ look, difference, policy: signal.comparison }] : [];
  });
  const adjusted = adjustTogether(compared);
  compared.forEach(({ look }, index) => {
    look.difference = adjusted[index] ?? null;
  });
}

export function measurementsOf(name: string, measurements: readonly Measurement[]): Measurement[] {
  return measurements.filter((one) => one.signal === name);
}

/** A signal may be called `constructor`: only what was put in counts. */
export function own<Value>(record: Record<string, Value>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
