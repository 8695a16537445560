import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/core/duration.ts';
import { canonical } from '../../src/core/json.ts';
import { laneOf } from '../../src/core/pipeline.ts';
import { isPlanProblem, nextPosition, type Plan, planOf, stageAt, stepAt } from '../../src/core/plan.ts';
import { principalKey } from '../../src/core/principal.ts';
import { instancesFor } from '../../src/core/target.ts';
import { aRelease, aService, aStage } from '../support/service.ts';
import { sha256 } from '../support/store.ts';

function aPlan(service = aService(), release = aRelease(1), upTo: string | null = null): Plan {
  const plan = planOf(service, release, upTo, sha256);
  if (isPlanProblem(plan)) throw new Error(plan.code);
  return plan;
}

describe('X6 a plan', () => {
  it('goes through every stage, or up to the one that was named', () => {
    expect(aPlan().stages.map((one) => one.name)).toEqual(['staging', 'production']);
    expect(aPlan(aService(), aRelease(1), 'staging').stages.map((one) => one.name)).toEqual(['staging']);
  });

  it('says what is wrong with a stage that there is not, and what there is', () => {
    const problem = planOf(aService(), aRelease(1), 'prodction', sha256);
    expect(problem).toEqual({ code: 'unknown-stage', found: 'prodction', known: ['staging', 'production'] });
    expect(planOf(aService({ stages: [] }), aRelease(1), null, sha256)).toEqual({ code: 'no-stages' });
  });

  it('S3 asks for one approval more without a review, on protected stages only', () => {
    const plan = aPlan(aService(), aRelease(1, { pullRequest: null }));
    expect(plan.stages.map((one) => one.approvals?.required ?? null)).toEqual([null, 2]);
    expect(aPlan().stages.map((one) => one.approvals?.required ?? null)).toEqual([null, 1]);
  });

  it('T2 has the same hash for the same, and another for any difference', () => {
    expect(aPlan().hash).toBe(aPlan().hash);
    const others = [
      aPlan(aService(), aRelease(2)),
      aPlan(aService(), aRelease(1), 'staging'),
      aPlan(aService({ onCall: 'slack:T1/U0BEN' })),
      aPlan(aService({ channel: 'C0OTHER' })),
      aPlan(aService({ build: { check: null, deadlineMs: 1_800_000 } })),
      aPlan(aService({ stages: [aStage({ deployDeadlineMs: 1 })] })),
    ];
    for (const other of others) expect(other.hash).not.toBe(aPlan().hash);
  });

  it('T19 has another policy hash when fewer approvals are needed or other people may give them', () => {
    const weaker = aService();
    for (const stage of weaker.stages) if (stage.approvals) stage.approvals.expireMs += 1;
    expect(aPlan(weaker).policyHash).not.toBe(aPlan().policyHash);
    const { roles } = aService();
    const wider = aService({ roles: { ...roles, approver: [...roles.approver, 'slack:T1/U0EVE'] } });
    expect(aPlan(wider).policyHash).not.toBe(aPlan().policyHash);
    expect(aPlan(aService(), aRelease(2)).policyHash).toBe(aPlan().policyHash);
  });

  it('leads from each step to the next, and from the last to none', () => {
    const plan = aPlan();
    expect(nextPosition(plan, { stage: 0, step: 0 })).toEqual({ stage: 1, step: 0 });
    expect(nextPosition(plan, { stage: 1, step: 1 })).toEqual({ stage: 1, step: 2 });
    expect(nextPosition(plan, { stage: 1, step: 2 })).toBeNull();
    expect(() => stageAt(plan, { stage: 2, step: 0 })).toThrow('no stage 2');
    expect(() => stepAt(plan, { stage: 1, step: 3 })).toThrow('no step 3');
  });
});

describe('canonical JSON: two machines agree on the hash', () => {
  it('does not depend on the order of keys, and leaves undefined out', () => {
    expect(canonical({ b: 1, a: [{ d: 1, c: undefined }] })).toBe('{"a":[{"d":1}],"b":1}');
    expect(canonical({ a: [{ d: 1 }], b: 1 })).toBe('{"a":[{"d":1}],"b":1}');
  });

  it('is what JSON would be: it can be read back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonical(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('differs for what differs', () => {
    const texts = [0, '0', null, false, [], {}, [null], { a: null }, '', [[]], [{}]].map(canonical);
    expect(new Set(texts).size).toBe(texts.length);
  });
});

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['250ms', 250],
    ['0s', 0],
    ['1d1h1m1s1ms', 90_061_001],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '10', 'm', '-5m', '1.5h', '5 m', '10M', '1e3s', '1234567s', ' 5m', '5m\n', 'NaNs', '1h2h3h4h5h6h'])(
    '%j is no duration',
    (text) => expect(parseDuration(text)).toBeNull(),
  );

  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [45_000, '45 s'],
    [59_600, '1 min'],
    [90_000, '1 min 30 s'],
    [600_000, '10 min'],
    [630_000, '10 min'],
    [5_400_000, '1 h 30 min'],
    [7_200_000, '2 h'],
    [172_800_000, '2 d'],
    [176_400_000, '2 d 1 h'],
  ])('%i ms is shown as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('small words', () => {
  it('a share of instances is at least one, and never more than there are', () => {
    expect([0.1, 0.05, 0.5, 1].map((share) => instancesFor(share, 10))).toEqual([1, 1, 5, 10]);
    expect(instancesFor(0.1, 3)).toBe(1);
    expect(instancesFor(0.34, 3)).toBe(2);
    expect(instancesFor(1, 0)).toBe(0);
    // 0.07 × 100 is 7.000000000000001 in binary: still 7.
    expect(instancesFor(0.07, 100)).toBe(7);
  });

  it('one text for each principal: no two share a key', () => {
    const keys = [
      principalKey({ kind: 'slack', teamId: 'T1', userId: 'U1' }),
      principalKey({ kind: 'slack', teamId: 'T2', userId: 'U1' }),
      principalKey({ kind: 'github', id: 1, login: 'U1' }),
      principalKey({ kind: 'host', user: 'U1' }),
      principalKey({ kind: 'belay' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(principalKey({ kind: 'github', id: 1, login: 'renamed' })).toBe(
      principalKey({ kind: 'github', id: 1, login: 'x' }),
    );
  });

  it('a lane belongs to one pipeline of one service', () => {
    expect(laneOf(aService())).toBe('shop/code');
  });
});
