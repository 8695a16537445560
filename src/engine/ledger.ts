import type { Fact, SignalLook } from '../core/decision.ts';
import type { DriftCase } from '../core/drift-case.ts';
import type { Effect } from '../core/effect.ts';
import type { Json } from '../core/json.ts';
import type { Artifact, Participant, Release } from '../core/release.ts';
import type { Rollout } from '../core/rollout.ts';

/** `project`: a rollout changed and what people see of it must follow; owed until the newest state was shown. */
export type RolloutDue = Effect | { kind: 'project'; key: string; generation: 0; afterMs: number };

/** The same for what drifted: it belongs to a target and to no rollout. */
export type DriftDue = {
  kind: 'project-drift';
  key: string;
  generation: 0;
  afterMs: number;
  service: string;
  target: string;
};

export type Due = RolloutDue | DriftDue;

/** A row of the outbox, leased to whoever performs it. */
export type Owed<Of extends Due = RolloutDue> = {
  key: string;
  /** `drift:service/target` for what belongs to no rollout. */
  rolloutId: string;
  due: Of;
  /** service/target of an effect that changes a target. */
  target: string | null;
  fence: number | null;
  /** This try included: more than 1 means that an earlier one may have had its effect. */
  attempts: number;
  version: number;
};

export type AuditEntry = { rolloutId: string | null; actor: string; what: string; body: Json };

export type Placement = {
  stage: string;
  target: string;
  artifact: Artifact;
  /** The configuration checksum that every instance had when it was read back; null: not known. */
  config: string | null;
  /** The instances that somebody decided to go on without. */
  without: string[];
  rolloutId: string;
  atMs: number;
};

export type Good = { target: string; stage: string; artifact: Artifact; rolloutId: string; atMs: number };

/** One judged look at a step, as it was committed. */
export type Looked = { sinceMs: number; atMs: number; signals: SignalLook[] };

/** What may be read; each answer is of one committed state. */
export interface LedgerReader {
  rollout(id: string): Promise<Rollout | null>;
  /** Not over, newest first; null: of every lane. `limit`: no more than that many. */
  openRollouts(lane: string | null, limit?: number): Promise<Rollout[]>;
  /** The newest release of the lane that went all the way; null: none did yet. */
  lastSucceeded(lane: string): Promise<Rollout | null>;
  history(service: string | null, limit: number): Promise<Rollout[]>;
  release(service: string, pipeline: string, sha: string): Promise<Release | null>;
  /** Recorded releases of the same pipeline, merged after `after` up to and with `release`, newest first. */
  releasesBetween(after: Release, release: Release): Promise<Release[]>;
  placements(service: string): Promise<Placement[]>;
  /** Versions that were healthy on a stage's targets, newest first. */
  goods(service: string, stage: string): Promise<Good[]>;
  /** What was seen the last time that this step was watched, oldest first. Forgotten some weeks later. */
  looks(rolloutId: string, stage: string, step: string): Promise<Looked[]>;
  desired(lane: string): Promise<{ sha: string; digest: string } | null>;
  head(repo: string, branch: string): Promise<string | null>;
  /** What is known of a target between deploys; null: it was never looked at. */
  drift(service: string, target: string): Promise<DriftCase | null>;
  /** Of every target that was looked at, drifted or not; null: of all services. */
  drifts(service: string | null): Promise<DriftCase[]>;
  /** The newest time that the audit names since the clock leapt last; null: it is empty. */
  newestAtMs(): Promise<number | null>;
}

/** What may be changed, all of it in one transaction that commits or never happened. */
export interface LedgerWriter extends LedgerReader {
  saveRollout(rollout: Rollout): Promise<void>;
  /** False: this service and pipeline have that commit already. */
  addRelease(release: Release): Promise<boolean>;
  setHead(repo: string, branch: string, sha: string, atMs: number): Promise<void>;
  /** The same key twice is one row. Gives an effect that changes a target its fence. */
  owe(rollout: Rollout, effect: Effect, dueAtMs: number): Promise<void>;
  /** What people see of this rollout must follow. */
  oweProjection(rolloutId: string, dueAtMs: number): Promise<void>;
  /** Cancels what older phases owed; answers the keys. */
  cancelOlder(rolloutId: string, generation: number): Promise<string[]>;
  /**
   * Whoever makes a target anew owns it: its removal is owed by nobody else any more. Answers the rollouts that owed it,
   * and the keys.
   */
  cancelRemovals(service: string, target: string): Promise<{ rolloutId: string; key: string }[]>;
  /** The row is done; false: it was cancelled or owed again meanwhile. */
  settle(owed: Owed<Due>): Promise<boolean>;
  /** Still owed, later; keeps or resets the count of tries. */
  postpone(owed: Owed<Due>, dueAtMs: number, attempts: number): Promise<void>;
  /** All that is owed is due, and every lease ends, this much later; below 0: sooner. */
  moveOwed(byMs: number): Promise<void>;
  claimDue(nowMs: number, leaseUntilMs: number, limit: number): Promise<Owed<Due>[]>;
  record(rollout: Rollout, generation: number, facts: Fact[]): Promise<void>;
  /** Everybody who took part in what was merged after `afterSha`, up to this release. */
  participantsSince(afterSha: string | null, release: Release): Promise<Participant[]>;
  /** null: Belay has placed something there, and nothing that it knows was good. */
  lastGoodByTarget(service: string): Promise<Record<string, Artifact | null>>;
  audit(entry: AuditEntry, atMs: number): Promise<void>;
  saveDrift(known: DriftCase): Promise<void>;
  /** What people see of this target's drift must follow. */
  oweDrift(known: DriftCase, dueAtMs: number): Promise<void>;
  /** Everything that the drift of this target shows was brought to people. */
  isDriftTold(service: string, target: string): Promise<boolean>;
  recordDriftDecision(
    known: DriftCase,
    decision: { by: string; name: string; choice: string; because: string | null; atMs: number },
  ): Promise<void>;
  /** What is recorded of a target, without a rollout that put it there. */
  place(service: string, placement: Placement): Promise<void>;
  /** The commit of a digest that was good somewhere; null: not known. */
  knownVersion(service: string, digest: string): Promise<Artifact | null>;
}

export interface Ledger extends LedgerReader {
  /**
   * Runs `unit` in a transaction of its own rights: it commits whole or rejects and changed nothing. Units that are
   * asked for at the same time share one fsync. A unit must not ask for another, changes nothing but the ledger, and may
   * run twice: when one of those beside it fails, all are run once more, apart.
   */
  write<T>(unit: (tx: LedgerWriter) => Promise<T>): Promise<T>;
  /** Builds of this commit are looked at now and not at their next turn. */
  hastenBuilds(sha: string, nowMs: number): Promise<void>;
  /**
   * Looks at a step with a signal of one of these sources happen now and not at their next turn. Those that are under way
   * are left alone: hints that come faster than looks end must not keep every look from ending.
   */
  hastenLooks(sources: readonly string[], nowMs: number): Promise<void>;
  /** When the next row of the outbox is due; null: none. */
  nextDueAtMs(): Promise<number | null>;
  /** After a start with the database to itself: nobody else holds a lease. */
  releaseLeases(): Promise<void>;
}
