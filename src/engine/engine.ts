import type { Event } from '../core/event.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Rollout } from '../core/rollout.ts';
import { type Applied, applyEvent } from './apply.ts';
import type { Clock } from './clock.ts';
import type { DriftDue, Due, Ledger, Owed, RolloutDue } from './ledger.ts';
import type { Perform, PerformDrift, Performed } from './perform.ts';
import { createSetBack, type SetBack } from './set-back.ts';

/** What came of asking; `rollout` is the state after it, committed. */
export type Outcome =
  | { is: 'accepted'; rollout: Rollout }
  | { is: 'refused'; refusal: Refusal; rollout: Rollout | null };

export type EngineLog = {
  warn(facts: Record<string, unknown>, message: string): void;
  error(facts: Record<string, unknown>, message: string): void;
};

export type EngineOptions = {
  ledger: Ledger;
  perform: Perform;
  /** Shows what drifted; without it nothing of that kind may be owed. */
  performDrift?: PerformDrift;
  clock: Clock;
  log: EngineLog;
  /** How long one try may take before it is aborted and counts as failed. */
  effectTimeoutMs?: number;
  /** How many tries may be under way at once. */
  concurrency?: number;
};

const EFFECT_TIMEOUT_MS = 30_000;
/** How long an aborted try is waited for before the next change of its target begins. */
const LET_GO_MS = 2000;
const CONCURRENCY = 64;
/** Polling is the truth, a kick only makes it sooner. */
const POLL_MS = 1000;
/** What is due and could not be claimed waits for its target: looking again at once would only burn the processor. */
const BLOCKED_MS = 5;
/** Ends a wait. Without a reason of its own, every abort would make an exception with its stack. */
const ENOUGH = 'waited enough';
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A rollback is tried again sooner: users are being hurt meanwhile. */
const LONGEST_ROLLBACK_PAUSE_MS = 5000;

/** How long to wait before the next try after `attempts` failed ones: doubling, bounded, in milliseconds. */
export function pauseAfter(attempts: number, kind: string): number {
  const longest = kind === 'roll-back' ? LONGEST_ROLLBACK_PAUSE_MS : LONGEST_PAUSE_MS;
  return Math.min(longest, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 10));
}

/**
 * A try that was told to stop did not fail. Where it is still owed, because Belay ends, the next start does it first; as
 * another try, for what it brought about is not known.
 */
const CALLED_OFF: Performed = { is: 'later', afterMs: 0, isTry: true };

type Claimed = { owed: Owed<Due>; rollout: Rollout | null };

export type Engine = ReturnType<typeof createEngine>;

/**
 * Load → decide → commit; what is owed → perform → event. A crash anywhere repeats and never loses: the outbox is in
 * the same transaction as the state, and its keys make repeating harmless.
 */
