import { type Drift, driftOf, isCovered, isSameDrift, type Mark, marksOf, type Recorded } from './drift.ts';
import type { Observation } from './target.ts';

/** One person's yes to what runs instead of what is recorded. */
export type Acceptance = { by: string; name: string; githubId: number | null; because: string; atMs: number };

/** Why people are told of the same drift a second time. */
export type Again = { why: 'ignored-long-enough' | 'changed' | 'not-fixed'; atMs: number };

/** How a drift ended. */
export type DriftEnd =
  /** It runs what is recorded again, and Belay did not do it. */
  | { is: 'gone' }
  | { is: 'fixed'; by: string; rolloutId: string }
  | { is: 'accepted'; acceptances: Acceptance[] }
  /** A rollout put something on the target since. */
  | { is: 'replaced'; rolloutId: string };

/** `needs`: how many acceptances it takes, known from the first one on. */
export type DriftPhase =
  | { is: 'none' }
  | { is: 'open'; sinceMs: number; drift: Drift; acceptances: Acceptance[]; needs: number | null; again: Again | null }
  | {
      is: 'ignored';
      sinceMs: number;
      drift: Drift;
      acceptances: Acceptance[];
      needs: number | null;
      by: string;
      because: string;
      atMs: number;
      untilMs: number;
    }
  | { is: 'fixing'; sinceMs: number; drift: Drift; by: string; atMs: number; rolloutId: string }
  | { is: 'over'; sinceMs: number; drift: Drift; atMs: number; end: DriftEnd };

/** What is known of one target between deploys. Plain JSON: it survives a round trip through the database. */
export type DriftCase = {
  service: string;
  target: string;
  channel: string;
  /** The how many-th drift of this target it is: each has a message of its own. 0: there was none. */
  number: number;
  /** Grows with everything that people see: a click carries the one that it was made for. */
  generation: number;
  /** What should run, as it was recorded at the newest look. */
  recorded: Recorded;
  phase: DriftPhase;
  /** Instances that could not be read at the newest look: once is everyday, twice in a row is drift. */
  unread: string[];
  marks: Mark[];
  /** Looks in a row that got no answer; null: the newest one did. Never drift. */
  missed: { looks: number; sinceMs: number; detail: string } | null;
  /** The last thing that a person did here, so that whoever comes second is told who was first. */
  lastAct: { by: string; name: string; atMs: number } | null;
};

export type DriftEvent = { atMs: number } & (
  | {
      type: 'looked';
      recorded: Recorded;
      observation: Observation;
      /** Everything that the case shows was brought to people. */
      isTold: boolean;
    }
  | { type: 'missed'; detail: string }
  /** Time has passed. */
  | { type: 'expired' }
);

/** `happened`: what people must see and the audit keep; null: nothing of that kind. */
export type DriftStep = { next: DriftCase; happened: Happened | null };

export type Happened =
  | 'opened'
  | 'changed'
  | 'opened again'
  | DriftEnd['is']
  | 'fixing'
  | 'ignored'
  | 'accepted by one';

/** A drift that comes back so soon is told in the message that said that it went. */
const SAME_MESSAGE_MS = 3_600_000;

const DETAIL_CHARACTERS = 300;

/** A target that was never looked at. */
export function newCase(service: string, channel: string, recorded: Recorded): DriftCase {
  return {
    service,
    target: recorded.target,
    channel,
    number: 0,
    generation: 0,
    recorded,
    phase: { is: 'none' },
    unread: [],
    marks: [],
    missed: null,
    lastAct: null,
  };
}

/** `drift:shop/eu#2`: what the audit, the decisions and the message of one drift are kept under. */
export function caseId({ service, target, number }: Pick<DriftCase, 'service' | 'target' | 'number'>): string {
  return `drift:${service}/${target}#${number}`;
}

/** Said in the channel and neither ended nor put off. */
export function isOpen({ phase }: DriftCase): boolean {
  return phase.is === 'open' || phase.is === 'ignored' || phase.is === 'fixing';
}

/** What a target becomes by a look at it, or by time. A look that found the same again changes nothing. */
export function driftStep(known: DriftCase, event: DriftEvent): DriftStep {
  switch (event.type) {
    case 'looked':
      return looked(known, event);
    case 'missed': {
      const { missed } = known;
      const detail = event.detail.slice(0, DETAIL_CHARACTERS);
      const next = { looks: (missed?.looks ?? 0) + 1, sinceMs: missed?.sinceMs ?? event.atMs, detail };
      return { next: { ...known, missed: next }, happened: null };
    }
    case 'expired': {
      const { phase } = known;
      if (phase.is !== 'ignored' || event.atMs < phase.untilMs) return { next: known, happened: null };
      return openedAgain(known, phase, phase.drift, { why: 'ignored-long-enough', atMs: event.atMs });
    }
  }
}

