import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { resolveSecrets } from '../../src/config/references.ts';
import { haproxy } from '../../src/health/haproxy.ts';
import { PLAIN_STAGE, PLAIN_STEP, plainService } from '../support/placing.ts';
import { BELAY, belay, installationOf, KINDS, load, problemsOf, SHOP, shop, swap, told, VARIABLES } from './world.ts';

const MINUTE = 60_000;

describe('C3 configuration as code', () => {
  it('a service file becomes exactly the service that the core runs', () => {
    const installation = installationOf(load());
    const bake = (forMs: number) => ({ forMs, everyMs: 30_000, deadlineMs: forMs + 30 * MINUTE });
    const errors = {
      name: 'errors',
      kind: 'threshold',
      neighbour: null,
      baseline: null,
      comparison: null,
      group: null,
      source: 'metrics',
      query: { promql: 'errors' },
      healthyWhen: { max: 0.01 },
      degradedWhen: null,
      role: 'critical',
      weight: 1,
      failures: 1,
      of: 1,
      minSamples: 0,
      maxAgeMs: 2 * MINUTE,
      unit: '',
    };
    expect(installation.services).toEqual([
      {
        name: 'shop',
        pipeline: 'code',
        repo: 'acme/shop',
        branch: 'main',
        channel: 'C0SHOP',
        build: { check: null, deadlineMs: 30 * MINUTE },
        provider: 'fleet',
        targets: { staging: { hosts: 1 }, us: { hosts: 4 }, eu: { hosts: 1 } },
        ...plainService(['staging', 'us', 'eu']),
        driftEveryMs: 5 * MINUTE,
        stages: [
          {
            name: 'staging',
            isProtected: false,
            approvals: null,
            steps: [
              {
                name: 'all',
                kind: 'all',
                targets: ['staging'],
                share: 1,
                ...PLAIN_STEP,
                bake: bake(5 * MINUTE),
                onDegraded: 'rollback',
              },
            ],
            signals: [errors],
            ...PLAIN_STAGE,
            deployDeadlineMs: 10 * MINUTE,
            verifyDeadlineMs: 5 * MINUTE,
            decideWithinMs: null,
            defaultDecision: null,
          },
          {
            name: 'production',
            isProtected: true,
            approvals: { required: 1, expireMs: 240 * MINUTE },
            steps: [
              {
                name: 'canary',
                kind: 'canary',
                targets: ['us', 'eu'],
                share: 0.1,
                ...PLAIN_STEP,
                bake: bake(20 * MINUTE),
                onDegraded: 'rollback',
              },
              {
                name: 'wave 1',
                kind: 'wave',
                targets: ['us'],
                share: 1,
                ...PLAIN_STEP,
                isRegional: true,
                bake: bake(10 * MINUTE),
                onDegraded: 'ask',
              },
              {
                name: 'wave 2',
                kind: 'wave',
                targets: ['eu'],
                share: 1,
                ...PLAIN_STEP,
                isRegional: true,
                bake: bake(10 * MINUTE),
                onDegraded: 'ask',
              },
            ],
            signals: [errors],
            ...PLAIN_STAGE,
            regionsAtOnce: [1],
            deployDeadlineMs: 10 * MINUTE,
            verifyDeadlineMs: 5 * MINUTE,
            decideWithinMs: 15 * MINUTE,
            defaultDecision: 'roll-back',
          },
        ],
        roles: {
          deployer: ['slack:T0TEAM/U0ANA', 'slack:T0TEAM/U0BEN', 'slack:T0TEAM/U0CEM'],
          approver: ['slack:T0TEAM/U0ANA'],
          'on-call': [],
          admin: [],
        },
        onCall: 'slack:T0TEAM/U0BEN',
      },
    ]);
  });

  it('joins what belay.yml and the services say of the installation', () => {
    const installation = installationOf(load({ 'services/api.yml': swap(SHOP, 'service: shop', 'service: api') }));
    expect(installation).toMatchObject({
      http: { host: '127.0.0.1', port: 8080 },
      slack: { mode: 'socket', teamId: 'T0TEAM', appId: 'A0APP', channels: ['C0SHOP'] },
      github: { appId: 12, installationId: 34, repos: ['acme/shop'], pollEveryMs: MINUTE },
    });
    expect(installation.database).toMatch(/^\/.*\/belay\.db$/);
    expect(installation.people[2]).toEqual({
      name: 'Cem',
      principal: { kind: 'slack', teamId: 'T0TEAM', userId: 'U0CEM' },
      githubId: null,
      githubLogin: null,
    });
    expect(installation.services.map((service) => service.name)).toEqual(['api', 'shop']);
  });

  it('T20 an installation holds the reference and never the secret', () => {
    const installation = installationOf(load());
    expect(JSON.stringify(installation)).not.toContain(VARIABLES.FLEET_TOKEN);
    const options = installation.providers.fleet?.options ?? null;
    expect(options).toEqual({ url: 'https://fleet.example.com', token: `\${FLEET_TOKEN}` });
    expect(resolveSecrets(options, VARIABLES)).toEqual({
      url: 'https://fleet.example.com',
      token: VARIABLES.FLEET_TOKEN,
    });
  });

  it('everything that is wrong is told at once, in every file, each with its line and column', () => {
    const loaded = load({
      'belay.yml': swap(swap(BELAY, 'team: T0TEAM', 'team: acme'), 'kind: metrics', 'kind: metric'),
      'services/shop.yml': swap(swap(SHOP, 'onCall: Ben', 'on-call: Ben'), 'share: 10%', 'share: 10'),
    });
    expect(problemsOf(loaded).map(({ line, column, path }) => [line, column, path])).toEqual([
      [2, 3, 'slack.team'],
      [14, 5, 'sources.metrics.kind'],
      [1, 1, 'onCall'],
      [7, 1, 'on-call'],
      [28, 9, 'stages[1].rollout.canary.share'],
    ]);
    expect(told(loaded)).toContainEqual(
      expect.stringMatching(/^belay\.yml:14:5 .*found "metric".*did you mean metrics\?/),
    );
    expect(told(loaded)).toContainEqual(
      expect.stringMatching(/^services\/shop\.yml:7:1 on-call: .*did you mean onCall\?/),
    );
  });

  it('a kind of provider checks its own options and targets, in their place', () => {
    expect(told(load(belay('    kind: fleet\n', '    kind: fleet\n    urll: x\n')))).toEqual([
      'belay.yml:10:5 providers.fleet.urll: found the unknown key urll, expected one of url, token; did you mean url?',
    ]);
    expect(told(load(shop('us: {hosts: 4}', 'us: {hosts: many}')))).toEqual([
      'services/shop.yml:11:8 targets.us.hosts: found "many", expected a number',
    ]);
    expect(told(load(shop("promql: 'errors'", "promQL: 'errors'"))).join()).toContain('did you mean promql?');
  });

  it('T20 a message never repeats the value behind a reference', () => {
    const variables = { FLEET_TOKEN: 'short' };
    const loaded = load({}, variables);
    expect(told(loaded)).toEqual([
      `belay.yml:11:5 providers.fleet.token: found "\${FLEET_TOKEN}", expected a long token`,
    ]);
  });

  it("T20 nor does it when a kind's own words repeat the value", () => {
    const schema = z.looseObject({}).superRefine((options, context) => {
      context.addIssue({ code: 'custom', path: ['token'], message: `Nobody takes ${String(options.token)}.` });
      context.addIssue({ code: 'custom', path: ['token'], message: `something else than ${String(options.token)}` });
    });
    const fleet = { schema, targetSchema: z.looseObject({}) };
    const problems = told(load({}, VARIABLES, { ...KINDS, providers: { fleet } }));
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain(VARIABLES.FLEET_TOKEN);
    expect(problems.join()).toContain(`Nobody takes \${FLEET_TOKEN}.`);
  });

  it('an option that may have one of several forms is told in the form that was meant', () => {
    const querySchema = z.union([
      z.strictObject({ ratio: z.strictObject({ of: z.string(), over: z.string() }), window: z.string().optional() }),
      z.strictObject({ rate: z.strictObject({ of: z.string() }), window: z.string().optional() }),
    ]);
    const metrics = { remembers: true, schema: z.looseObject({}), querySchema, whyNot: () => null };
    const kinds = { ...KINDS, sources: { metrics } };
    const asked = (query: string) => told(load(shop("{promql: 'errors'}", query), VARIABLES, kinds)).join();
    expect(asked('{rate: {off: x}}')).toMatch(/query\.rate\.off: .*did you mean of\?/);
    expect(asked('{ratio: {of: x}}')).toContain('query.ratio.over: found nothing, expected text');
    expect(asked('{rate: {of: x}, windw: 5m}')).toContain('did you mean window?');
  });

  it('H1 T20 the socket of a balancer may be named, and is held against the same rules as a URL', () => {
    const balancer = { kind: 'haproxy', remembers: false, schema: haproxy.schema, querySchema: z.looseObject({}) };
    const kinds = { ...KINDS, sources: { ...KINDS.sources, haproxy: { ...balancer, whyNot: () => null } } };
    const asked = (url: string) =>
      told(load(belay('people:\n', `  balancer: {kind: haproxy, url: '${url}'}\npeople:\n`), VARIABLES, kinds));
    expect(asked('tcp://127.0.0.1:9999')).toEqual([]);
    expect(asked('unix:/run/haproxy/admin.sock')).toEqual([]);
    expect(asked('tcp://169.254.169.254:80').join()).toContain('sources.balancer.url');
    expect(asked('tcp://me:secret@127.0.0.1:80').join()).not.toContain('secret');
    expect(asked('ftp://127.0.0.1/').join()).toContain('sources.balancer.url');
  });

  it('H1 a query that cannot give what its signal needs is refused, with what to do', () => {
    const sources = { metrics: { ...KINDS.sources.metrics, whyNot: (_: unknown, want: string) => `Ask for ${want}` } };
    const problems = told(load({}, VARIABLES, { ...KINDS, sources } as typeof KINDS)).join();
    expect(problems).toMatch(/query: found a query that cannot give .*Ask for number/);
  });

  it('a reference that is not set is said by name; a check without the environment does not ask', () => {
    expect(told(load({}, {})).join()).toContain(`\${FLEET_TOKEN}, which is not set`);
    expect(told(load({}, null))).toEqual([]);
  });

  it("T20 a provider cannot be handed one of Belay's own secrets", () => {
    const files = belay(`\${FLEET_TOKEN}`, `\${SLACK_BOT_TOKEN}`);
    expect(told(load(files, { SLACK_BOT_TOKEN: 'xoxb-1' })).join()).toContain("a secret of Belay's own");
    expect(resolveSecrets(`\${SLACK_BOT_TOKEN}`, { SLACK_BOT_TOKEN: 'xoxb-1' })).toBe(`\${SLACK_BOT_TOKEN}`);
  });

  it('a file that is missing, or matches nothing, is named', () => {
    expect(told(load(belay('services/*.yml', 'services/shoop.yml')))).toEqual([
      expect.stringMatching(/^services\/shoop\.yml: found no file that can be read \(ENOENT\)/),
    ]);
    expect(told(load(belay('services/*.yml', 'apps/*.yml'))).join()).toContain('no file matches');
  });
});

