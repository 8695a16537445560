import type { Rollout } from '../core/rollout.ts';
import type { Clock } from './clock.ts';
import type { DriftDue, Due, Owed, RolloutDue } from './ledger.ts';
import type { Perform, PerformDrift, Performed } from './perform.ts';

export type TryOptions = {
  perform: Perform;
  /** Shows what drifted; without it nothing of that kind may be owed. */
  performDrift?: PerformDrift | undefined;
  clock: Pick<Clock, 'wait'>;
  /** How long one try may take before it is aborted and counts as failed. */
  timeoutMs: number;
};

/** How long an aborted try is waited for before the next change of its target begins. */
const LET_GO_MS = 2000;
/** Ends a wait. Without a reason of its own, every abort would make an exception with its stack. */
const ENOUGH = 'waited enough';

/**
 * A try that was told to stop did not fail. Where it is still owed, because Belay ends, the next start does it first; as
 * another try, for what it brought about is not known.
 */
const CALLED_OFF: Performed = { is: 'later', afterMs: 0, isTry: true };

/** One try at one row: it always ends, with an answer, in time or told to stop. Never rejects. */
export function createTry({ perform, performDrift, clock, timeoutMs }: TryOptions) {
  return async (owed: Owed<Due>, rollout: Rollout | null, abort: AbortController): Promise<Performed> => {
    const { due } = owed;
    if (due.kind === 'wake') {
      return { is: 'event', event: { type: 'woke', generation: due.generation, timer: due.timer } };
    }
    if (isOfDrift(owed)) {
      if (!performDrift) return { is: 'given-up', detail: 'nothing here shows what drifted' };
      return withinTime((signal) => performDrift(owed, signal), abort);
    }
    if (!rollout || !isOfRollout(owed)) return { is: 'given-up', detail: 'there is no such rollout' };
    return withinTime((signal) => perform(owed, rollout, signal), abort);
  };

  async function withinTime(
    work: (signal: AbortSignal) => Promise<Performed>,
    abort: AbortController,
  ): Promise<Performed> {
    const overdue = new AbortController();
    const ended = new AbortController();
    const leftBehind = async (): Promise<Performed> => {
      await clock.wait(timeoutMs, AbortSignal.any([abort.signal, ended.signal]));
      overdue.abort();
      // Told to stop, it has a moment to let go of its target; after that only its fence keeps it from harm.
      await clock.wait(LET_GO_MS, ended.signal);
      return { is: 'failed', detail: `no answer within ${timeoutMs} ms`, retryAfterMs: null };
    };
    try {
      const signal = AbortSignal.any([abort.signal, overdue.signal]);
      const performed = await Promise.race([work(signal), leftBehind()]);
      return performed.is === 'failed' && abort.signal.aborted ? CALLED_OFF : performed;
    } catch (error) {
      if (abort.signal.aborted) return CALLED_OFF;
      return { is: 'failed', detail: error instanceof Error ? error.message : String(error), retryAfterMs: null };
    } finally {
      ended.abort(ENOUGH);
    }
  }
}

function isOfDrift(owed: Owed<Due>): owed is Owed<DriftDue> {
  return owed.due.kind === 'project-drift';
}

function isOfRollout(owed: Owed<Due>): owed is Owed<RolloutDue> {
  return owed.due.kind !== 'project-drift';
}
