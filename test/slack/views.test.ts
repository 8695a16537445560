import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Choice } from '../../src/core/event.ts';
import { ranBefore } from '../../src/core/past.ts';
import { isOver, type Rollout } from '../../src/core/rollout.ts';
import { announcementOf } from '../../src/slack/views/announcement.ts';
import { askingWhy } from '../../src/slack/views/asking-why.ts';
import { cardOf, type Extra } from '../../src/slack/views/card.ts';
import { escaped, link, plain } from '../../src/slack/views/escape.ts';
import { etaOf } from '../../src/slack/views/eta.ts';
import { messagesOf } from '../../src/slack/views/messages.ts';
import { pageOf } from '../../src/slack/views/page.ts';
import { problemSentence, refusalSentence } from '../../src/slack/views/refusal.ts';
import { stageOf } from '../../src/slack/views/stage.ts';
import { phases, troubles } from '../support/phases.ts';
import { anActor, aRelease, aRollout, aService, digest, NOON_MS, PEOPLE } from '../support/rollout.ts';
import { buttonsIn, faultsOf, hostileTexts, idsIn, textIn } from './blocks.ts';

const EXTRA: Extra = {
  people: PEOPLE,
  hosts: ['prometheus.example'],
  eta: { p50Ms: 600_000, p90Ms: 1_800_000 },
  nowMs: NOON_MS,
};
const HOSTS = ['github.com', 'prometheus.example'];

/** A rollout in `phase` with `text` wherever somebody outside may write. */
function saying(text: string, phase: Rollout['phase']): Rollout {
  const release = aRelease({
    title: text,
    branch: text,
    changedLines: 900,
    diffUrl: text,
    pullRequest: { number: 12, title: text, url: text, headRef: text, authorLogin: text, mergedByLogin: text },
    review: { approvedBy: [text], checks: 'green' },
    checklist: {
      tests: { answer: 'yes', text },
      telemetry: { answer: 'no', text },
      breaking: { answer: 'unanswered', text },
      rollback: { answer: 'no', text },
    },
  });
  const rollout = aRollout({ release, phase });
  return {
    ...rollout,
    request: { ...rollout.request, name: text, because: text },
    stumble: { effect: text, detail: text, attempts: 3, sinceMs: NOON_MS },
    touched: ['stg', text],
    approvals: [],
  };
}

function allMessages(rollout: Rollout) {
  return [
    ...messagesOf(rollout, EXTRA),
    announcementOf(rollout, 'waiting', rollout.phase),
    announcementOf(rollout, 'failed', rollout.phase),
    announcementOf(rollout, 'finished', rollout.phase),
    pageOf(rollout, { who: `slack:T0HOME/U0BEN`, phase: rollout.phase, round: 1 }, PEOPLE),
  ];
}