export function createEngine(options: EngineOptions) {
  const { ledger, perform, clock, log } = options;
  const timeoutMs = options.effectTimeoutMs ?? EFFECT_TIMEOUT_MS;
  const concurrency = options.concurrency ?? CONCURRENCY;
  const inFlight = new Map<string, { abort: AbortController; target: string | null; ended: Promise<void> }>();
  let kicked = new AbortController();
  let setBack: SetBack | null = null;

  /** Something may be due: the loop looks now and not at its next poll. */
  function kick(): void {
    kicked.abort(ENOUGH);
  }

  function afterCommit(applied: Pick<Applied, 'cancelled'> | null): void {
    // A cancelled effect that is under way is told to stop; what it still answers is dropped.
    for (const key of applied?.cancelled ?? []) inFlight.get(key)?.abort.abort();
    kick();
  }

  /** One event on one rollout, committed before the promise resolves. */
  async function submit(rolloutId: string, event: Event): Promise<Outcome | null> {
    const applied = await ledger.write((tx) => applyEvent(tx, rolloutId, event));
    afterCommit(applied);
    if (!applied) return null;
    const { rollout, answer } = applied.decision;
    if (answer.is === 'refused') return { is: 'refused', refusal: answer.refusal, rollout };
    return { is: 'accepted', rollout };
  }

  async function performOnce({ owed, rollout }: Claimed): Promise<void> {
    const abort = new AbortController();
    const earlier = [...inFlight.values()].filter((one) => owed.target !== null && one.target === owed.target);
    const ended = Promise.withResolvers<void>();
    inFlight.set(owed.key, { abort, target: owed.target, ended: ended.promise });
    try {
      // One effect at a time on a target. Whatever is still under way there was cancelled, here or by a command on the
      // host, or this one could not have been claimed: it must let go first.
      for (const one of earlier) one.abort.abort();
      await Promise.all(earlier.map((one) => one.ended));
      const performed = await tryOnce(owed, rollout, abort);
      inFlight.delete(owed.key);
      ended.resolve();
      const settled = settle(owed, performed);
      // Its place is free: what takes it is claimed in the same commit as this answer.
      kick();
      await settled;
    } finally {
      inFlight.delete(owed.key);
      ended.resolve();
    }
  }

  async function tryOnce(owed: Owed<Due>, rollout: Rollout | null, abort: AbortController): Promise<Performed> {
    const { due } = owed;
    if (due.kind === 'wake') {
      return { is: 'event', event: { type: 'woke', generation: due.generation, timer: due.timer } };
    }
    const { performDrift } = options;
    if (isOfDrift(owed)) {
      if (!performDrift) return { is: 'given-up', detail: 'nothing here shows what drifted' };
      return withinTime((signal) => performDrift(owed, signal), abort);
    }
    if (!rollout || !isOfRollout(owed)) return { is: 'given-up', detail: 'there is no such rollout' };
    return withinTime((signal) => perform(owed, rollout, signal), abort);
  }

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

  /** Turns the answer of one try into an event, in the transaction that settles the row. */
  async function settle(owed: Owed<Due>, performed: Performed): Promise<void> {
    const atMs = clock.now();
    const applied = await ledger.write(async (tx) => {
      switch (performed.is) {
        case 'event': {
          // Cancelled while it was under way: its answer belongs to a state that is gone.
          if (!(await tx.settle(owed))) return null;
          return applyEvent(tx, owed.rolloutId, { ...performed.event, atMs });
        }
        case 'done':
          await tx.settle(owed);
          return null;
        case 'later':
          // It was accepted: only a try without an answer has an unknown outcome.
          await tx.postpone(owed, atMs + performed.afterMs, performed.isTry ? owed.attempts : 0);
          return null;
        case 'given-up':
          await tx.settle(owed);
          await tx.audit(
            {
              rolloutId: owed.rolloutId,
              actor: 'belay',
              what: 'gave-up',
              body: { key: owed.key, detail: performed.detail },
            },
            atMs,
          );
          return null;
        case 'failed': {
          const pauseMs = performed.retryAfterMs ?? pauseAfter(owed.attempts, owed.due.kind);
          await tx.postpone(owed, atMs + pauseMs, owed.attempts);
          return isWorthSaying(owed)
            ? applyEvent(tx, owed.rolloutId, {
                type: 'stumbled',
                atMs,
                generation: owed.due.generation,
                effect: owed.due.kind,
                detail: performed.detail,
                attempts: owed.attempts,
              })
            : null;
        }
      }
    });
    if (performed.is === 'failed' || performed.is === 'given-up') {
      log.warn(
        { key: owed.key, attempts: owed.attempts, detail: performed.detail },
        `${owed.due.kind} ${performed.is}`,
      );
    }
    afterCommit(applied);
  }

  /** What tells people must not change what it tells about; and of a long row of failures the 1st, 2nd, 4th … are enough. */
  function isWorthSaying(owed: Owed<Due>): boolean {
    const isAboutRollout = !['project', 'project-drift', 'announce', 'page'].includes(owed.due.kind);
    return isAboutRollout && Number.isInteger(Math.log2(owed.attempts));
  }

  /**
   * After a clock that was set back, all that is owed would wait for as much longer: looks at a step, the next try of a
   * rollback, deadlines. It is brought forward, so that each waits as long as it was meant to.
   */
  async function allowForSetBack(): Promise<void> {
    setBack ??= createSetBack(clock, await ledger.newestAtMs());
    const byMs = setBack.byMs();
    if (byMs === 0) return;
    const atMs = clock.now();
    const event = { type: 'clock-set-back', atMs, byMs } as const;
    const applied = await ledger.write(async (tx) => {
      const all: (Applied | null)[] = [];
      await tx.bringForward(byMs);
      await tx.audit({ rolloutId: null, actor: 'belay', what: event.type, body: { byMs } }, atMs);
      for (const { id, approvals } of await tx.openRollouts(null)) {
        if (approvals.length > 0) all.push(await applyEvent(tx, id, event));
      }
      return all;
    });
    setBack.allowFor(byMs);
    log.warn({ byMs }, 'the clock was set back: what is owed was brought forward by as much');
    for (const one of applied) afterCommit(one);
  }

  /** Leases up to `limit` rows that are due now and are free to be performed, each with the state that owes it. */
  async function claim(limit: number): Promise<Claimed[]> {
    await allowForSetBack();
    const nowMs = clock.now();
    return ledger.write(async (tx) => {
      const claimed: Claimed[] = [];
      for (const owed of await tx.claimDue(nowMs, nowMs + timeoutMs * 2, limit)) {
        const known = claimed.find((one) => one.owed.rolloutId === owed.rolloutId && one.rollout)?.rollout;
        // A timer says all there is to say by itself.
        const needsNone = owed.due.kind === 'wake' || owed.due.kind === 'project-drift';
        const rollout = needsNone ? null : (known ?? (await tx.rollout(owed.rolloutId)));
        claimed.push({ owed, rollout });
      }
      return claimed;
    });
  }

  /** One round: everything that is due now is tried once and settled. Answers how many there were. */
  async function tick(limit: number = concurrency): Promise<number> {
    const claimed = await claim(limit);
    await Promise.all(claimed.map(performOnce));
    return claimed.length;
  }

  /** Works off what is due until the signal aborts; then waits for what is under way. */
  async function run(signal: AbortSignal): Promise<void> {
    await ledger.releaseLeases();
    const running = new Set<Promise<void>>();
    const stop = () => kick();
    signal.addEventListener('abort', stop);
    while (!signal.aborted) {
      kicked = new AbortController();
      const { signal: kickSignal } = kicked;
      let untilMs = POLL_MS;
      try {
        const free = concurrency - inFlight.size;
        const claimed = free > 0 ? await claim(free) : [];
        for (const claimedOne of claimed) {
          const one = performOnce(claimedOne)
            .catch((error: unknown) => {
              // The row keeps its lease and is tried again when that ends.
              log.error({ key: claimedOne.owed.key, detail: String(error) }, 'an answer could not be committed');
            })
            .finally(() => running.delete(one));
          running.add(one);
        }
        if (free > 0 && claimed.length === free) continue;
        const nextMs = free > 0 ? await ledger.nextDueAtMs() : null;
        if (nextMs !== null) untilMs = Math.min(POLL_MS, Math.max(BLOCKED_MS, nextMs - clock.now()));
      } catch (error) {
        log.error({ detail: String(error) }, 'the database could not be asked what is due');
      }
      if (!signal.aborted) await clock.wait(untilMs, kickSignal);
    }
    signal.removeEventListener('abort', stop);
    for (const one of inFlight.values()) one.abort.abort();
    await Promise.all(running);
  }

  return { submit, tick, run, kick, afterCommit };
}

function isOfDrift(owed: Owed<Due>): owed is Owed<DriftDue> {
  return owed.due.kind === 'project-drift';
}

function isOfRollout(owed: Owed<Due>): owed is Owed<RolloutDue> {
  return owed.due.kind !== 'project-drift';
}
