import type { Event } from '../core/event.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Rollout } from '../core/rollout.ts';
import { type Applied, applyEvent } from './apply.ts';
import type { Clock } from './clock.ts';
import type { Due, Ledger, Owed } from './ledger.ts';
import type { Perform, PerformDrift, Performed } from './perform.ts';
import { settle } from './settle.ts';
import { createTry } from './try-once.ts';

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
const CONCURRENCY = 64;
/** Polling is the truth, a kick only makes it sooner. */
const POLL_MS = 1000;
/** What is due and could not be claimed waits for its target: looking again at once would only burn the processor. */
const BLOCKED_MS = 5;
/** Ends a wait. Without a reason of its own, every abort would make an exception with its stack. */
const ENOUGH = 'waited enough';

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
  const tryOnce = createTry({ perform, performDrift: options.performDrift, clock, timeoutMs });
  let kicked = new AbortController();

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
      const settled = settleOne(owed, performed);
      // Its place is free: what takes it is claimed in the same commit as this answer.
      kick();
      await settled;
    } finally {
      inFlight.delete(owed.key);
      ended.resolve();
    }
  }

  async function settleOne(owed: Owed<Due>, performed: Performed): Promise<void> {
    const atMs = clock.now();
    const applied = await ledger.write((tx) => settle(tx, owed, performed, atMs));
    if (performed.is === 'failed' || performed.is === 'given-up') {
      log.warn(
        { key: owed.key, attempts: owed.attempts, detail: performed.detail },
        `${owed.due.kind} ${performed.is}`,
      );
    }
    afterCommit(applied);
  }

  /** Leases up to `limit` rows that are due now and are free to be performed, each with the state that owes it. */
  function claim(limit: number): Promise<Claimed[]> {
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
