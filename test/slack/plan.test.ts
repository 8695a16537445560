import { describe, expect, it } from 'vitest';
import { planLines, refProblemText } from '../../src/cli/words.ts';
import type { PlanFacts, TargetFacts } from '../../src/core/facts.ts';
import { strategyKey } from '../../src/core/outlook.ts';
import { isPlanProblem, type Plan, planOf } from '../../src/core/plan.ts';
import type { Message } from '../../src/slack/views/block.ts';
import { planOf as planMessage } from '../../src/slack/views/plan.ts';
import { offset, stageNotes, strategyWords } from '../../src/slack/views/plan-words.ts';
import { problemSentence } from '../../src/slack/views/refusal.ts';
import { aRelease, aService, aStage, aStep } from '../support/service.ts';
import { sha256 } from '../support/store.ts';
import { faultsOf, hostileTexts, objectsIn, textIn } from './blocks.ts';

const STRATEGY = { is: 'rolling', maxSurge: 1, maxUnavailable: 1, drainMs: 30_000 } as const;
const MINUTE = 60_000;
const bake = (minutes: number) => ({ forMs: minutes * MINUTE, everyMs: 30_000, deadlineMs: 60 * MINUTE });

/** A canary of 5 %, then ten instances, then the two regions, quietest first, each faster. */
function aRegionalPlan(facts: PlanFacts | null): Plan {
  const targets = ['eu', 'ap'];
  const wave = aStep({ kind: 'wave', targets, bake: bake(10), onDegraded: 'ask' });
  const production = aStage({
    name: 'production',
    isProtected: true,
    approvals: { required: 1, expireMs: 240 * MINUTE },
    strategy: STRATEGY,
    order: 'least-traffic-first',
    speedUp: { factor: 2, floorMs: 2 * MINUTE },
    steps: [
      aStep({ name: 'canary', kind: 'canary', targets, share: 0.05, bake: bake(20) }),
      { ...wave, count: 10 },
      ...targets.map((target) => ({ ...wave, targets: [target], isRegional: true })),
    ],
  });
  const service = aService({
    stages: [aStage({ steps: [aStep({ bake: bake(5) })] }), production],
    traffic: { source: 'scrape', query: {}, perInstance: 100 },
  });
  const plan = planOf(service, aRelease(1), null, sha256, facts);
  if (isPlanProblem(plan)) throw new Error(plan.code);
  return plan;
}

function facts(instances: Record<string, number>, load: number, servingDuring: number): TargetFacts {
  const size = Object.values(instances).reduce((sum, one) => sum + one, 0);
  const shares = Array.from({ length: size }, (_, n) => (n + 1) / size);
  return {
    instances: { value: instances },
    load: { value: load },
    capacity: shares.map((share) => ({
      strategy: strategyKey(STRATEGY),
      share,
      servingDuring: { value: servingDuring },
    })),
  };
}

const FACTS = {
  staging: facts({ staging: 1 }, 0, 1),
  eu: facts({ 'eu-west': 20 }, 1850, 19),
  ap: facts({ 'ap-south': 3 }, 240, 2),
};

function shown(plan: Plan): Message {
  const extra = { people: [], hosts: [], eta: null, nowMs: 0 };
  return planMessage({ plan, release: aRelease(1), approvers: [], inTheWay: [], extra, saidBack: null });
}

function tableIn(message: Message): string[][] {
  const table = objectsIn(message.blocks).find((one) => one.type === 'table');
  return ((table?.rows ?? []) as { text: string }[][]).map((row) => row.map((cell) => cell.text));
}

