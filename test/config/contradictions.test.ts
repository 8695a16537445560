import { describe, expect, it } from 'vitest';
import { belay, load, SHOP, shop, swap, told } from './world.ts';

const SIGNAL = "    query: {promql: 'errors'}\n    healthyWhen: {max: 0.01}\n";

/** What is changed in a good service file, where it is told, and words of what is told. */
const CASES: [promise: string, from: string, to: string, path: string, words: string][] = [
  ['an unknown provider', 'provider: fleet', 'provider: fleets', 'provider', 'did you mean fleet?'],
  ['an unknown source', 'source: metrics', 'source: metric', 'signals[0].source', 'did you mean metrics?'],
  ['an unknown approver', 'approvers: [Ana]', 'approvers: [Anna]', 'roles.approvers[0]', 'did you mean Ana?'],
  ['an unknown person on call', 'onCall: Ben', 'onCall: Zoe', 'onCall', 'known: Ana, Ben, Cem'],
  ['T15 nobody who could approve', 'approvers: [Ana]', 'approvers: []', 'roles.approvers', 'found nobody'],
  ['T15 approvers left out', '  approvers: [Ana]\n', '', 'roles.approvers', 'found nobody'],
  [
    'T1 a protected stage without approvals',
    '    approvals: {required: 1}\n',
    '',
    'stages[1].approvals',
    'found nothing',
  ],
  [
    'T1 approvals that are no more asked for',
    'required: 1',
    'required: 0',
    'stages[1].approvals.required',
    'above zero',
  ],
  ['more approvals than approvers', 'required: 1', 'required: 3', 'stages[1].approvals.required', 'at most 2'],
  ['approvals on an open stage', '    protected: true\n', '', 'stages[1].approvals', 'protected: true'],
  ['a canary of everything', 'share: 10%', 'share: 100%', 'stages[1].rollout.canary.share', 'below 100%'],
  ['a canary of nothing', 'share: 10%', 'share: 0%', 'stages[1].rollout.canary.share', 'above 0%'],
  ['a share without its sign', 'share: 10%', 'share: 0.1', 'stages[1].rollout.canary.share', 'such as 10%'],
  [
    'D1 a canary that asks',
    'share: 10%',
    'share: 10%\n        onDegraded: ask',
    'stages[1].rollout.canary.onDegraded',
    'unknown key',
  ],
  [
    'a deadline before the end of the bake',
    '{for: 5m}',
    '{for: 5m, deadline: 4m}',
    'stages[0].bake.deadline',
    'never pass',
  ],
  ['judging less often than it bakes', '{for: 5m}', '{for: 5m, every: 6m}', 'stages[0].bake.every', 'at most for'],
  [
    'a canary deadline before its end',
    '{for: 20m}',
    '{for: 20m, deadline: 1m}',
    'stages[1].rollout.canary.bake.deadline',
    'at least for',
  ],
  ['two stages of one name', 'name: production', 'name: staging', 'stages[1].name', 'a second time'],
  ['a target of no stage', '  eu:\n', '  eu:\n  asia:\n', 'targets.asia', 'add it to a stage'],
  ['a target twice in a stage', '[us, eu]', '[us, eu, us]', 'stages[1].targets[2]', 'a second time'],
  ['an unknown target', 'targets: [us, eu]', 'targets: [us, eu, au]', 'stages[1].targets[2]', 'did you mean'],
  ['a stage that deploys nowhere', '    targets: [us, eu]\n', '', 'stages[1].targets', 'found nothing'],
  [
    'T1 a way around a protected stage',
    'targets: [staging]',
    'targets: [staging, us]',
    'stages[0].targets[1]',
    'around',
  ],
  [
    'T9 a protected stage that looks at nothing',
    SIGNAL,
    `${SIGNAL}    role: observe\n`,
    'stages[1].signals',
    'never pass',
  ],
  [
    'T9 a protected stage with no critical signal',
    SIGNAL,
    `${SIGNAL}    role: scored\n`,
    'stages[1].signals',
    'critical',
  ],
  [
    'failures that can never be reached',
    SIGNAL,
    `${SIGNAL}    failures: 3\n    of: 2\n`,
    'signals[0].failures',
    'at most 2',
  ],
  ['a weight that means nothing', SIGNAL, `${SIGNAL}    weight: 5\n`, 'signals[0].weight', 'role: scored'],
  ['a weight above 100', SIGNAL, `${SIGNAL}    role: scored\n    weight: 101\n`, 'signals[0].weight', 'up to 100'],
  ['a threshold without bounds', '    healthyWhen: {max: 0.01}\n', '', 'signals[0].healthyWhen', 'found nothing'],
  ['bounds that hold nothing', '{max: 0.01}', '{min: 1, max: 0.01}', 'signals[0].healthyWhen', 'min up to max'],
  ['bounds without an end', '{max: 0.01}', '{}', 'signals[0].healthyWhen', 'min, max or both'],
  ['T9 a bound that is no number', '{max: 0.01}', '{max: .nan}', 'signals[0].healthyWhen.max', 'a finite number'],
  ['a bound in quotes', '{max: 0.01}', '{max: "0.01"}', 'signals[0].healthyWhen.max', 'a finite number'],
  [
    'numbers that are healthy and degraded',
    '{max: 0.01}',
    '{max: 0.01}\n    degradedWhen: {min: 0.005}',
    'signals[0].degradedWhen',
    'healthy too',
  ],
  [
    'a floor of traffic that is a ceiling',
    '{max: 0.01}',
    '{max: 9}\n    kind: requests',
    'signals[0].healthyWhen',
    'floor',
  ],
  ['a wildcard instead of a channel', 'channel: C0SHOP', "channel: '*'", 'channel', 'no wildcard'],
  ['a repository that is none', 'repo: acme/shop', 'repo: https://github.com/acme/shop', 'repo', 'owner/name'],
  [
    'a pattern instead of a branch',
    'repo: acme/shop',
    'repo: acme/shop\nbranch: (a+)+$',
    'branch',
    'patterns are not taken',
  ],
  ['a number where text belongs', 'service: shop', 'service: 1234567', 'service', 'quote it'],
  ['a duration without its unit', '{for: 5m}', '{for: 300}', 'stages[0].bake.for', 'such as 90s, 10m'],
  [
    'R4 a deadline at which the last look has not answered',
    '{for: 5m}',
    '{for: 5m, deadline: 5m}',
    'stages[0].bake.deadline',
    'one every',
  ],
  ['R4 looking all the time', '{for: 5m}', '{for: 5m, every: 1ms}', 'stages[0].bake.every', 'at least 100ms'],
  [
    'a quoted duration is still without its unit',
    '{for: 5m}',
    '{for: "300"}',
    'stages[0].bake.for',
    'such as 90s, 10m',
  ],
  ['one target without its list', '[us, eu]', 'us', 'stages[1].targets', 'in brackets: [us]'],
  ['a quoted number', 'required: 1', 'required: "1"', 'stages[1].approvals.required', 'remove the quotes'],
  [
    'R4 T9 a floor of traffic that is always reached',
    '{max: 0.01}',
    '{min: 0}\n    kind: requests',
    'signals[0].healthyWhen.min',
    'above 0',
  ],
  [
    'T9 a check that is healthy when it fails',
    '{max: 0.01}',
    '{max: 0}\n    kind: check',
    'signals[0].healthyWhen',
    '0 has failed',
  ],
  [
    'T9 a check that is healthy either way',
    '{max: 0.01}',
    '{max: 1}\n    kind: check',
    'signals[0].healthyWhen',
    '0 has failed',
  ],
  ['H1 a group of no signal', 'signals:\n', 'groups: {latency: 60}\nsignals:\n', 'groups.latency', 'or remove it'],
  [
    'H1 a group of a signal that decides alone',
    'signals:\n  - name: errors\n',
    'groups: {latency: 60}\nsignals:\n  - name: errors\n    group: latency\n',
    'signals[0].group',
    'role: scored',
  ],
  [
    'H1 a day twice',
    SIGNAL,
    `${SIGNAL}    kind: compare\n    baseline: {earlier: [7, 7]}\n`,
    'signals[0].baseline.earlier',
    'once',
  ],
  [
    'R3 an instance that bears next to nothing',
    'signals:\n',
    "traffic: {source: metrics, query: {promql: 'x'}, perInstance: 1e-300}\nsignals:\n",
    'traffic.perInstance',
    'from 0.001',
  ],
  [
    'R8 a drain as long as a deploy may take',
    'canary:\n',
    'strategy: {rolling: {drain: 10m}}\n      canary:\n',
    'stages[1].rollout.strategy.rolling.drain',
    'less than 10 min',
  ],
  [
    'R4 a floor that is shorter than one look',
    'canary:\n',
    'speedUp: {factor: 2, floor: 1s}\n      canary:\n',
    'stages[1].rollout.speedUp.floor',
    'at least 30 s',
  ],
  [
    'T9 a number that would be too old before it was looked at',
    SIGNAL,
    `${SIGNAL}    maxAge: 1ms\n`,
    'signals[0].maxAge',
    'found 1ms, expected at least 1s; a look takes longer',
  ],
  ['a bake of no time', '{for: 5m}', '{for: 0s}', 'stages[0].bake.for', 'above zero'],
];

