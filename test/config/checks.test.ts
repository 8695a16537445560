import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../src/checks/index.ts';
import { installationOf, KINDS, load, shop, told, VARIABLES } from './world.ts';

const MINUTE = 60_000;

/** The usual service with these checks in its first stage. */
const withChecks = (yaml: string) => shop('    bake: {for: 5m}\n', `    bake: {for: 5m}\n    checks:\n${yaml}`);
const say = (yaml: string) => told(load(withChecks(yaml)));
const REAL = { ...KINDS, checks: CHECKS };
const sayReally = (yaml: string) => told(load(withChecks(yaml), VARIABLES, REAL));

describe('P3 the checks of a stage in a service file', () => {
  it('are handed on with the defaults of every check and of their kind', () => {
    const installation = installationOf(
      load(
        withChecks(
          '      - {name: smoke, kind: probe, path: /healthz}\n' +
            '      - {name: deep, kind: probe, path: /deep, times: 3, deadline: 90s, retries: 2}\n',
        ),
      ),
    );
    const [staging, production] = installation.services[0]?.stages ?? [];
    const common = { kind: 'probe', deadlineMs: 5 * MINUTE, retries: 0 };
    expect(staging?.checks).toEqual([
      { ...common, name: 'smoke', options: { path: '/healthz', times: 1 } },
      { ...common, name: 'deep', options: { path: '/deep', times: 3 }, deadlineMs: 90_000, retries: 2 },
    ]);
    expect(production?.checks).toEqual([]);
  });

  it.each([
    ['      - {kind: probe, path: /}\n', 'checks[0].name: found nothing, expected a short name'],
    [
      '      - {name: a, kind: prob, path: /}\n',
      'checks[0].kind: found "prob", expected a kind of check; did you mean probe?',
    ],
    [
      '      - {name: a, kind: constructor, path: /}\n',
      'checks[0].kind: found "constructor", expected a kind of check',
    ],
    ['      - {name: a, path: /}\n', 'checks[0].kind: found nothing, expected text'],
    ['      - {name: a, kind: probe, path: healthz}\n', 'checks[0].path: found "healthz"'],
    [
      '      - {name: a, kind: probe, path: /, retrys: 1}\n',
      'checks[0].retrys: found the unknown key retrys, expected one of name, kind, deadline, retries, path, times; did you mean retries?',
    ],
    [
      '      - {name: a, kind: probe, path: /, retries: 11}\n',
      'checks[0].retries: found the number 11, expected a whole number',
    ],
    ['      - {name: a, kind: probe, path: /, retries: -1}\n', 'checks[0].retries: found the number -1'],
    ['      - {name: a, kind: probe, path: /, deadline: 0s}\n', 'checks[0].deadline: found "0s", expected a duration'],
    [
      '      - {name: a, kind: probe, path: /, times: 300}\n',
      'checks[0].deadline: found a deadline of 5 min, expected more than the 5 min that one try takes; it could never pass',
    ],
    [
      '      - {name: a, kind: probe, path: /}\n      - {name: a, kind: probe, path: /}\n',
      'checks[1].name: found "a" a second time, expected each name once',
    ],
  ])('%s is refused, with where and what to do', (yaml, expected) => {
    const problems = say(yaml);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).toContain(`stages[0].${expected}`);
    // File, line and column.
    expect(problems[0]).toMatch(/^services\/shop\.yml:\d+:\d+ /);
  });

  it('T20 a command is a list: a string, which only a shell could take apart, is refused', () => {
    expect(sayReally('      - {name: smoke, kind: command, run: npm run smoke}\n')).toEqual([
      'services/shop.yml:23:38 stages[0].checks[0].run: found "npm run smoke", expected a list such as ' +
        '[npm, run, smoke]: the program and each argument; there is no shell',
    ]);
    expect(sayReally('      - {name: smoke, kind: command, run: [npm, run, smoke]}\n')).toEqual([]);
  });

  it.each(['http://169.254.169.254/latest', 'file:///etc/passwd', 'http://user:secret@shop', 'http://{host}/'])(
    'an address like %s is refused once',
    (url) => {
      const problems = sayReally(`      - {name: smoke, kind: http, url: "${url}"}\n`);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain('stages[0].checks[0].url');
      expect(problems[0]).not.toContain('user:secret');
    },
  );

  it('places may stand anywhere in an address', () => {
    expect(sayReally('      - {name: smoke, kind: http, url: "https://{target}.shop.example.com/{sha}"}\n')).toEqual(
      [],
    );
  });
});
