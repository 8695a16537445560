import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driftOf, type Recorded } from '../../src/core/drift.ts';
import type { DriftCase, DriftPhase } from '../../src/core/drift-case.ts';
import type { Instance } from '../../src/core/target.ts';
import { type DriftMessage, driftMessages, driftNote } from '../../src/slack/views/drift.ts';
import { statusOf } from '../../src/slack/views/lists.ts';
import { refusalSentence } from '../../src/slack/views/refusal.ts';
import { anInstance, anObservation, aRecord, four, given, OTHER } from '../support/drifted.ts';
import { NOON_MS } from '../support/rollout.ts';
import { buttonsIn, faultsOf, hostileTexts, idsIn, textIn } from './blocks.ts';

const SOURCE = { is: 'release', by: null } as const;

/** Every state that a drift can be in, with `text` wherever somebody outside may write. */
function everyCase(text = 'x'): DriftCase[] {
  const recorded: Recorded = aRecord({ stage: text, config: text, artifact: { digest: text, sha: '' } });
  const instances: Instance[] = [
    anInstance(`${text}1`, { digest: `${text}!`, config: text }),
    anInstance(`${text}2`, { digest: text, config: `${text}?` }),
    anInstance(`${text}3`, { digest: null }),
    anInstance(`${text}4`, { digest: text, config: null }),
    anInstance(`${text}5`, { role: 'canary' }),
    anInstance(`${text}6`, { role: 'baseline' }),
    anInstance(`${text}7`, { role: 'baseline' }),
  ];
  const drifts = [instances, []].map((some) => driftOf(recorded, anObservation(some)));
  const acceptances = [{ by: text, name: text, githubId: 1, because: text, atMs: NOON_MS }];
  const at = { sinceMs: NOON_MS, atMs: NOON_MS };
  return drifts.flatMap((drift) => {
    if (!drift) throw new Error('no drift');
    const more = (why: 'ignored-long-enough' | 'changed' | 'not-fixed') => ({ why, atMs: NOON_MS });
    const phases: DriftPhase[] = [
      { is: 'open', sinceMs: NOON_MS, drift, acceptances: [], needs: null, again: null },
      ...(['ignored-long-enough', 'changed', 'not-fixed'] as const).map(
        (why): DriftPhase => ({ is: 'open', sinceMs: NOON_MS, drift, acceptances, needs: 2, again: more(why) }),
      ),
      { is: 'ignored', ...at, drift, acceptances, needs: 2, by: text, because: text, untilMs: NOON_MS },
      { is: 'fixing', ...at, drift, by: text, rolloutId: text },
      { is: 'over', ...at, drift, end: { is: 'gone' } },
      { is: 'over', ...at, drift, end: { is: 'fixed', by: text, rolloutId: text } },
      { is: 'over', ...at, drift, end: { is: 'accepted', acceptances } },
      { is: 'over', ...at, drift, end: { is: 'replaced', rolloutId: text } },
    ];
    return phases.map((phase) => ({
      ...given(four(OTHER)).known,
      recorded,
      phase,
      missed: { looks: 9, sinceMs: NOON_MS, detail: text },
    }));
  });
}

const card = (known: DriftCase): DriftMessage => {
  const [first] = driftMessages(known, SOURCE);
  if (!first) throw new Error('nothing is shown');
  return first;
};

