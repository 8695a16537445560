import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readYaml } from '../../src/config/yaml.ts';
import { BELAY, belay, type Files, load, SHOP, shop, told } from './world.ts';

type Case = { id: string; where: string; input: string };

const CASES = (JSON.parse(readFileSync('test/hostile-inputs.json', 'utf8')) as Case[]).filter((one) =>
  one.where.startsWith('config.yaml:'),
);
const BODIES = CASES.filter((one) => one.where === 'config.yaml:file body');
const URLS = CASES.filter((one) => one.where.includes('URL'));

/** Blocked where the name is resolved, when it is called: its text alone says nothing. */
const BY_NAME = new Set(['H129']);

/** Inputs that begin with `js:` are made here rather than written out. */
const MADE: Record<string, string> = {
  H099: '['.repeat(20_000) + ']'.repeat(20_000),
  H117: `slack_token: xoxb-${'0'.repeat(12)}-FAKE\ngithub: ghp_${'F'.repeat(36)}`,
};

/** The same attack in the words of today's keys, where the table's own key is not one of ours. */
const IN_OUR_KEYS: Record<string, ReturnType<typeof shop>> = {
  H102: shop('  - name: production', '  - name: production\n    constructor: {prototype: {skipApproval: true}}'),
  H108: shop('service: shop', 'service: 1234567890123456789012345678901234567890'),
  H109: shop('required: 1', 'required: "1"'),
  H112: shop('approvers: [Ana]', 'approvers: []'),
  H113: belay('team: T0TEAM', 'team: T0TEAM\n  channels: ["*"]'),
  H114: shop('{max: 0.01}', '{max: .nan}'),
  H115: shop('{max: 0.01}', '{max: .inf}'),
  H116: shop('service: shop', 'service: !!js/function "function(){return process}"'),
  H119: shop('repo: acme/shop', 'repo: acme/shop\nbranch: "(a+)+$"'),
};

const inputOf = (one: Case) => (one.input.startsWith('js:') ? (MADE[one.id] ?? '') : one.input);

describe('T20 C3 hostile configuration files', () => {
  it('every case of the table is run', () => {
    expect(BODIES.length).toBeGreaterThan(15);
    expect(URLS.length).toBeGreaterThan(6);
    expect(CASES.filter((one) => inputOf(one) === '')).toEqual([]);
  });

  it.each(BODIES.map((one) => [one.id, one] as const))(
    '%s is refused as either file, and beside good keys',
    (_, one) => {
      const input = inputOf(one);
      const all: Files[] = [
        { 'belay.yml': input },
        { 'services/shop.yml': input },
        { 'belay.yml': `${BELAY}${input}\n` },
        { 'services/shop.yml': `${SHOP}${input}\n` },
      ];
      for (const files of all) {
        const problems = told(load(files));
        expect(problems).not.toEqual([]);
        expect(problems.join()).not.toMatch(/F{20}|0{12}/);
      }
    },
  );

  it.each(Object.entries(IN_OUR_KEYS))('%s is refused in our own keys', (_, files) => {
    expect(told(load(files))).not.toEqual([]);
  });

  it.each(URLS.filter((one) => !BY_NAME.has(one.id)).map((one) => [one.id, one.input]))(
    '%s is refused wherever a URL is written, and credentials are not repeated',
    (_, url) => {
      for (const files of [
        belay('http://prometheus.internal:9090', url),
        shop("promql: 'errors'", `promql: '${url}'`),
      ]) {
        const problems = told(load(files));
        expect(problems.join()).toMatch(/url|promql/);
        expect(problems.join()).not.toContain('user:pass');
      }
    },
  );

  it('H099 200 KB of brackets or dashes end quickly, before the parser', () => {
    const started = performance.now();
    for (const text of ['['.repeat(200_000), '- '.repeat(100_000), '{a: '.repeat(50_000), '? '.repeat(100_000)]) {
      expect(readYaml(text, 'x.yml')).toHaveProperty('problems');
    }
    expect(readYaml(`a: "${'x'.repeat(300_000)}"`, 'x.yml')).toMatchObject({ problems: [{ hint: /split/ }] });
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it.each([
    ['a doubled key', 'a: 1\na: 2', 'the same key twice'],
    ['an alias', 'a: &x 1\nb: *x', 'an alias'],
    ['a second document', 'a: 1\n---\nb: 2', 'a second document'],
    ['a prototype', '__proto__: {x: 1}', 'the key __proto__'],
    ['a secret in a comment', '# ghp_abcdefghijklmnop\na: 1', 'a secret written out (ghp_'],
    ['a private key', 'key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  abc', 'a secret written out'],
    ['a password', 'password: hunter2', 'a secret written out'],
    ['a sha without quotes', 'sha: 1234567e80', 'loses no digits'],
  ])('%s is refused with its line', (_, text, words) => {
    const read = readYaml(text, 'x.yml');
    const problems = 'problems' in read ? read.problems : [];
    expect(problems.map((one) => `${one.found} ${one.expected}`).join()).toContain(words);
    expect(problems[0]?.line).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|abcdefghijklmnop/);
  });
});
