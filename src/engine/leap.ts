import { leapt } from '../core/leap.ts';
import { applyEvent } from './apply.ts';
import type { Clock } from './clock.ts';
import type { Ledger } from './ledger.ts';

/** What a clock that is being corrected is off by is no leap, until it has come together to this much. */
const TOLERANCE_MS = 1000;

export type ClockWatch = {
  /**
   * How much further the wall clock went than time did, in milliseconds: it was set forward, or the machine slept.
   * Below 0: it was set back. 0: it goes as it should.
   */
  leapMs(): number;
  /** So much was taken into account. */
  allowFor(ms: number): void;
  /**
   * The newest time that was written down before the watch began; null: nothing was. One that lies ahead means that the
   * clock was set back while nobody looked. How long that was cannot be known, so what is noticed then is the least that
   * it was set back by. Told again, nothing changes.
   */
  begin(newestAtMs: number | null): void;
  hasBegun(): boolean;
};

/** Holds the wall clock against one that nobody sets, from now on. */
export function createClockWatch(clock: Pick<Clock, 'now' | 'elapsed'>): ClockWatch {
  const startMs = clock.now();
  let leadMs = startMs - clock.elapsed();
  let hasBegun = false;
  return {
    begin(newestAtMs) {
      if (!hasBegun) leadMs += Math.max(0, (newestAtMs ?? 0) - startMs);
      hasBegun = true;
    },
    hasBegun: () => hasBegun,
    leapMs() {
      const leapMs = Math.round(clock.now() - clock.elapsed() - leadMs);
      return Math.abs(leapMs) > TOLERANCE_MS ? leapMs : 0;
    },
    allowFor(ms) {
      leadMs += ms;
    },
  };
}

/**
 * All that is owed is due by the wall clock. Where that was set back, looks at a step, the next try of a rollback and
 * deadlines would wait for as much longer; where it was set forward, deadlines would end and Belay would choose before
 * people had their time, and leases would end under the hands that hold them. So all of it moves with the clock: each
 * waits as long as it was meant to, while the machine is awake.
 */
export async function moveOwed(ledger: Ledger, byMs: number, atMs: number): Promise<void> {
  const event = { type: 'clock-leapt', atMs, byMs } as const;
  await ledger.write(async (tx) => {
    await tx.moveOwed(byMs);
    await tx.audit({ rolloutId: null, actor: 'belay', what: event.type, body: { byMs } }, atMs);
    for (const rollout of await tx.openRollouts(null)) {
      if (leapt(rollout, byMs) !== rollout) await applyEvent(tx, rollout.id, event);
    }
  });
}
