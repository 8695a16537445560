import { type Applied, applyEvent } from './apply.ts';
import type { Due, LedgerWriter, Owed } from './ledger.ts';
import type { Performed } from './perform.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A rollback is tried again sooner: users are being hurt meanwhile. */
const LONGEST_ROLLBACK_PAUSE_MS = 5000;

/** How long to wait before the next try after `attempts` failed ones: doubling, bounded, in milliseconds. */
export function pauseAfter(attempts: number, kind: string): number {
  const longest = kind === 'roll-back' ? LONGEST_ROLLBACK_PAUSE_MS : LONGEST_PAUSE_MS;
  return Math.min(longest, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 10));
}

/** What came of one try: the row is settled or waits for the next one, and an answer is an event, in one transaction. */
export async function settle(
  tx: LedgerWriter,
  owed: Owed<Due>,
  performed: Performed,
  atMs: number,
): Promise<Applied | null> {
  const { key, rolloutId, attempts, due } = owed;
  switch (performed.is) {
    case 'event': {
      // Cancelled while it was under way: its answer belongs to a state that is gone.
      if (!(await tx.settle(owed))) return null;
      return applyEvent(tx, rolloutId, { ...performed.event, atMs });
    }
    case 'done':
      await tx.settle(owed);
      return null;
    case 'later':
      // It was accepted: only a try without an answer has an unknown outcome.
      await tx.postpone(owed, atMs + performed.afterMs, performed.isTry ? attempts : 0);
      return null;
    case 'given-up': {
      const { detail } = performed;
      await tx.settle(owed);
      await tx.audit({ rolloutId, actor: 'belay', what: 'gave-up', body: { key, detail } }, atMs);
      return null;
    }
    case 'failed': {
      const { detail, retryAfterMs } = performed;
      await tx.postpone(owed, atMs + (retryAfterMs ?? pauseAfter(attempts, due.kind)), attempts);
      if (!isWorthSaying(owed)) return null;
      const { generation, kind: effect } = due;
      return applyEvent(tx, rolloutId, { type: 'stumbled', atMs, generation, effect, detail, attempts });
    }
  }
}

/** What tells people must not change what it tells about; and of a long row of failures the 1st, 2nd, 4th … are enough. */
function isWorthSaying({ due, attempts }: Owed<Due>): boolean {
  const isAboutRollout = !['project', 'project-drift', 'announce', 'page'].includes(due.kind);
  return isAboutRollout && Number.isInteger(Math.log2(attempts));
}
