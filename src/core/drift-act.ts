import { type Action, authorize } from './authorize.ts';
import type { Drift, Recorded } from './drift.ts';
import { type Acceptance, caseId, type DriftCase, type DriftStep, ended, entering } from './drift-case.ts';
import { type Actor, principalKey } from './principal.ts';
import type { Refusal } from './refusal.ts';
import type { Participant } from './release.ts';

/** How long a drift can be put off. */
export const IGNORE_CHOICES = ['1h', '8h', 'tomorrow', '1w'] as const;
export type IgnoreChoice = (typeof IGNORE_CHOICES)[number];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Until when a choice puts it off; `tomorrow` is 09:00 where the clocks are `utcOffsetMs` ahead of UTC. */
export function ignoredUntilMs(choice: IgnoreChoice, nowMs: number, utcOffsetMs: number): number {
  switch (choice) {
    case '1h':
      return nowMs + HOUR_MS;
    case '8h':
      return nowMs + 8 * HOUR_MS;
    case '1w':
      return nowMs + 7 * DAY_MS;
    case 'tomorrow': {
      const today = Math.floor((nowMs + utcOffsetMs) / DAY_MS);
      return (today + 1) * DAY_MS + 9 * HOUR_MS - utcOffsetMs;
    }
  }
}

/** A person's answer to a drift, and which state of it they saw. */
export type DriftAct = { actor: Actor; atMs: number; number: number; generation: number } & (
  | { act: 'fix'; rolloutId: string }
  | { act: 'accept'; because: string }
  | { act: 'ignore'; because: string; untilMs: number }
);

/** What is known of the version that would be accepted. */
export type AcceptFacts = {
  /** Everybody who took part in what runs now and was not recorded; empty: nobody knows who did. */
  participants: Participant[];
  /** The commit of what runs; '': not known. */
  sha: string;
  /** How many people have to say yes; null: nobody can. */
  required: number | null;
};

export type DriftDecision =
  | (DriftStep & { is: 'changed'; placed: Recorded | null })
  | { is: 'refused'; refusal: Refusal };

export const DRIFT_ACTIONS = { fix: 'fix-drift', accept: 'accept-drift', ignore: 'ignore-drift' } as const;

/** What a drift becomes by a person's answer. The first one counts; whoever comes second is told who that was. */
export function decideDrift(known: DriftCase, act: DriftAct, facts: AcceptFacts): DriftDecision {
  const { actor, atMs } = act;
  const action: Action = DRIFT_ACTIONS[act.act];
  const allowed = authorize(actor, action, { participants: facts.participants, requester: '' });
  if (!allowed.allowed) return { is: 'refused', refusal: allowed.refusal };
  const { phase } = known;
  const isAnswerable = phase.is === 'open' || phase.is === 'ignored';
  if (!isAnswerable || act.number !== known.number) return tooLate(known);
  const acted: DriftCase = { ...known, lastAct: { by: principalKey(actor.principal), name: actor.name, atMs } };
  const { sinceMs, drift, acceptances, needs } = phase;
  switch (act.act) {
    // To put back what is recorded is right however the drift has changed since it was drawn.
    case 'fix': {
      const { rolloutId } = act;
      const next = entering(acted, { is: 'fixing', sinceMs, drift, by: actor.name, atMs, rolloutId });
      return { is: 'changed', next, happened: 'fixing', placed: null };
    }
    case 'ignore': {
      const { because, untilMs } = act;
      if (phase.is === 'ignored' || act.generation !== known.generation) return tooLate(known);
      if (because.trim() === '') return { is: 'refused', refusal: { code: 'reason-missing' } };
      const put = {
        is: 'ignored',
        sinceMs,
        drift,
        acceptances,
        needs,
        by: actor.name,
        because,
        atMs,
        untilMs,
      } as const;
      return { is: 'changed', next: entering(acted, put), happened: 'ignored', placed: null };
    }
    case 'accept': {
      if (act.generation !== known.generation) return tooLate(known);
      return accepted(acted, act, facts);
    }
  }
}

function tooLate({ phase, lastAct }: DriftCase): DriftDecision {
  const { name: by, atMs } = lastAct ?? { name: null, atMs: null };
  return { is: 'refused', refusal: { code: 'too-late', by, atMs, now: phase.is } };
}

/**
 * Accepting what nobody approved is an approval: so many people as the stage asks for, none of whom took part, for
 * exactly what they saw. Only one version with one configuration can be accepted.
 */
function accepted(known: DriftCase, act: Extract<DriftAct, { act: 'accept' }>, facts: AcceptFacts): DriftDecision {
  const { actor, because, atMs } = act;
  const { phase } = known;
  if (phase.is !== 'open' && phase.is !== 'ignored') return tooLate(known);
  const no = (refusal: Refusal): DriftDecision => ({ is: 'refused', refusal });
  if (because.trim() === '') return no({ code: 'reason-missing' });
  const why = whyNotAcceptable(phase.drift);
  if (why !== null) return no({ code: 'not-acceptable', why });
  if (facts.required === null) return no({ code: 'not-acceptable', why: 'no-rule' });
  const by = principalKey(actor.principal);
  const already = phase.acceptances.find(
    (one) => one.by === by || (one.githubId !== null && one.githubId === actor.githubId),
  );
  if (already) return no({ code: 'already-approved', atMs: already.atMs });
  const acceptance: Acceptance = { by, name: actor.name, githubId: actor.githubId, because, atMs };
  const acceptances = [...phase.acceptances, acceptance];
  if (acceptances.length < facts.required) {
    return {
      is: 'changed',
      next: entering(known, { ...phase, acceptances, needs: facts.required }),
      happened: 'accepted by one',
      placed: null,
    };
  }
  const placed = placedBy(known, phase.drift, facts.sha, atMs);
  const { next, happened } = ended({ ...known, recorded: placed, marks: [] }, phase, atMs, {
    is: 'accepted',
    acceptances,
  });
  return { is: 'changed', next, happened, placed };
}

/** Why what runs cannot be made what is recorded; null: it can. */
export function whyNotAcceptable(drift: Drift): Extract<Refusal, { code: 'not-acceptable' }>['why'] | null {
  if (drift.instances === 0) return 'nothing-runs';
  if (drift.strays.some((one) => one.why === 'left-behind')) return 'left-behind';
  if (drift.running.length === 0) return 'unreadable';
  return drift.running.length > 1 || drift.more > 0 ? 'many-versions' : null;
}

/** What runs on every instance that can be read; the others are left out, by the decision of those who accepted it. */
function placedBy(known: DriftCase, drift: Drift, sha: string, atMs: number): Recorded {
  const [runs] = drift.running;
  if (!runs) throw new Error(`Nothing that can be read runs on ${known.target}`);
  const unread = drift.strays.filter((one) => one.why === 'unreadable').map((one) => one.id);
  return {
    stage: known.recorded.stage,
    target: known.target,
    artifact: { digest: runs.digest, sha },
    config: runs.config,
    without: [...new Set([...known.recorded.without, ...unread])],
    rolloutId: caseId(known),
    atMs,
  };
}
