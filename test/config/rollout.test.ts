import { describe, expect, it } from 'vitest';
import type { ServiceSpec, StepSpec } from '../../src/core/pipeline.ts';
import { installationOf, KINDS, load, SHOP, shop, swap, told, VARIABLES } from './world.ts';

const MINUTE = 60_000;

/** The usual service with five targets in three regions, and this rollout of production. */
const FLEET = swap(
  swap(SHOP, '  us: {hosts: 4}\n  eu:\n', ''),
  '  staging: {hosts: 1}\n',
  `  staging: {hosts: 1}
  us: {hosts: 4, region: us-east, country: us, ring: all}
  us2: {region: us-east, country: us, ring: beta}
  eu: {region: eu-west, country: ie, ring: beta}
  de: {region: eu-mid, country: de}
  ap:
`,
);

const WAVES = `      canary:
        share: 10%
        bake: {for: 20m}
`;

function fleet(rollout: string, rest: [from: string, to: string][] = []): string {
  const text = swap(swap(FLEET, WAVES, rollout), 'targets: [us, eu]', 'targets: [us, us2, eu, de, ap]');
  return rest.reduce((all, [from, to]) => swap(all, from, to), text);
}

function serviceOf(text: string): ServiceSpec {
  const [service] = installationOf(load({ 'services/shop.yml': text })).services;
  if (!service) throw new Error('There is no service');
  return service;
}

function stepsOf(rollout: string): StepSpec[] {
  return serviceOf(fleet(rollout)).stages[1]?.steps ?? [];
}

const brief = ({ name, targets, share, count }: StepSpec) => [name, targets.join(' '), count ?? share];

describe('R1 R2 R7 how a release gets through a stage', () => {
  it('R2 by percentage, by count, by region, country and ring, by name, and what is left', () => {
    const waves = `      waves:
        - {ring: beta}
        - 25%
        - {count: 10}
        - {region: us-east, share: 50%}
        - {country: de}
        - {region: us-east, ring: all}
        - {targets: [ap], count: 2}
        - rest
`;
    expect(stepsOf(waves).map(brief)).toEqual([
      ['wave 1', 'us2 eu', 1],
      ['wave 2', 'us us2 eu de ap', 0.25],
      ['wave 3', 'us us2 eu de ap', 10],
      ['wave 4', 'us us2', 0.5],
      ['wave 5', 'de', 1],
      ['wave 6', 'us', 1],
      ['wave 7', 'ap', 2],
      ['wave 8', 'ap', 1],
    ]);
  });

  it('R2 the regions that are left, a wave for each, all their targets together', () => {
    const steps = stepsOf('      waves: [{country: de}, regions]\n');
    expect(steps.map(brief)).toEqual([
      ['wave 1', 'de', 1],
      ['wave 2', 'us us2', 1],
      ['wave 3', 'eu', 1],
      ['wave 4', 'ap', 1],
    ]);
    expect(steps.map((step) => step.isRegional)).toEqual([false, true, true, true]);
  });

  it('R1 a canary comes first, on every target, watched for a traffic cycle, and always rolls back', () => {
    const text = fleet('      canary: {share: 5%}\n', [['signals:\n', 'trafficCycle: 2h\nsignals:\n']]);
    const [canary, ...waves] = serviceOf(text).stages[1]?.steps ?? [];
    expect(canary).toMatchObject({
      kind: 'canary',
      targets: ['us', 'us2', 'eu', 'de', 'ap'],
      share: 0.05,
      hasBaseline: false,
      bake: { forMs: 120 * MINUTE, everyMs: 30_000, deadlineMs: 150 * MINUTE },
      onDegraded: 'rollback',
    });
    expect(waves.map((step) => [step.kind, step.onDegraded, step.bake.forMs])).toEqual(
      Array.from({ length: 4 }, () => ['wave', 'ask', 10 * MINUTE]),
    );
  });

  it.each([
    ['weight', '', true],
    ['weight', ', baseline: none', false],
    ['rolling', '', false],
  ])('R5 a canary by %s%s has a fresh baseline: %s', (strategy, baseline, hasBaseline) => {
    const steps = stepsOf(`      strategy: ${strategy}\n      canary: {share: 5%${baseline}}\n`);
    expect(steps.map((step) => step.hasBaseline)).toEqual([hasBaseline, false, false, false, false]);
  });

  it.each([
    ['rolling', { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 30_000 }],
    ['{rolling: {maxSurge: 2, maxUnavailable: 0}}', { is: 'rolling', maxSurge: 2, maxUnavailable: 0, drainMs: 30_000 }],
    ['weight', { is: 'weight', drainMs: 30_000 }],
    ['{blue-green: {keep: 2h}}', { is: 'blue-green', keepMs: 120 * MINUTE, drainMs: 30_000 }],
    ['{replace: {drain: 1m}}', { is: 'replace', drainMs: MINUTE }],
    ['{symlink: {}}', { is: 'symlink', maxUnavailable: 1, drainMs: 30_000 }],
  ])('R5 R8 strategy %s', (written, strategy) => {
    expect(serviceOf(fleet(`      strategy: ${written}\n`)).stages[1]?.strategy).toEqual(strategy);
  });

  it('R4 the order of the regions, how many at once, and what gets faster', () => {
    const rollout = `      waves: [regions]
      order: least-traffic-first
      regionsAtOnce: [1, 2]
      speedUp: {factor: 2, floor: 2m}
`;
    const traffic = "traffic: {source: metrics, query: {promql: 'load'}, perInstance: 120}\nsignals:\n";
    const service = serviceOf(fleet(rollout, [['signals:\n', traffic]]));
    expect(service.traffic).toEqual({ source: 'metrics', query: { promql: 'load' }, perInstance: 120 });
    expect(service.stages[1]).toMatchObject({
      order: 'least-traffic-first',
      regionsAtOnce: [1, 2],
      speedUp: { factor: 2, floorMs: 2 * MINUTE },
    });
  });

  it('R2 R7 a place is ours, and what is left of a target is its provider’s', () => {
    const { places, targets } = serviceOf(fleet('      waves: [rest]\n'));
    expect(places).toEqual({
      staging: { region: 'staging', country: null, ring: null },
      us: { region: 'us-east', country: 'us', ring: 'all' },
      us2: { region: 'us-east', country: 'us', ring: 'beta' },
      eu: { region: 'eu-west', country: 'ie', ring: 'beta' },
      de: { region: 'eu-mid', country: 'de', ring: null },
      ap: { region: 'ap', country: null, ring: null },
    });
    expect(targets.us).toEqual({ hosts: 4 });
  });
});

