import type { Event } from '../core/event.ts';
import type { Rollout } from '../core/rollout.ts';
import type { DriftDue, Owed } from './ledger.ts';

type WithoutTime<E> = E extends Event ? Omit<E, 'atMs'> : never;

/** An answer from the world; the engine adds the time at which it arrived. */
export type AnswerEvent = WithoutTime<Event>;

/** What came of one try at one row of the outbox. */
export type Performed =
  | { is: 'event'; event: AnswerEvent }
  /** Done, and nothing to decide about it. */
  | { is: 'done' }
  /** Accepted and under way: look again; this was no failure. `isTry`: it still counts as one of its tries. */
  | { is: 'later'; afterMs: number; isTry?: boolean }
  /** Could not, this time: tried again with growing pauses, or after what the other side asked for. */
  | { is: 'failed'; detail: string; retryAfterMs: number | null }
  /** Cannot, ever: recorded and dropped. Only for what tells people; whatever moves a rollout answers with an event. */
  | { is: 'given-up'; detail: string };

/**
 * Carries out what is owed. `owed.attempts` above 1: an earlier try may have had its effect, read back first.
 * Must end soon after the signal aborts. May throw: that is `failed`.
 */
export type Perform = (owed: Owed, rollout: Rollout, signal: AbortSignal) => Promise<Performed>;

/** Carries out what belongs to a target and to no rollout, on the same terms. */
export type PerformDrift = (owed: Owed<DriftDue>, signal: AbortSignal) => Promise<Performed>;