function looked(before: DriftCase, event: Extract<DriftEvent, { type: 'looked' }>): DriftStep {
  const { recorded, observation, atMs } = event;
  const isReplaced = recorded.rolloutId !== before.recorded.rolloutId || recorded.atMs !== before.recorded.atMs;
  const marks = isReplaced ? [] : before.marks;
  const found = driftOf(recorded, observation, marks);
  const drift = found && confirmed(found, isReplaced ? [] : [...before.unread, ...straysOf(before)]);
  const known: DriftCase = {
    ...before,
    recorded,
    unread: (found?.strays ?? []).filter((one) => one.why === 'unreadable').map((one) => one.id),
    marks: marksOf(recorded, observation, marks),
    missed: null,
  };
  const { phase } = before;
  const unchanged: DriftStep = { next: known, happened: null };
  if (drift === null) {
    if (phase.is === 'none' || phase.is === 'over') return unchanged;
    return ended(known, phase, atMs, endOf(phase, recorded, isReplaced));
  }
  switch (phase.is) {
    case 'none':
    case 'over': {
      const wentJustNow = phase.is === 'over' && phase.end.is === 'gone' && atMs - phase.atMs < SAME_MESSAGE_MS;
      // While the end of the last one was not brought to people, its message is still the one to write to.
      const isSameMessage = phase.is === 'over' && (wentJustNow || !event.isTold);
      const number = isSameMessage ? known.number : known.number + 1;
      const opened: DriftPhase = { is: 'open', sinceMs: atMs, drift, acceptances: [], needs: null, again: null };
      return { next: entering({ ...known, number }, opened), happened: 'opened' };
    }
    case 'open': {
      if (!isReplaced && isSameDrift(drift, phase.drift)) return unchanged;
      return { next: entering(known, { ...phase, drift, acceptances: [], needs: null }), happened: 'changed' };
    }
    case 'ignored': {
      if (!isReplaced && isSameDrift(drift, phase.drift)) return unchanged;
      if (isReplaced || !isCovered(drift, phase.drift)) {
        return openedAgain(known, phase, drift, { why: 'changed', atMs });
      }
      return { next: entering(known, { ...phase, drift, acceptances: [], needs: null }), happened: 'changed' };
    }
    // A target whose repair is under way is not looked at: that one is over, and did not help.
    case 'fixing':
      return openedAgain(known, phase, drift, { why: 'not-fixed', atMs });
  }
}

/** Drift without what could not be read for the first time; what was known as strange and cannot be read now still counts. */
function confirmed(found: Drift, suspects: string[]): Drift | null {
  const strays = found.strays.filter((one) => one.why !== 'unreadable' || suspects.includes(one.id));
  if (strays.length === 0 && found.instances > 0) return null;
  return { ...found, strays };
}

function straysOf({ phase }: DriftCase): string[] {
  return 'drift' in phase && phase.is !== 'over' ? phase.drift.strays.map((one) => one.id) : [];
}

type Told = Extract<DriftPhase, { is: 'open' | 'ignored' | 'fixing' }>;

function endOf(phase: Told, recorded: Recorded, isReplaced: boolean): DriftEnd {
  if (phase.is === 'fixing' && recorded.rolloutId === phase.rolloutId) {
    return { is: 'fixed', by: phase.by, rolloutId: phase.rolloutId };
  }
  return isReplaced ? { is: 'replaced', rolloutId: recorded.rolloutId } : { is: 'gone' };
}

function openedAgain(known: DriftCase, phase: Told, drift: Drift, again: Again): DriftStep {
  const next: DriftPhase = { is: 'open', sinceMs: phase.sinceMs, drift, acceptances: [], needs: null, again };
  return { next: entering(known, next), happened: 'opened again' };
}

/** Ends the drift; its message says how, and has no buttons any more. */
export function ended(known: DriftCase, phase: Told, atMs: number, end: DriftEnd): DriftStep {
  const { sinceMs, drift } = phase;
  return { next: entering(known, { is: 'over', sinceMs, drift, atMs, end }), happened: end.is };
}

/** The one door between phases: a click that was made for an earlier one is too late. */
export function entering(known: DriftCase, phase: DriftPhase): DriftCase {
  return { ...known, phase, generation: known.generation + 1 };
}