describe('X6 a plan as it is shown', () => {
  it('belay plan: a line for each step, with what, where, how many of how many, how far, how long, when and who serves', () => {
    const lines = planLines(aRegionalPlan(FACTS));
    expect(lines.slice(2, -1)).toEqual([
      '  staging; when health gets worse: rolls back by itself',
      '    Strategy: rolling, at most 0 more and 1 fewer at a time, each drains for 30 s.',
      '  production (protected), 1 to approve within 4 h; when health gets worse: asks on-call',
      '    Strategy: rolling, at most 1 more and 1 fewer at a time, each drains for 30 s.',
      '    Regions: the region with the least traffic first.',
      "    Each wave that passes divides the next one's time by 2, down to 2 min.",
      '    A canary of 5 % becomes 1 of 3 = 33 % on ap.',
      '',
      '  step                takes                   instances                         in all  watched     from     serve meanwhile',
      '  staging             all of staging          staging 1 of 1                    100 %   5 min       at once  not known',
      '  production: canary  5 % of eu, ap           eu-west 1 of 20, ap-south 1 of 3  9 %     20 min      +5 min   ap: 2, needs 3',
      '  production: wave 1  10 instances of eu, ap  eu-west 8 of 20, ap-south 2 of 3  43 %    10 min      +25 min  ap: 2, needs 3',
      '  production: wave 2  all of ap               ap-south 3 of 3                   48 %    5 min       +35 min  ap: 2, needs 3',
      '  production: wave 3  all of eu               eu-west 20 of 20                  100 %   2 min 30 s  +40 min  enough',
      '',
    ]);
  });

  it('/deploy plan: the same rows as a table of Slack, within its limits', () => {
    const plan = aRegionalPlan(FACTS);
    const message = shown(plan);
    expect(faultsOf(message)).toEqual([]);
    expect(tableIn(message)).toHaveLength(6);
    expect(tableIn(message)[2]).toEqual([
      'production: canary',
      '5 % of eu, ap',
      'eu-west 1 of 20, ap-south 1 of 3',
      '9 %',
      '20 min',
      '+5 min',
      'ap: 2, needs 3',
    ]);
    expect(textIn(message)).toContain('◦ A canary of 5 % becomes 1 of 3 = 33 % on ap.');
    expect(textIn(message)).toContain('too few would serve during a step: it would wait');
  });

  it('what is not known is said, and nothing is made up', () => {
    const plan = aRegionalPlan({
      ...FACTS,
      ap: { instances: { value: null, why: 'HTTP 503' }, load: { value: null, why: 'no data' }, capacity: [] },
    });
    const text = textIn(shown(plan));
    for (const said of [planLines(plan).join('\n'), text]) {
      expect(said).toContain('The instances of ap could not be read (HTTP 503).');
      expect(said).toContain('The regions of production are as they are written: the traffic of ap is not known.');
    }
    expect(tableIn(shown(plan))[2]?.slice(2, 4)).toEqual(['eu-west 1 of 20, ap not known', '–']);
    expect(planLines(aRegionalPlan(null)).join('\n')).toContain('was not read');
  });

  it('a plan of very many steps stays within what Slack takes', () => {
    const steps = Array.from({ length: 150 }, (_, n) => aStep({ name: `wave ${n + 1}`, kind: 'wave' }));
    const plan = planOf(aService({ stages: [aStage({ steps })] }), aRelease(1), null, sha256);
    if (isPlanProblem(plan)) throw new Error(plan.code);
    const message = shown(plan);
    expect(faultsOf(message)).toEqual([]);
    expect(tableIn(message).length).toBeLessThanOrEqual(100);
  });

  it('T20 nothing that a platform says of itself can do anything in Slack or on a terminal', () => {
    for (const text of hostileTexts()) {
      const region = text.slice(0, 300) || 'x';
      const plan = aRegionalPlan({
        ...FACTS,
        eu: facts({ [region]: 4 }, 100, 4),
        ap: { ...FACTS.ap, load: { value: null, why: text } },
      });
      expect(faultsOf(shown(plan))).toEqual([]);
      expect(planLines(plan).join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('R1 R4 why it could never be, in the same words everywhere', () => {
    const floor = {
      code: 'floor-above-traffic',
      stage: 'production',
      step: 'wave 2',
      signal: 'traffic',
      floor: 500,
      most: 120.5,
    } as const;
    expect(problemSentence(floor)).toBe(refProblemText(floor));
    expect(refProblemText(floor)).toContain(
      'wave 2 waits for 500 by traffic, and its targets get at most 120 requests',
    );
  });

  it.each([
    [0, 'at once'],
    [20 * MINUTE, '+20 min'],
    [65 * MINUTE, '+1 h 5 min'],
    [3500, '+4 s'],
    [26 * 60 * MINUTE, '+1 d 2 h'],
  ])('%i ms after the start is %s', (ms, text) => expect(offset(ms)).toBe(text));

  it('R4 how many regions are taken at a time, wave by wave, cannot be read as a part of their order', () => {
    const stage = aStage({ regionsAtOnce: [1, 2], steps: [aStep({ isRegional: true })] });
    expect(stageNotes(stage, [])).toContain('Regions: as they are written; 1, then 2 at a time.');
  });

  it('R5 R8 each strategy in words', () => {
    const drainMs = 30_000;
    expect(
      [
        { is: 'weight', drainMs } as const,
        { is: 'blue-green', keepMs: 60 * MINUTE, drainMs } as const,
        { is: 'replace', drainMs } as const,
        { is: 'symlink', maxUnavailable: 2, drainMs } as const,
      ].map(strategyWords),
    ).toEqual([
      'by weight, a share of the traffic to new instances beside the old ones, each drains for 30 s',
      'blue/green, one switch, the old colour is kept for 1 h, each drains for 30 s',
      'replace, new instances for old ones, each drains for 30 s',
      'symlink, 2 at a time, each drains for 30 s',
    ]);
  });
});