describe('C3 what contradicts itself is refused when it is read, not when it deploys', () => {
  it('the file that the cases change is good', () => {
    expect(told(load())).toEqual([]);
  });

  it.each(CASES)('%s', (_, from, to, path, words) => {
    const problems = told(load(shop(from, to)));
    expect(problems).toContainEqual(expect.stringMatching(/^services\/shop\.yml:\d+:\d+ /));
    expect(problems.filter((one) => one.includes(` ${path}: `)).join('\n')).toContain(words);
  });

  it('T1 a person without a GitHub account is not counted as one who could approve', () => {
    const named = swap(SHOP, 'approvers: [Ana]', 'approvers: [Ana, Cem]');
    expect(told(load({ 'services/shop.yml': swap(named, 'required: 1', 'required: 2') }))).toEqual([]);
    expect(told(load({ 'services/shop.yml': swap(named, 'required: 1', 'required: 3') })).join()).toContain(
      'at most 2',
    );
  });

  it("a stage's own signal cannot hide a shared one", () => {
    const own = "    signals: [{name: errors, source: metrics, query: {promql: 'x'}, healthyWhen: {max: 99}}]\n";
    expect(told(load({ 'services/shop.yml': `${SHOP}${own}` })).join()).toContain('stages[1].signals[0].name');
  });

  it('S5 two files cannot move one lane', () => {
    expect(told(load({ 'services/shop-2.yml': SHOP })).join()).toContain('shop/code, which');
    expect(told(load({ 'services/shop-2.yml': swap(SHOP, 'repo:', 'pipeline: config\nrepo:') }))).toEqual([]);
  });

  it.each([
    ['a second person of one name', 'name: Ben', 'name: Ana', 'people[1].name'],
    ['T3 one GitHub account behind two people', '{id: 2, login: ben}', '{id: 1, login: ben}', 'people[1].github.id'],
    ['one Slack account behind two people', 'slack: U0BEN', 'slack: U0ANA', 'people[1].slack'],
    ['polling too rarely to keep S2', 'installation: 34', 'installation: 34\n  poll: 6m', 'github.poll'],
    ['polling all the time', 'installation: 34', 'installation: 34\n  poll: 1ms', 'github.poll'],
    ['belay.yml as a service file', '- services/*.yml', '- "*.yml"', 'services[0]'],
    ['T20 a reference without braces', `\${FLEET_TOKEN}`, '$FLEET_TOKEN', 'providers.fleet.token'],
    ['a wildcard channel', 'team: T0TEAM', "team: T0TEAM\n  channels: ['*']", 'slack.channels[0]'],
    ['a provider by an unknown kind', 'kind: fleet', 'kind: constructor', 'providers.fleet.kind'],
  ])('%s', (_, from, to, path) => {
    expect(told(load(belay(from, to))).join('\n')).toContain(` ${path}: `);
  });

  it('says what to do next: what to copy, which braces, which key it was about', () => {
    const next = (files: Parameters<typeof load>[0]) => told(load(files)).join('\n');
    expect(next(belay('services/*.yml', 'services/none.yml'))).toContain('copy examples/services/shop.yml');
    expect(next(belay(`\${FLEET_TOKEN}`, '$FLEET_TOKEN'))).toContain(`write \${FLEET_TOKEN}`);
    expect(next(belay(`\${FLEET_TOKEN}`, '$FLEET_TOKEN'))).not.toContain('leaked');
    expect(next(shop('{for: 5m}', '{for: 300}'))).not.toContain('quote it');
    expect(next(shop('channel: C0SHOP\n', ''))).toContain('The Slack channel of the team');
    // What a source of an unknown kind can remember is not known: one mistake is told once.
    const typo = belay('kind: metrics', 'kind: metricks');
    expect(
      next({ ...typo, ...shop(SIGNAL, `${SIGNAL.split('\n')[0]}\n    kind: compare\n    baseline: last-good\n`) }),
    ).not.toContain('remembers');
  });

  it('T20 nothing in a file can move the cursor or turn the line of a message around', () => {
    const said = told(load(shop('repo: acme/shop', 'repo: "acme/\u202eshop\u009b31m"'))).join('');
    expect(said).toContain('\\u{202e}');
    expect(said).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
