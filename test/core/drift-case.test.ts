import { describe, expect, it } from 'vitest';
import { decideDrift, ignoredUntilMs } from '../../src/core/drift-act.ts';
import { type DriftCase, driftStep } from '../../src/core/drift-case.ts';
import type { Participant } from '../../src/core/release.ts';
import { AT_MS, anObservation, answer, aRecord, four, given, looked, OTHER } from '../support/drifted.ts';
import { actor } from '../support/service.ts';

const ALL = Object.fromEntries(['eu-1', 'eu-2', 'eu-3', 'eu-4'].map((id) => [id, { digest: 'sha256:other' }]));
const NOBODY = { participants: [] as Participant[], sha: '', required: 1 };

function decided(known: DriftCase, ...[act, facts = NOBODY]: [Parameters<typeof decideDrift>[1], typeof NOBODY?]) {
  const decision = decideDrift(known, act, facts);
  if (decision.is === 'refused') throw new Error(`refused: ${decision.refusal.code}`);
  return decision;
}

describe('R6 a drift is said once', () => {
  it('opens when it is seen, and the same one seen again changes nothing', () => {
    const first = given(four(OTHER));
    expect(first.happened).toEqual(['opened']);
    expect(first.known).toMatchObject({ number: 1, phase: { is: 'open', sinceMs: AT_MS } });
    const again = driftStep(first.known, looked(four(OTHER), aRecord(), AT_MS + 60_000));
    expect(again).toEqual({ next: first.known, happened: null });
  });

  it('that changes keeps its number and its beginning', () => {
    const { known, happened } = given(four(OTHER), four({ ...OTHER, 'eu-4': { digest: 'sha256:x' } }));
    expect(happened).toEqual(['opened', 'changed']);
    expect(known).toMatchObject({ number: 1, phase: { is: 'open', sinceMs: AT_MS } });
    expect(known.phase.is === 'open' && known.phase.drift.strays).toHaveLength(2);
  });

  it('that goes away by itself says so', () => {
    const { known, happened } = given(four(OTHER), four());
    expect(happened).toEqual(['opened', 'gone']);
    expect(known.phase).toMatchObject({ is: 'over', end: { is: 'gone' } });
  });

  it('that a rollout has replaced says that', () => {
    const placed = aRecord({ rolloutId: 'rollout-2', artifact: { digest: 'sha256:other', sha: '2'.repeat(40) } });
    const { happened } = given(four(OTHER), (_known, atMs) => looked(four(ALL), placed, atMs));
    expect(happened).toEqual(['opened', 'replaced']);
  });

  it('that comes back soon is told in the same message, later in a new one', () => {
    const soon = given(four(OTHER), four(), four(OTHER));
    expect([soon.known.number, soon.happened.at(-1)]).toEqual([1, 'opened']);
    const later = given(four(OTHER), four(), (_known, atMs) => looked(four(OTHER), aRecord(), atMs + 3_600_000));
    expect(later.known.number).toBe(2);
  });

  it('T12 gets no second message while the end of the first one was not brought to people', () => {
    const { known } = given(four(OTHER), four(), (_known, atMs) => looked(four(OTHER), aRecord(), atMs + 1e8, false));
    expect(known.number).toBe(1);
  });
});

describe('R6 what cannot be read', () => {
  const unread = four({ 'eu-2': { digest: null } });

  it('once is everyday, twice in a row is said', () => {
    expect(given(unread).happened).toEqual([null]);
    expect(given(unread, four(), unread).happened).toEqual([null, null, null]);
    const { known, happened } = given(unread, unread);
    expect(happened).toEqual([null, 'opened']);
    expect(known.phase.is === 'open' && known.phase.drift.strays).toMatchObject([{ id: 'eu-2', why: 'unreadable' }]);
  });

  it('T9 does not close the drift of an instance that ran something else a look before', () => {
    const { known, happened } = given(four(OTHER), four({ 'eu-3': { digest: null } }));
    expect(happened).toEqual(['opened', 'changed']);
    expect(known.phase).toMatchObject({ is: 'open', drift: { strays: [{ id: 'eu-3', why: 'unreadable' }] } });
  });

  it('T9 a platform that does not answer is no drift, and closes none; the count ends with an answer', () => {
    const miss = (_known: DriftCase, atMs: number) => ({ type: 'missed' as const, atMs, detail: 'ECONNREFUSED' });
    const three = given(miss, miss, miss);
    expect(three.happened).toEqual([null, null, null]);
    expect(three.known).toMatchObject({ phase: { is: 'none' }, missed: { looks: 3, sinceMs: AT_MS } });
    expect(given(four(OTHER), miss).known.phase.is).toBe('open');
    expect(given(miss, four()).known.missed).toBeNull();
  });

  it('T9 a missed look lies between two: an instance that was unread before it and after it counts', () => {
    const miss = (_known: DriftCase, atMs: number) => ({ type: 'missed' as const, atMs, detail: 'x' });
    expect(given(unread, miss, unread).happened.at(-1)).toBe('opened');
  });
});