describe('P1 P2 P5 stages before production', () => {
  const staging = (text: string) =>
    serviceOf(swap(SHOP, 'targets: [staging]\n', `targets: [staging]\n${text}`)).stages[0];

  it('P5 an upgrade-downgrade test goes up, down to what ran before, and up again', () => {
    const steps = staging('    kind: upgrade-downgrade\n')?.steps ?? [];
    expect(steps.map(({ name, kind, deploys, share }) => [name, kind, deploys, share])).toEqual([
      ['upgrade', 'upgrade', 'release', 1],
      ['downgrade', 'downgrade', 'before', 1],
      ['upgrade again', 'upgrade', 'release', 1],
    ]);
  });

  it('P1 P2 an environment for one release, and staging that talks to production', () => {
    expect(staging('    environment: ephemeral\n    isolation: partial\n')).toMatchObject({
      isEphemeral: true,
      isolation: 'partial',
    });
    expect(staging('')).toMatchObject({ isEphemeral: false, isolation: null });
  });

  it('D1 what happens when health cannot be told, or not be measured', () => {
    expect(staging('    onInconclusive: rollback\n    capacityDeadline: 5m\n')).toMatchObject({
      onInconclusive: 'rollback',
      onError: 'ask',
      capacityDeadlineMs: 5 * MINUTE,
    });
  });
});

