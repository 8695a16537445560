import { type Applied, applyEvent } from './apply.ts';
import type { Clock } from './clock.ts';
import type { Ledger } from './ledger.ts';

/** What a clock that is being corrected falls behind by is no jump, until it has come together to this much. */
const TOLERANCE_MS = 1000;

export type SetBack = {
  /** By how many milliseconds the wall clock lies behind what it showed before; 0: it does not. */
  byMs(): number;
  /** It was taken into account. */
  allowFor(ms: number): void;
};

/**
 * Notices that the wall clock was set back, by a clock that nobody sets. `newestAtMs` is the newest time that was written
 * down before: one that lies ahead means that the clock was set back while nobody looked. How long that was cannot be
 * known, so what is noticed then is the least that it was set back by.
 */
export function createSetBack(clock: Pick<Clock, 'now' | 'elapsed'>, newestAtMs: number | null): SetBack {
  let leadMs = Math.max(clock.now(), newestAtMs ?? 0) - clock.elapsed();
  return {
    byMs() {
      const nowLeadMs = clock.now() - clock.elapsed();
      // A machine that slept, or a clock that was set forward: from there on it is back to this.
      leadMs = Math.max(leadMs, nowLeadMs);
      const behindMs = Math.round(leadMs - nowLeadMs);
      return behindMs > TOLERANCE_MS ? behindMs : 0;
    },
    allowFor(ms) {
      leadMs -= ms;
    },
  };
}

/**
 * After a clock that was set back, all that is owed would wait for as much longer: looks at a step, the next try of a
 * rollback, deadlines. It is brought forward, so that each waits as long as it was meant to, and approvals are void.
 */
export async function bringForward(ledger: Ledger, byMs: number, atMs: number): Promise<Applied[]> {
  const event = { type: 'clock-set-back', atMs, byMs } as const;
  return ledger.write(async (tx) => {
    const all: Applied[] = [];
    await tx.bringForward(byMs);
    await tx.audit({ rolloutId: null, actor: 'belay', what: event.type, body: { byMs } }, atMs);
    for (const { id, approvals } of await tx.openRollouts(null)) {
      const applied = approvals.length > 0 ? await applyEvent(tx, id, event) : null;
      if (applied) all.push(applied);
    }
    return all;
  });
}