describe('R6 Fix', () => {
  const fixed = (known: DriftCase) => decided(known, answer(known, 'dan', { act: 'fix', rolloutId: 'rollout-9' })).next;
  const lookAfter = (observation: ReturnType<typeof four>, recorded = aRecord()) =>
    given(four(OTHER), fixed, (_known, atMs) => looked(observation, recorded, atMs));

  it('is over when every instance was looked at again, not when the rollback says so', () => {
    const { known } = lookAfter(four(), aRecord({ rolloutId: 'rollout-9' }));
    expect(known.phase).toMatchObject({ is: 'over', end: { is: 'fixed', by: 'dan', rolloutId: 'rollout-9' } });
  });

  it('that did not help is said again', () => {
    const { known, happened } = lookAfter(four(OTHER));
    expect(happened.at(-1)).toBe('opened again');
    expect(known.phase).toMatchObject({ is: 'open', sinceMs: AT_MS, again: { why: 'not-fixed' } });
  });

  it('counts however the drift has changed since its button was drawn', () => {
    const { known } = given(four(OTHER));
    const act = answer(known, 'dan', { act: 'fix', rolloutId: 'r' });
    const changed = given(four(OTHER), four({ ...OTHER, 'eu-4': { digest: 'sha256:x' } })).known;
    expect(decideDrift(changed, act, NOBODY).is).toBe('changed');
  });

  it('T3 of two who click the second is told who was first', () => {
    const { known } = given(four(OTHER));
    const first = fixed(known);
    const second = decideDrift(first, answer(known, 'cho', { act: 'fix', rolloutId: 'r' }), NOBODY);
    expect(second).toMatchObject({ is: 'refused', refusal: { code: 'too-late', by: 'dan', now: 'fixing' } });
  });

  it('of a drift that is over is too late', () => {
    const { known } = given(four(OTHER), four());
    const act = answer(known, 'dan', { act: 'fix', rolloutId: 'r' });
    expect(decideDrift(known, act, NOBODY)).toMatchObject({ refusal: { code: 'too-late' } });
  });
});

describe('R6 Accept', () => {
  const accept = { act: 'accept', because: 'the hotfix of last night' } as const;

  it('records what runs, by whom and why', () => {
    const { known, atMs } = given(four(ALL));
    const { next, placed } = decided(known, answer(known, 'ben', accept, atMs), { ...NOBODY, sha: 'f'.repeat(40) });
    expect(placed).toEqual({
      ...aRecord(),
      artifact: { digest: 'sha256:other', sha: 'f'.repeat(40) },
      rolloutId: 'drift:shop/eu#1',
      atMs,
    });
    expect(next.phase).toMatchObject({
      is: 'over',
      end: { is: 'accepted', acceptances: [{ name: 'ben', ...{ because: accept.because } }] },
    });
    expect(driftStep(next, looked(four(ALL), placed ?? aRecord(), atMs + 1)).happened).toBeNull();
  });

  it('T1 takes as many people as the stage asks for; one counts once', () => {
    const { known } = given(four(ALL));
    const two = { ...NOBODY, required: 2 };
    const first = decided(known, answer(known, 'ben', accept), two);
    expect(first).toMatchObject({
      happened: 'accepted by one',
      placed: null,
      next: { phase: { is: 'open', needs: 2 } },
    });
    const again = decideDrift(first.next, answer(first.next, 'ben', accept), two);
    expect(again).toMatchObject({ refusal: { code: 'already-approved' } });
    expect(decided(first.next, answer(first.next, 'cho', accept), two).placed).not.toBeNull();
  });

  it('T2 is for exactly what was seen: a change voids it', () => {
    const { known } = given(four(ALL));
    const first = decided(known, answer(known, 'ben', accept), { ...NOBODY, required: 2 }).next;
    const other = { ...ALL, 'eu-1': { digest: 'sha256:third' } };
    const changed = driftStep(first, looked(four(other), aRecord(), AT_MS + 900_000)).next;
    expect(changed.phase).toMatchObject({ is: 'open', acceptances: [], needs: null });
    const late = decideDrift(changed, answer(first, 'cho', accept), NOBODY);
    expect(late).toMatchObject({ refusal: { code: 'too-late', by: 'ben' } });
  });

  it.each<[string, Parameters<typeof four>[0], string]>([
    ['several versions', OTHER, 'many-versions'],
    ['a canary that was left behind', { 'eu-3': { role: 'canary' } }, 'left-behind'],
  ])('T15 is refused where there is %s', (_what, over, why) => {
    const { known } = given(four(over));
    expect(decideDrift(known, answer(known, 'ben', accept), NOBODY)).toMatchObject({
      refusal: { code: 'not-acceptable', why },
    });
  });

  it('T15 is refused where nothing runs, nothing can be read, or no rule says who may', () => {
    const empty = given(anObservation([])).known;
    expect(decideDrift(empty, answer(empty, 'ben', accept), NOBODY)).toMatchObject({
      refusal: { why: 'nothing-runs' },
    });
    const none = four(Object.fromEntries(Object.keys(ALL).map((id) => [id, { digest: null }])));
    const unread = given(none, none).known;
    expect(decideDrift(unread, answer(unread, 'ben', accept), NOBODY)).toMatchObject({
      refusal: { why: 'unreadable' },
    });
    const all = given(four(ALL)).known;
    const noRule = decideDrift(all, answer(all, 'ben', accept), { ...NOBODY, required: null });
    expect(noRule).toMatchObject({ refusal: { why: 'no-rule' } });
  });

  it('leaves out by name what cannot be read', () => {
    const seen = four({ ...ALL, 'eu-4': { digest: null } });
    const { known } = given(seen, seen);
    const { placed } = decided(known, answer(known, 'ben', accept));
    expect(placed?.without).toEqual(['eu-4']);
  });

  it('T1 is an approval: not by who took part, not without a linked account, not by a deployer, not without a reason', () => {
    const { known } = given(four(ALL));
    const part = [{ part: 'author', githubId: actor('ben').githubId, login: 'ben', isBot: false } as const];
    const code = (act: ReturnType<typeof answer>, facts = NOBODY) => decideDrift(known, act, facts);
    expect(code(answer(known, 'ben', accept), { ...NOBODY, participants: part })).toMatchObject({
      refusal: { code: 'participant' },
    });
    const unlinked = { ...answer(known, 'ben', accept), actor: { ...actor('ben'), githubId: null } };
    expect(code(unlinked)).toMatchObject({ refusal: { code: 'not-linked' } });
    expect(code(answer(known, 'dan', accept))).toMatchObject({ refusal: { code: 'not-allowed' } });
    expect(code(answer(known, 'ben', { ...accept, because: ' ' }))).toMatchObject({
      refusal: { code: 'reason-missing' },
    });
  });
});

