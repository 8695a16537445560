import type { Clock } from './clock.ts';
import type { EngineLog } from './engine.ts';
import { createClockWatch, moveOwed } from './leap.ts';
import type { Ledger } from './ledger.ts';

/**
 * The ledger for the one process that works off what is owed: when the clock has leapt, what is owed moves with it
 * before anything else is written, so that what is owed from then on, by that clock, does not move too. The loop of the
 * engine writes once a second at least: a leap is never noticed later.
 */
export function punctualLedger(ledger: Ledger, clock: Pick<Clock, 'now' | 'elapsed'>, log: EngineLog): Ledger {
  const watch = createClockWatch(clock);

  async function notice(): Promise<void> {
    if (!watch.hasBegun()) watch.begin(await ledger.newestAtMs());
    const byMs = watch.leapMs();
    if (byMs === 0) return;
    // Taken into account before it is written: whoever writes meanwhile is behind it in the queue.
    watch.allowFor(byMs);
    try {
      await moveOwed(ledger, byMs, clock.now());
    } catch (error) {
      watch.allowFor(-byMs);
      throw error;
    }
    const what = byMs < 0 ? 'the clock was set back' : 'the clock was set forward, or the machine slept';
    log.warn({ byMs }, `${what}: what is owed was moved by as much`);
  }

  return {
    ...ledger,
    write(unit) {
      // Without an await where there is nothing to notice: what is written at the same moment shares a commit.
      if (watch.hasBegun() && watch.leapMs() === 0) return ledger.write(unit);
      return notice().then(() => ledger.write(unit));
    },
  };
}