describe('T20 text from outside', () => {
  it('cannot mention, link, reorder or exceed a limit in any state of a drift', () => {
    for (const text of hostileTexts()) {
      for (const known of everyCase(text)) {
        for (const by of [null, text]) {
          for (const is of ['release', 'rollback', 'accepted', 'unknown'] as const) {
            for (const message of driftMessages(known, { is, by })) expect(faultsOf(message)).toEqual([]);
          }
        }
        const status = statusOf([{ service: text, runs: [known.recorded], drifts: [{ ...known, target: 'eu' }] }], []);
        expect(faultsOf(status)).toEqual([]);
      }
    }
  });

  it('cannot when it is anything at all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => {
        for (const known of everyCase(text)) {
          for (const message of driftMessages(known, SOURCE)) expect(faultsOf(message)).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('a thousand instances with long names stay within what Slack takes', () => {
    const many = Array.from({ length: 1000 }, (_, n) => anInstance(`${'host'.repeat(50)}${n}`, { digest: `v${n}` }));
    const { known } = given(anObservation(many));
    expect(faultsOf(card(known))).toEqual([]);
    expect(textIn(card(known))).toContain('988 instances more');
  });
});

describe('R6 the message of a drift', () => {
  it('says what is recorded, what runs where by name, since when, and what can be done', () => {
    const { known } = given(four({ ...OTHER, 'eu-1': { role: 'canary' } }));
    const text = textIn(card(known));
    expect(text).toContain('2 of 4 instances are not as recorded');
    expect(text).toContain('`1111111`');
    expect(text).toContain('by the release of a merge');
    expect(text).toContain('`eu-3` runs `other`');
    expect(text).toContain('`eu-1` is a canary that nobody removed');
    expect(idsIn(card(known))).toEqual(['drift:fix', 'drift:accept', 'drift:ignore']);
    expect(card(known).text).toBe(
      'shop on eu: something else runs than is recorded. 2 of 4 instances are not as recorded.',
    );
  });

  it('says of what could not be read that it is not known, and of a target without instances that nothing runs', () => {
    const unread = four({ 'eu-2': { digest: null } });
    expect(textIn(card(given(unread, unread).known))).toContain('`eu-2` could not be read, twice in a row');
    expect(textIn(card(given(anObservation([])).known))).toContain('no instance at all');
  });

  it('asks before it fixes, and says what that does', () => {
    const [fix] = buttonsIn(card(given(four(OTHER)).known));
    expect(JSON.stringify(fix?.confirm)).toContain('every instance of eu again, now');
  });

  it('has no buttons once it has ended, nor while it is being fixed, and says who did what and why', () => {
    for (const known of everyCase('Ana')) {
      const { phase } = known;
      const expected = phase.is === 'open' ? 3 : phase.is === 'ignored' ? 2 : 0;
      expect([phase.is, buttonsIn(card(known)).length]).toEqual([phase.is, expected]);
      if (phase.is !== 'open' && !(phase.is === 'over' && ['gone', 'replaced'].includes(phase.end.is))) {
        expect(textIn(card(known))).toContain('Ana');
      }
    }
  });

  it('tells people again in its thread when a time is over, when it has changed, when a fix did not help', () => {
    const keys = everyCase().map((known) => driftMessages(known, SOURCE).map((one) => one.key));
    expect(keys.filter((one) => one.length === 2)).toHaveLength(6);
    expect(keys[1]).toEqual(['card', `again:${NOON_MS}`]);
  });

  it('nothing is shown of a target that never drifted', () => {
    expect(driftMessages(given(four()).known, SOURCE)).toEqual([]);
  });
});

describe('/deploy status', () => {
  const status = (known: DriftCase) =>
    textIn(statusOf([{ service: 'shop', runs: [known.recorded], drifts: [known] }], []));

  it('R6 shows an open drift beside what is recorded, and is silent of one that is over', () => {
    expect(status(given(four(OTHER)).known)).toContain('1 of 4 instances is not as recorded');
    expect(driftNote(given(four(OTHER), four()).known)).toBeNull();
  });

  it('T9 says of a target that could not be looked at for a while that it is not known', () => {
    const miss = (_known: DriftCase, atMs: number) => ({ type: 'missed' as const, atMs, detail: 'ECONNREFUSED' });
    expect(driftNote(given(miss, miss).known)).toBeNull();
    expect(status(given(miss, miss, miss).known)).toContain('could not be looked at since');
  });
});

describe('refusals', () => {
  it('each says what to do instead', () => {
    for (const why of ['nothing-runs', 'left-behind', 'unreadable', 'many-versions', 'no-rule'] as const) {
      expect(refusalSentence({ code: 'not-acceptable', why }, NOON_MS)).toMatch(/[Ff]ix it/);
    }
    const refusal = { code: 'work-under-way', service: 'shop', sha: 'a'.repeat(40), stage: 'production' } as const;
    expect(refusalSentence(refusal, NOON_MS)).toContain('`shop@aaaaaaa` has work under way on `production`');
    expect(refusalSentence({ code: 'not-configured', target: '<!here>' }, NOON_MS)).not.toContain('<');
  });
});