describe('R6 Ignore until', () => {
  const ignore = (known: DriftCase) =>
    decided(known, answer(known, 'cho', { act: 'ignore', because: 'known', untilMs: AT_MS + 3_600_000 })).next;

  it('is quiet while it is the same or less, and speaks when it changes', () => {
    expect(given(four(OTHER), ignore, four(OTHER)).happened).toEqual(['opened', null]);
    const less = given(four({ ...OTHER, 'eu-4': { digest: 'sha256:x' } }), ignore, four(OTHER));
    expect(less.known.phase.is).toBe('ignored');
    const more = given(four(OTHER), ignore, four({ ...OTHER, 'eu-4': { digest: 'sha256:x' } }));
    expect(more.known.phase).toMatchObject({ is: 'open', again: { why: 'changed' } });
  });

  it('ends with its time, and not before', () => {
    const at = (atMs: number) => given(four(OTHER), ignore, () => ({ type: 'expired', atMs })).known.phase;
    expect(at(AT_MS + 3_599_999).is).toBe('ignored');
    expect(at(AT_MS + 3_600_000)).toMatchObject({ is: 'open', again: { why: 'ignored-long-enough' } });
  });

  it('that is over by itself says so; it can still be fixed or accepted meanwhile', () => {
    expect(given(four(OTHER), ignore, four()).happened.at(-1)).toBe('gone');
    const { known } = given(four(ALL), ignore);
    expect(decideDrift(known, answer(known, 'dan', { act: 'fix', rolloutId: 'r' }), NOBODY).is).toBe('changed');
    expect(decideDrift(known, answer(known, 'ben', { act: 'accept', because: 'yes' }), NOBODY).is).toBe('changed');
  });

  it('needs a role and a reason', () => {
    const { known } = given(four(OTHER));
    const wish = { act: 'ignore', because: '', untilMs: AT_MS + 1e7 } as const;
    expect(decideDrift(known, answer(known, 'cho', wish), NOBODY)).toMatchObject({
      refusal: { code: 'reason-missing' },
    });
    expect(decideDrift(known, answer(known, 'dan', { ...wish, because: 'x' }), NOBODY)).toMatchObject({
      refusal: { code: 'not-allowed', action: 'ignore-drift' },
    });
  });

  it('tomorrow is 09:00 on the clock of whoever says it', () => {
    const at = (text: string) => Date.parse(text);
    expect(ignoredUntilMs('tomorrow', at('2026-03-02T23:30:00Z'), 0)).toBe(at('2026-03-03T09:00:00Z'));
    expect(ignoredUntilMs('tomorrow', at('2026-03-02T23:30:00Z'), 3_600_000)).toBe(at('2026-03-04T08:00:00Z'));
    expect(ignoredUntilMs('tomorrow', at('2026-03-02T03:00:00Z'), -8 * 3_600_000)).toBe(at('2026-03-02T17:00:00Z'));
    expect(ignoredUntilMs('1w', 0, 0)).toBe(604_800_000);
  });
});