describe('H1 H2 R6 signals, neighbours, groups and drift', () => {
  const more = (text: string) => serviceOf(swap(SHOP, 'signals:\n', text));

  it('H1 a comparison says everything that it needs, or gets what is usual', () => {
    const compare = (rest: string) =>
      more(`signals:\n  - {name: latency, kind: compare, source: metrics, query: {promql: 'x'}${rest}}\n`).stages[0]
        ?.signals[0];
    expect(compare('')).toMatchObject({
      baseline: { is: 'current' },
      comparison: { direction: 'increase', tolerance: 0.1, confidence: 0.998, minEffect: 0.6, spread: 'observed' },
      healthyWhen: {},
    });
    // A critical one decides alone and is adjusted for no other, so it has to be surer.
    expect(compare(', role: scored')).toMatchObject({ comparison: { confidence: 0.99 } });
    const all = ', baseline: {earlier: [1, 7]}, direction: either, tolerance: 0%, confidence: 95%, minEffect: 0.5';
    expect(compare(`${all}, spread: decides`)).toMatchObject({
      baseline: { is: 'earlier', daysAgo: [1, 7] },
      comparison: { direction: 'either', tolerance: 0, confidence: 0.95, minEffect: 0.5, spread: 'decides' },
    });
  });

  it('H2 a signal may be a neighbour’s; H1 groups weigh', () => {
    const service = more(`neighbours: {upstream: [gateway], downstream: [payments]}
groups: {latency: 40, business: 60}
signals:
  - {name: theirs, source: metrics, query: {promql: 'x'}, healthyWhen: {max: 1}, neighbour: payments}
  - {name: mine, source: metrics, query: {promql: 'x'}, healthyWhen: {max: 1}, role: scored, group: latency}
  - {name: sold, source: metrics, query: {promql: 'x'}, healthyWhen: {max: 1}, role: scored, group: business}
`);
    const [theirs, mine] = service.stages[0]?.signals ?? [];
    expect(service.neighbours).toEqual([
      { service: 'gateway', is: 'upstream' },
      { service: 'payments', is: 'downstream' },
    ]);
    expect(theirs?.neighbour).toEqual({ service: 'payments', is: 'downstream' });
    expect([mine?.neighbour, mine?.group]).toEqual([null, 'latency']);
    expect(service.stages[0]?.groups).toEqual({ latency: 40, business: 60 });
  });

  it('R6 drift is looked for every five minutes, as often as is said, or never', () => {
    expect(more('signals:\n').driftEveryMs).toBe(5 * MINUTE);
    expect(more('drift: {every: 1m}\nsignals:\n').driftEveryMs).toBe(MINUTE);
    expect(more('drift: off\nsignals:\n').driftEveryMs).toBeNull();
  });
});

const compared = (rest: string) => `signals:
  - {name: latency, kind: compare, source: metrics, query: {promql: 'x'}${rest}}
`;

