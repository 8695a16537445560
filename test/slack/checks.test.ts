import { describe, expect, it } from 'vitest';
import type { CheckOutcome, Phase, Rollout } from '../../src/core/rollout.ts';
import { stageOf } from '../../src/slack/views/stage.ts';
import { aRollout, NOON_MS, PEOPLE } from '../support/rollout.ts';
import { faultsOf, hostileTexts, textIn } from './blocks.ts';

const EXTRA = { people: PEOPLE, hosts: [], eta: null, nowMs: NOON_MS };

function outcome(part: Partial<CheckOutcome> = {}): CheckOutcome {
  return {
    check: 'smoke',
    target: 'stg',
    is: 'passed',
    isFlaky: false,
    tries: 1,
    detail: 'HTTP 200',
    measures: [],
    url: null,
    ...part,
  };
}

function checking(outcomes: CheckOutcome[]): Rollout {
  const at = { stage: 0, step: 0 };
  const phase: Phase = { is: 'checking', sinceMs: NOON_MS, at, running: [], outcomes, before: [] };
  return { ...aRollout({ phase }), checks: outcomes };
}

const shown = (outcomes: CheckOutcome[]) => textIn(stageOf(checking(outcomes), 0, EXTRA));

describe('P3 the checks of a step in its thread', () => {
  it('say what passed, what failed and why, the failed first', () => {
    const text = shown([
      outcome(),
      outcome({ check: 'end-to-end', is: 'failed', tries: 3, detail: 'exit code 1: no basket' }),
    ]);
    expect(text).toContain(':large_green_circle: `smoke` on `stg` passed: HTTP 200');
    expect(text).toContain(':red_circle: `end-to-end` on `stg` failed: exit code 1: no basket');
    expect(text.indexOf(':red_circle:')).toBeLessThan(text.indexOf(':large_green_circle:'));
  });

  it('say that a check which passed only when it was tried again is flaky, also once the step is over', () => {
    const flaky = outcome({ isFlaky: true, tries: 2 });
    expect(shown([flaky])).toContain(':large_yellow_circle: `smoke` on `stg` passed, flaky: try 2');
    const rollout = checking([]);
    const [stage] = rollout.plan.stages;
    const [step] = stage?.steps ?? [];
    const over: Rollout = {
      ...rollout,
      phase: { is: 'succeeded', atMs: NOON_MS },
      steps: [
        {
          stage: stage?.name ?? '',
          step: step?.name ?? '',
          startedAtMs: NOON_MS - 60_000,
          endedAtMs: NOON_MS,
          ended: 'passed',
          verdict: 'healthy',
          checks: [flaky],
        } as Rollout['steps'][number],
      ],
    };
    expect(textIn(stageOf(over, 0, EXTRA))).toContain('1 check passed, `smoke` on `stg` only at try 2 (flaky)');
  });

  it('show each measure of a load test beside its limit', () => {
    const measures = [
      { name: 'p95 (ms)', value: 420, limit: 'at most 300', isWithin: false },
      { name: 'failed (%)', value: 0, limit: 'at most 1', isWithin: true },
    ];
    const text = shown([outcome({ check: 'load', is: 'failed', detail: '40 of 40 requests answered', measures })]);
    expect(text).toContain('p95 (ms) 420 (at most 300, not kept); failed (%) 0 (at most 1)');
  });

  it('link to the run of a workflow on the host of the release, and nowhere else', () => {
    const url = 'https://github.com/acme/shop/actions/runs/1';
    expect(shown([outcome({ url })])).toContain(`<${url}|smoke>`);
    expect(shown([outcome({ url: 'https://evil.example/' })])).not.toContain('evil.example');
  });

  it('T20 cannot mention, link, reorder or exceed a limit, whatever a program wrote', () => {
    for (const text of hostileTexts()) {
      const measures = [{ name: text, value: 1, limit: text, isWithin: false }];
      const one = outcome({ check: text, target: text, is: 'failed', detail: text, url: text, measures });
      const rollout = checking(Array.from({ length: 60 }, () => one));
      expect(faultsOf(stageOf(rollout, 0, EXTRA))).toEqual([]);
    }
  });
});