describe('H1 how many bad looks count', () => {
  const signals = (text: string) => {
    const file = swap(SHOP, '    healthyWhen: {max: 0.01}\n', `    healthyWhen: {max: 0.01}\n${text}`);
    return installationOf(load({ 'services/shop.yml': file })).services[0]?.stages.at(-1)?.signals ?? [];
  };
  const compared =
    '  - name: shift\n    kind: compare\n    source: metrics\n    query: { promql: errors }\n    role: observe\n';

  it('one of one for a limit; two of three for a comparison, which is looked at while it grows; always as written', () => {
    expect(signals(compared).map(({ failures, of }) => [failures, of])).toEqual([
      [1, 1],
      [2, 3],
    ]);
    expect(signals(`${compared}    failures: 1\n`).at(-1)).toMatchObject({ failures: 1, of: 1 });
    expect(signals(`${compared}    of: 5\n`).at(-1)).toMatchObject({ failures: 2, of: 5 });
    expect(signals(`${compared}    of: 1\n`).at(-1)).toMatchObject({ failures: 1, of: 1 });
  });

  it('T9 a rate needs a hundred requests on each side unless told otherwise', () => {
    const rate = compared.replace('kind: compare', 'kind: rate');
    expect(signals(rate).at(-1)).toMatchObject({ minSamples: 100 });
    expect(signals(`${rate}    minSamples: 20\n`).at(-1)).toMatchObject({ minSamples: 20 });
    expect(signals(compared).at(-1)).toMatchObject({ minSamples: 0 });
  });
});