/** A rollout of the fleet, further changes of the file, where it is told, and words of what is told. */
const REFUSED: [promise: string, rollout: string, rest: [string, string][], path: string, words: string][] = [
  ['R2 waves that leave instances behind', 'waves: [25%]', [], 'rollout.waves', 'us, us2, eu, de and ap on the old'],
  [
    'R2 waves that forget one region',
    'waves: [{region: us-east}, {ring: beta}, {country: de}]',
    [],
    'rollout.waves',
    'instances of ap',
  ],
  ['R2 waves that go backwards', 'waves: [50%, 25%, rest]', [], 'rollout.waves[1]', 'adds nothing'],
  [
    'R2 a wave that is less than the canary',
    'canary: {share: 10%}\n      waves: [5%, rest]',
    [],
    'rollout.waves[0]',
    'cumulative',
  ],
  ['R2 counts that go backwards', 'waves: [{count: 5}, {count: 5}, rest]', [], 'rollout.waves[1]', 'adds nothing'],
  ['R2 a wave after everything', 'waves: [rest, regions]', [], 'rollout.waves[1]', 'remove it'],
  ['R2 a region that there is not', 'waves: [{region: us-esat}, rest]', [], 'rollout.waves[0].region', 'us-east'],
  ['R7 a ring that there is not', 'waves: [{ring: betta}, rest]', [], 'rollout.waves[0].ring', 'beta'],
  ['R2 a target of another stage', 'waves: [{targets: [staging]}, rest]', [], 'rollout.waves[0].targets[0]', 'known:'],
  ['R2 a choice that no target is', 'waves: [{country: de, ring: beta}, rest]', [], 'rollout.waves[0]', 'at once'],
  ['R2 a share and a count', 'waves: [{ring: beta, share: 5%, count: 2}, rest]', [], 'rollout.waves[0]', 'one of them'],
  ['R2 a wave that says nothing', 'waves: [{}, rest]', [], 'rollout.waves[0]', 'or write rest'],
  ['R2 a word that is no wave', 'waves: [everything]', [], 'rollout.waves[0]', 'such as 25%'],
  ['R1 a canary of most of it', 'canary: {share: 60%}', [], 'rollout.canary.share', 'at most 50%'],
  [
    'R1 a canary shorter than the traffic cycle',
    'canary: {share: 5%, bake: {for: 20m}}',
    [['signals:\n', 'trafficCycle: 2h\nsignals:\n']],
    'rollout.canary.bake.for',
    'at least 2 h',
  ],
  ['R5 a canary with blue-green', 'strategy: blue-green\n      canary: {share: 5%}', [], 'rollout.canary', 'at once'],
  ['R5 a share with replace', 'strategy: replace\n      waves: [25%, rest]', [], 'rollout.waves[0]', 'whole targets'],
  ['R5 a count with weight', 'strategy: weight\n      waves: [{count: 3}, rest]', [], 'rollout.waves[0]', 'a share'],
  [
    'R5 a rolling that cannot move',
    'strategy: {rolling: {maxSurge: 0, maxUnavailable: 0}}',
    [],
    'rollout.strategy.rolling',
    'above 0',
  ],
  ['R5 two strategies', 'strategy: {rolling: {}, weight: {}}', [], 'rollout.strategy', 'one strategy'],
  ['R5 an unknown strategy', 'strategy: canary', [], 'rollout.strategy', 'rolling, weight'],
  [
    'R2 least traffic without traffic',
    'waves: [regions]\n      order: least-traffic-first',
    [],
    'rollout.order',
    'traffic to go by',
  ],
  ['R2 an order of nothing', 'waves: [rest]\n      regionsAtOnce: 2', [], 'rollout.regionsAtOnce', 'regions'],
  [
    'R4 a floor that never lets it get faster',
    'waves: [regions]\n      speedUp: {factor: 2, floor: 10m}',
    [],
    'rollout.speedUp.floor',
    'less than 10 min',
  ],
  [
    'R4 faster than itself',
    'waves: [regions]\n      speedUp: {factor: 1, floor: 1m}',
    [],
    'rollout.speedUp.factor',
    'above 1',
  ],
  [
    'a baseline that nothing is held against',
    'canary: {share: 5%, baseline: fresh}',
    [],
    'rollout.canary.baseline',
    'a signal',
  ],
  [
    'P2 D1 partial staging that asks',
    'waves: [rest]',
    [['targets: [staging]\n', 'targets: [staging]\n    isolation: partial\n    onDegraded: ask\n']],
    'stages[0].onDegraded',
    'rollback',
  ],
  [
    'P1 an ephemeral target that somebody else uses',
    'waves: [rest]',
    [['    bake: {for: 5m}\n', '    environment: ephemeral\n  - name: smoke\n    targets: [staging]\n']],
    'stages[0].targets[0]',
    'of its own',
  ],
  [
    'P5 waves of an upgrade-downgrade test',
    'waves: [rest]',
    [['targets: [staging]\n', 'targets: [staging]\n    kind: upgrade-downgrade\n    rollout: {waves: [rest]}\n']],
    'stages[0].rollout.waves',
    'up, down and up',
  ],
  [
    'H2 an unknown neighbour',
    'waves: [rest]',
    [
      [
        'signals:\n',
        "neighbours: {upstream: [gateway]}\nsignals:\n  - {name: a, source: metrics, query: {promql: 'x'}, healthyWhen: {max: 1}, neighbour: gatway}\n",
      ],
    ],
    'signals[0].neighbour',
    'did you mean gateway?',
  ],
  [
    'H2 itself as a neighbour',
    'waves: [rest]',
    [['signals:\n', 'neighbours: {upstream: [shop]}\nsignals:\n']],
    'neighbours.upstream[0]',
    'itself',
  ],
  [
    'H2 a neighbour on both sides',
    'waves: [rest]',
    [['signals:\n', 'neighbours: {upstream: [a], downstream: [a]}\nsignals:\n']],
    'neighbours.downstream[0]',
    'second time',
  ],
  [
    'H2 a neighbour against instances of ours',
    'waves: [rest]',
    [['signals:\n', `neighbours: {upstream: [a]}\n${compared(', neighbour: a')}`]],
    'signals[0].baseline',
    'last-good or earlier',
  ],
  [
    'an unknown group',
    'waves: [rest]',
    [['signals:\n', `groups: {latency: 50}\n${compared(', role: scored, group: latancy')}`]],
    'signals[0].group',
    'did you mean latency?',
  ],
  ['groups over 100', 'waves: [rest]', [['signals:\n', 'groups: {a: 60, b: 41}\nsignals:\n']], 'groups', 'at most 100'],
  [
    'an unknown source of traffic',
    'waves: [rest]',
    [['signals:\n', "traffic: {source: metric, query: {promql: 'x'}}\nsignals:\n"]],
    'traffic.source',
    'did you mean metrics?',
  ],
  [
    'a query of traffic that is none',
    'waves: [rest]',
    [['signals:\n', 'traffic: {source: metrics, query: {promQL: x}}\nsignals:\n']],
    'traffic.query.promQL',
    'promql',
  ],
  [
    'H1 a fresh baseline without a canary',
    'waves: [rest]',
    [['signals:\n', compared(', baseline: fresh')]],
    'signals[0].baseline',
    'a canary with baseline: fresh',
  ],
  [
    'H1 a version on days when others ran',
    'waves: [rest]',
    [['signals:\n', compared(', baseline: {earlier: [7]}').replace("'x'", '\'x{v="$version"}\'')]],
    'signals[0].query',
    'no version',
  ],
  [
    'H1 bounds on a comparison',
    'waves: [rest]',
    [['signals:\n', compared(', healthyWhen: {max: 1}')]],
    'signals[0].healthyWhen',
    'tolerance',
  ],
  [
    'H1 a tolerance on a threshold',
    'waves: [rest]',
    [['healthyWhen: {max: 0.01}', 'healthyWhen: {max: 0.01}\n    tolerance: 10%']],
    'signals[0].tolerance',
    'only compare and rate',
  ],
  [
    'H1 a confidence that is none',
    'waves: [rest]',
    [['signals:\n', compared(', confidence: 40%')]],
    'signals[0].confidence',
    'from 50%',
  ],
  [
    'T9 a protected step that nothing is left to judge',
    'waves: [50%, rest]',
    [
      ['  - name: errors\n', '  - name: errors\n    kind: compare\n'],
      ['    healthyWhen: {max: 0.01}\n', ''],
    ],
    'stages[1].signals',
    'for wave 2',
  ],
  ['a region that is no name', 'waves: [rest]', [['country: ie', 'country: Éire']], 'targets.eu.country', 'short name'],
];