describe('T20 text from outside', () => {
  it('cannot mention, link, reorder or exceed a limit in any message of any phase', () => {
    for (const text of hostileTexts()) {
      for (const phase of phases(text)) {
        for (const message of allMessages(saying(text, phase))) expect(faultsOf(message, HOSTS)).toEqual([]);
      }
    }
  });

  it('cannot when it is anything at all', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4000 }),
      fc.constantFrom(
        '<!channel>',
        '<@U0EVIL>',
        '&lt;',
        '<https://evil.test|https://github.com>',
        '*b* _i_ `c`',
        '&'.repeat(5000),
      ),
    );
    fc.assert(
      fc.property(anything, fc.constantFrom(...phases().map((_, index) => index)), (text, index) => {
        const phase = phases(text)[index];
        if (!phase) throw new Error('no such phase');
        for (const message of allMessages(saying(text, phase))) expect(faultsOf(message, HOSTS)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('is said in every trouble and refusal without doing anything', () => {
    for (const text of ['<!channel>', '<@U0EVIL>', '<https://evil.test|x>', '\u202egnp', '`rm`']) {
      for (const trouble of troubles(text)) {
        const phase: Rollout['phase'] = { is: 'failed', atMs: NOON_MS, trouble };
        for (const message of allMessages(saying(text, phase))) expect(faultsOf(message, HOSTS)).toEqual([]);
      }
      const problem = problemSentence({ code: 'unknown-service', found: text, nearest: text, known: [text] });
      expect(problem).not.toMatch(/[<>]/);
      const refusal = refusalSentence({ code: 'too-late', by: text, atMs: NOON_MS - 2000, now: text }, NOON_MS);
      expect(refusal).not.toMatch(/[<>]/);
    }
  });

  it('is shortened by code points and never inside an entity', () => {
    expect(plain('😀'.repeat(300), 10)).toBe(`${'😀'.repeat(9)}…`);
    expect(escaped('&'.repeat(300), 10)).toBe(`${'&amp;'.repeat(9)}…`);
    expect(escaped('*bold* `code` a_b _i_ ~s~')).not.toMatch(/[*`~]|(^| )_|_($| )/);
    expect(escaped('my_branch_name')).toBe('my_branch_name');
  });

  it('links only to hosts that are known, over http(s), without a user in the address', () => {
    expect(link('https://github.com/a?b=1&c=|x', 'diff', ['github.com'])).toBe(
      '<https://github.com/a?b=1&amp;c=%7Cx|diff>',
    );
    for (const url of [
      'https://evil.test/',
      'https://github.com@evil.test/',
      'javascript:alert(1)',
      'https://github.com.evil.test',
      'nonsense',
    ]) {
      expect(link(url, 'diff', ['github.com'])).toBe('diff');
    }
  });
});

describe('X1 the card', () => {
  it('has buttons for the transitions that are valid now, at most five, and none when it has ended', () => {
    for (const phase of phases()) {
      const rollout = aRollout({ phase });
      const ids = idsIn(cardOf(rollout, EXTRA));
      expect(ids.length).toBeLessThanOrEqual(5);
      expect(new Set(ids).size).toBe(ids.length);
      if (isOver(rollout)) expect(ids).toEqual([]);
    }
    const gated = aRollout();
    expect(idsIn(cardOf(gated, EXTRA))).toEqual(['approve', 'reject', 'plan', 'abort']);
    expect(idsIn(cardOf({ ...gated, touched: ['stg', 'prod'] }, EXTRA))).toContain('rollback');
    const deciding = aRollout({ phase: phases()[8] as Rollout['phase'] });
    expect(idsIn(cardOf(deciding, EXTRA))).toEqual([
      'decide:retry',
      'decide:roll-back',
      'decide:continue',
      'decide:hold',
      'stop-countdown',
    ]);
  });

  it('asks before whatever changes production: by a dialog or by a form', () => {
    const forms = ['reject', 'decide:continue', 'rollback', 'abort'];
    const harmless = ['plan', 'stop-countdown'];
    for (const phase of phases()) {
      for (const message of messagesOf(aRollout({ phase }), EXTRA)) {
        for (const button of buttonsIn(message)) {
          const id = String(button.action_id);
          if (!forms.includes(id) && !harmless.includes(id)) expect(button.confirm, id).toBeDefined();
        }
      }
    }
  });

  it('X5 X9 says its state, progress, approvals, who asked and how long it usually takes in words', () => {
    const text = textIn(cardOf(aRollout(), EXTRA));
    expect(text).toContain('*Waiting for approval*');
    expect(text).toContain(':white_check_mark: staging done');
    expect(text).toContain(':raised_hand: *prod* now');
    expect(text).toContain('*0 of 1*');
    expect(text).toContain('Asked by Caro');
    expect(text).toContain('about 10 min (up to 30 min)');
    expect(cardOf(aRollout(), EXTRA).text).toBe(
      'api aaaaaaa to prod: waiting for approval. It waits for approval by somebody who took no part in the change.',
    );
  });

  it('H5 shows the signals that were bad when health is why it stands still or was taken back', () => {
    const lines = (is: Rollout['phase']['is']) => {
      const phase = phases().find((one) => one.is === is);
      if (!phase) throw new Error(`no phase ${is}`);
      return textIn(cardOf(aRollout({ phase }), EXTRA));
    };
    for (const is of ['deciding', 'holding', 'rolling-back', 'rolled-back'] as const) {
      expect(lines(is), is).toMatch(
        /:red_circle: \*.*\* degraded: now \*0\.2 %\* \(900 samples\), before 0\.001 %, limit /,
      );
    }
    expect(lines('deploying')).not.toContain(':red_circle:');
  });

  it('S3 S4 S7 says a direct push, a missing review, roll forward only and a large change', () => {
    const pushed = aRelease({ pullRequest: null, isRollForwardOnly: true, changedLines: 201 });
    const text = textIn(cardOf(aRollout({ release: pushed }), EXTRA));
    expect(text).toContain('*Pushed directly*');
    expect(text).toContain('*Roll forward only*');
    expect(text).toContain('201 changed lines');
    expect(text).toContain('*0 of 2*');
    const unreviewed = aRelease({ review: { approvedBy: [], checks: 'green' } });
    expect(textIn(cardOf(aRollout({ release: unreviewed }), EXTRA))).toContain('*No review*');
  });

  it('T11 does not count an approval that has expired, nor the requester’s own', () => {
    const rollout = aRollout();
    const binding = {
      service: 'api',
      stage: 'prod',
      digest: digest('1'),
      planHash: rollout.plan.hash,
      policyHash: rollout.plan.policyHash,
    };
    const approval = {
      by: 'slack:T0HOME/U0ANA',
      name: 'Ana',
      githubId: 1,
      atMs: NOON_MS,
      expiresAtMs: NOON_MS + 10,
      binding,
    };
    const approved = { ...rollout, approvals: [approval] };
    expect(textIn(cardOf(approved, EXTRA))).toContain('*1 of 1*');
    expect(textIn(cardOf(approved, { ...EXTRA, nowMs: NOON_MS + 10 }))).toContain('*0 of 1*');
    const own = { ...rollout, approvals: [{ ...approval, by: 'slack:T0HOME/U0CARO' }] };
    expect(textIn(cardOf(own, EXTRA))).toContain('*0 of 1*');
  });
});

describe('X1 the thread', () => {
  it('S4 shows the checklist on the approval card, unanswered as unanswered, with plan hash and diff', () => {
    const rollout = aRollout();
    const approval = messagesOf(rollout, EXTRA).find((one) => one.key === 'approval:prod');
    const text = textIn(approval ?? { blocks: [] });
    expect(text).toContain(':white_check_mark: Tests included? *yes*');
    expect(text).toContain(':grey_question: Metrics, logs, traces included? *unanswered*');
    expect(text).toContain(rollout.plan.hash.slice(0, 8));
    expect(text).toContain('<https://github.com/acme/api/compare/b...a|diff>');
    expect(text).toContain('42 changed lines');
    expect(idsIn(approval ?? { blocks: [] })).toEqual(['approve', 'reject', 'plan']);
  });

  it('S4 marks an answer that should make one think, and does not repeat it', () => {
    const breaking = { answer: 'yes' as const, text: 'yes, when the provider limits us' };
    const rollback = { answer: 'no' as const, text: 'unsafe' };
    const rollout = aRollout({ release: aRelease({ checklist: { ...aRelease().checklist, breaking, rollback } }) });
    const text = textIn(messagesOf(rollout, EXTRA).find((one) => one.key === 'approval:prod') ?? { blocks: [] });
    expect(text).toContain(':warning: Can it break production? *yes* — when the provider limits us');
    expect(text).toMatch(/:warning: Can it be rolled back\? \*no\*$/m);
  });

  it('closes a question that was answered, however the rollout ended: no buttons, and what happened', () => {
    const trouble = { code: 'rejected' as const, by: 'Ana', because: 'too risky' };
    const rejected = aRollout({ phase: { is: 'aborted', atMs: NOON_MS, trouble } });
    for (const ended of [rejected, { ...rejected, steps: [] }]) {
      const approval = messagesOf(ended, EXTRA).find((one) => one.key === 'approval:prod');
      expect(approval).toMatchObject({ isOnlyIfPosted: true, isFinal: true });
      expect(idsIn(approval ?? { blocks: [] })).toEqual([]);
      expect(textIn(approval ?? { blocks: [] })).toContain('Ana rejected it: too risky');
    }
    expect(textIn(cardOf(rejected, EXTRA))).toContain(
      ':white_check_mark: staging done  ›  :no_entry_sign: *prod* ended here',
    );
  });

  it('D2 shows evidence, consequences, the choices and the countdown on the decision card', () => {
    const rollout = aRollout({ phase: phases()[8] as Rollout['phase'], touched: ['stg', 'prod'] });
    const decision = messagesOf(rollout, EXTRA).find((one) => one.key === 'decision:prod/canary');
    const text = textIn(decision ?? { blocks: [] });
    expect(text).toContain('*degraded*');
    expect(text).toContain('before 0.001');
    expect(text).toContain('would go back to `bbbbbbb`');
    expect(text).toContain('Without a decision: *roll back*');
    expect(idsIn(decision ?? { blocks: [] })).toContain('stop-countdown');
  });

  describe('D2 a decision says what a rollback would put back, how old that is, and what else it would undo', () => {
    const deciding = phases()[8] as Rollout['phase'];
    const rollout = aRollout({ phase: deciding, touched: ['stg', 'prod'] });
    const [before] = 'at' in deciding ? ranBefore(rollout, deciding.at) : [];
    if (!before) throw new Error('Nothing ran before');
    const shown = (past: Extra['past'], of = rollout) =>
      textIn(messagesOf(of, { ...EXTRA, past }).find((one) => one.key === 'decision:prod/canary') ?? { blocks: [] });
    const suspect = (index: number) => ({ ...rollout.release, title: `<!here> ${index}`, pullRequest: null });

    it('eight commits by name, the rest counted, and everything from outside escaped', () => {
      const text = shown([{ ...before, goodAtMs: NOON_MS, since: Array.from({ length: 11 }, (_, at) => suspect(at)) }]);
      expect(text).toMatch(/`prod` would go back to `[^`]+`, last found healthy <!date\^/);
      expect(text).toContain(': 11 commits. Suspect, and undone by a rollback:');
      expect(text).toContain('&lt;!here&gt; 7');
      expect(text).not.toContain('&lt;!here&gt; 8');
      expect(text).toContain('• and 3 more');
    });
    it('says so when it was never found healthy, or was never recorded', () => {
      const text = shown([{ ...before, goodAtMs: null, since: null }]);
      expect(text).toContain('never found healthy by Belay');
      expect(text).toContain('is not known: Belay has no record of that version');
    });
    it('speaks of this stage alone, and of a target that has nothing to go back to', () => {
      expect(shown([{ ...before, goodAtMs: NOON_MS, since: [] }])).not.toContain('`stg`');
      const text = shown([], aRollout({ phase: deciding, touched: ['prod'], before: { prod: null } }));
      expect(text).toContain('`prod` has nothing to go back to');
    });
    it('stays within what Slack takes, with titles and addresses of any length', () => {
      const url = `https://github.com/acme/shop/commit/${'a'.repeat(1400)}`;
      const long = Array.from({ length: 200 }, () => ({ ...suspect(1), title: '&'.repeat(500), url }));
      const message = messagesOf(rollout, { ...EXTRA, past: [{ ...before, goodAtMs: NOON_MS, since: long }] });
      const blocks = message.find((one) => one.key === 'decision:prod/canary')?.blocks ?? [];
      for (const block of blocks) {
        if (block.type === 'section') expect(block.text?.text.length).toBeLessThanOrEqual(3000);
      }
      expect(JSON.stringify(blocks)).toContain('decide:roll-back');
    });
  });

  it('keeps its keys from phase to phase, so that one message is edited and not another one posted', () => {
    const keys = phases().map((phase) => messagesOf(aRollout({ phase }), EXTRA).map((one) => one.key));
    for (const list of keys) expect(list[0]).toBe('card');
    expect(new Set(keys.flat())).toEqual(
      new Set([
        'card',
        'stage:staging',
        'approval:prod',
        'stage:prod',
        'decision:staging/all',
        'decision:prod/canary',
        'decision:prod/all',
      ]),
    );
  });
});

describe('D3 a page', () => {
  it('mentions the configured person on call and nobody else', () => {
    const rollout = aRollout({ phase: phases()[8] as Rollout['phase'] });
    expect(textIn(pageOf(rollout, { who: 'slack:T0HOME/U0BEN', phase: rollout.phase, round: 0 }, PEOPLE))).toContain(
      '<@U0BEN>',
    );
    expect(
      textIn(pageOf(rollout, { who: 'slack:T0HOME/U0EVIL', phase: rollout.phase, round: 0 }, PEOPLE)),
    ).not.toContain('<@');
  });
});

describe('refusals', () => {
  it('tell the loser who was first', () => {
    const sentence = refusalSentence({ code: 'too-late', by: 'Ana', atMs: NOON_MS - 2000, now: 'deploying' }, NOON_MS);
    expect(sentence).toBe('Ana did it 2 s ago. It is now: deploying.');
    expect(refusalSentence({ code: 'too-late', by: null, atMs: null, now: 'failed' }, NOON_MS)).toContain(
      'earlier state',
    );
  });

  it('T15 say that nobody can be verified when Slack does not answer', () => {
    const { standing } = anActor({ standing: 'unknown' });
    if (standing === 'member') throw new Error('not a refusal');
    expect(refusalSentence({ code: 'not-a-member', standing }, NOON_MS)).toContain('cannot verify you right now');
  });
});

describe('X5 the time that it usually takes', () => {
  it('comes from five or more releases of the same stages that succeeded, and else is not said', () => {
    const done = [1, 2, 3, 4, 10].map((minutes) =>
      aRollout({ phase: { is: 'succeeded', atMs: NOON_MS }, endedAtMs: NOON_MS + minutes * 60_000 }),
    );
    expect(etaOf(aRollout(), done)).toEqual({ p50Ms: 180_000, p90Ms: 600_000 });
    expect(etaOf(aRollout(), done.slice(1))).toBeNull();
    expect(etaOf(aRollout({ serviceSpec: aService({ stages: aService().stages.slice(0, 1) }) }), done)).toBeNull();
  });
});

describe('D5 the messages of a rollback', () => {
  const service = aService();
  const rollback = (sha: string, is: 'rolling-back' | 'rolled-back') => {
    const release = { ...aRelease({ sha, title: 'The version that ran before' }), pullRequest: null };
    const trouble = { code: 'asked', by: 'Cho', because: 'the basket is empty' } as const;
    const to = [{ target: 'prod', artifact: { digest: digest('1'), sha } }];
    const at = { stage: 1, step: 0 };
    const phase: Rollout['phase'] =
      is === 'rolled-back'
        ? { is, atMs: NOON_MS, trouble, judgement: null, to }
        : { is, sinceMs: NOON_MS, at, trouble, to, waitingFor: ['prod'], verifying: [], round: 0, judgement: null };
    return aRollout({ kind: 'rollback', serviceSpec: service, release, artifact: to[0]?.artifact, phase, steps: [] });
  };

  it('say on the card what runs again, and where', () => {
    expect(textIn(cardOf(rollback('1'.repeat(40), 'rolled-back'), EXTRA))).toContain('`1111111` runs again on `prod`.');
  });

  it('name a version that ran before Belay knew the service by its digest', () => {
    for (const message of messagesOf(rollback('', 'rolling-back'), EXTRA)) {
      expect(textIn(message)).not.toContain('`?`');
      expect(message.text).toContain('1111111');
    }
    expect(cardOf(rollback('', 'rolling-back'), EXTRA).text).toContain('1111111');
  });

  it.each(['rolling-back', 'rolled-back'] as const)('tell of its own stage and of no steps or approvals: %s', (is) => {
    const messages = messagesOf(rollback('', is), EXTRA).filter(
      (one) => !one.isOnlyIfPosted || one.key.startsWith('stage'),
    );
    expect(messages.map((one) => one.key)).toEqual(['card', 'stage:prod']);
    const said = messages.map(textIn).join();
    for (const word of ['staging', 'canary', 'pushed directly', 'approval', 'before its first step']) {
      expect(said.toLowerCase()).not.toContain(word);
    }
  });

  it('do not call it a failure that it rolls back', () => {
    const begun = announcementOf(rollback('', 'rolling-back'), 'failed', rollback('', 'rolling-back').phase);
    expect(begun.text).toBe('The rollback to api 1111111 has begun. Because Cho asked for it: the basket is empty.');
    const done = announcementOf(rollback('', 'rolled-back'), 'finished', rollback('', 'rolled-back').phase);
    expect(done.text).toBe('The rollback to api 1111111 is done.');
  });
});

describe('R6 going on without an instance', () => {
  const stray = { target: 'prod', region: 'eu', digest: null, is: 'unreadable' as const };
  const partly = (ids: string[]) => ({
    is: 'deciding' as const,
    sinceMs: NOON_MS,
    at: { stage: 1, step: 0 },
    trouble: {
      code: 'partial' as const,
      target: 'prod',
      instances: ids.map((id) => ({ ...stray, id })),
      expected: 8,
      running: 7,
    },
    judgement: null,
    choices: ['retry', 'roll-back', 'go-on-without', 'hold'] as Choice[],
    countdown: null,
  });

  it('names the instance on its button, and says what is wrong with it', () => {
    const rollout = aRollout({ phase: partly(['host-7']), touched: ['stg', 'prod'] });
    const card = messagesOf(rollout, EXTRA).find((one) => one.key === 'card');
    const shown = JSON.stringify(card);
    expect(shown).toContain('Go on without host-7…');
    expect(shown).toContain('`host-7` could not be read');
  });

  it('D6 offers no way back of a release that only goes forward, on the card as in the thread', () => {
    const release = { ...aRelease(), isRollForwardOnly: true };
    const phase = { ...partly(['host-7', 'host-8']), choices: ['hold', 'go-on-without', 'retry'] as Choice[] };
    const shown = JSON.stringify(messagesOf(aRollout({ release, phase, touched: ['stg', 'prod'] }), EXTRA));
    expect(shown).toContain('Go on without 2 instances…');
    expect(shown).not.toMatch(/"action_id":"(decide:roll-back|rollback)"/);
    const baking = aRollout({ release, phase: phases()[7] as never, touched: ['stg', 'prod'] });
    expect(JSON.stringify(messagesOf(baking, EXTRA))).not.toMatch(/"action_id":"rollback"/);
  });
});

describe('R3 beginning with too little capacity', () => {
  const short = (needed: number | null) => ({
    is: 'deciding' as const,
    sinceMs: NOON_MS,
    at: { stage: 1, step: 0 },
    trouble: {
      code: 'short-of-capacity' as const,
      shortages: [
        {
          target: 'prod',
          serving: 4,
          servingDuring: 3,
          needed,
          load: needed && 350,
          perInstance: 100,
          detail: 'no answer',
        },
      ],
    },
    judgement: null,
    choices: ['retry', 'begin-anyway', 'hold'] as Choice[],
    countdown: null,
  });

  it('says on the button what is risked, and in the form what will happen', () => {
    const few = aRollout({ phase: short(4) });
    expect(JSON.stringify(messagesOf(few, EXTRA))).toContain('Begin with too little capacity…');
    expect(JSON.stringify(messagesOf(aRollout({ phase: short(null) }), EXTRA))).toContain(
      'Begin without knowing the load…',
    );
    expect(JSON.stringify(messagesOf(few, EXTRA))).toContain('4 are needed for 350 requests a second at 100 each');
    expect(JSON.stringify(messagesOf(aRollout({ phase: short(1) }), EXTRA))).toContain('1 is needed for 350');
    const { about } = askingWhy(few, 'begin-anyway');
    expect(about).toContain(
      'begins the step though too little capacity would be left: `prod`: 3 instances would serve',
    );
    expect(about).toContain('capacity is not, until the step is tried anew');
  });

  it('stays on the message of its stage with who and why, also when the step has passed', () => {
    const begunShort = [{ stage: 'prod', step: 'canary', by: 'Ch<o>', because: '<!here> now', atMs: NOON_MS }];
    for (const phase of phases()) {
      const shown = JSON.stringify(stageOf(aRollout({ phase, begunShort }), 1, EXTRA));
      expect(shown).toContain('canary did not wait for capacity: Ch&lt;o&gt; decided so (');
      expect(shown).not.toContain('<!here>');
    }
  });
});