describe('C3 rollouts that cannot be are refused when they are read', () => {
  it.each(REFUSED)('%s', (_, rollout, rest, path, words) => {
    const problems = told(load({ 'services/shop.yml': fleet(`      ${rollout}\n`, rest) }));
    const where = path.startsWith('rollout') ? `stages[1].${path}` : path;
    const found = problems.filter((one) => one.includes(` ${where}: `));
    expect(found, problems.join('\n')).not.toEqual([]);
    expect(found.join('\n')).toMatch(/^services\/shop\.yml:\d+:\d+ /);
    expect(found.join('\n')).toContain(words);
  });

  it('H1 an earlier baseline on a source that does not remember', () => {
    const metrics = KINDS.sources.metrics;
    if (!metrics) throw new Error('There are no metrics');
    const forgetful = { ...KINDS, sources: { metrics: { ...metrics, remembers: false } } };
    const files = shop('signals:\n', compared(', baseline: last-good'));
    expect(told(load(files, VARIABLES, forgetful)).join()).toContain(
      'signals[0].baseline: found last-good, expected a source that remembers',
    );
    expect(told(load(files))).toEqual([]);
  });

  it('T9 what is held against the old version is no evidence for the last step, and is not asked for there', () => {
    const files = shop('signals:\n', compared(', role: critical'));
    expect(told(load(files))).toEqual([]);
  });
});
