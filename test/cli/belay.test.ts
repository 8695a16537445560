import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/index.ts';
import { belay } from './spawned.ts';

const folder = mkdtempSync(join(tmpdir(), 'belay-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const EXAMPLE = ['--config', 'examples/belay.yml'];

describe('C2 the real command line', () => {
  it('belay help lists every command and ends well; belay alone is wrong usage', async () => {
    const [help, alone] = await Promise.all([belay(['help']), belay([])]);
    expect(help).toMatchObject({ code: 0, err: '' });
    for (const command of COMMANDS) expect(help.out).toContain(`  ${command.name} `);
    expect(alone).toMatchObject({ code: 64, out: '' });
    expect(alone.err).toContain('Usage: belay <command>');
  });

  it('an unknown command answers with the nearest one', async () => {
    const ran = await belay(['rolback', 'shop']);
    expect(ran).toMatchObject({ code: 64, out: '' });
    expect(ran.err).toContain('did you mean belay rollback?');
  });

  it('C3 validate is quiet about a good file, and says what it holds', async () => {
    const ran = await belay(['validate', '--no-env', ...EXAMPLE]);
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toContain('shop/code: staging');
  });

  it('C3 validate says everything at once: file, line, column, path and what was meant', async () => {
    const config = join(folder, 'belay.yml');
    writeFileSync(
      config,
      'slack:\n  tem: T0TEAM\ngithub: {app: 1, installation: 2}\npeople: []\nservices: [shop.yml]\n',
    );
    writeFileSync(join(folder, 'shop.yml'), 'service: shop\nchanel: C0SHOP\n');
    const ran = await belay(['validate', '--config', config]);
    expect(ran).toMatchObject({ code: 78, out: '' });
    expect(ran.err).toContain(`${config}:2:3 slack.tem: found the unknown key tem`);
    expect(ran.err).toContain('did you mean team?');
    expect(ran.err).toContain(`${config}:4:1 people: found an empty list, expected at least one person`);
    expect(ran.err).toContain(`${join(folder, 'shop.yml')}:2:1 chanel: found the unknown key chanel`);
    expect(ran.err).toMatch(/\d+ problems in the configuration\.\n$/);
  });

  it('--json answers one value for programs, with the same exit code', async () => {
    const [good, bad] = await Promise.all([
      belay(['validate', '--no-env', '--json', ...EXAMPLE]),
      belay(['validate', '--json', '--config', join(folder, 'none.yml')]),
    ]);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.out)).toMatchObject({
      ok: true,
      services: [{ name: 'shop', stages: ['staging', 'production'] }],
    });
    expect(bad).toMatchObject({ code: 78, err: '' });
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false, problems: [{ found: expect.stringContaining('ENOENT') }] });
  });

  it('start names every missing secret and setting at once, and starts nothing', async () => {
    const ran = await belay(['start', ...EXAMPLE], {
      env: { PLATFORM_TOKEN: 'x'.repeat(20), SLACK_BOT_TOKEN: 'xoxp-wrong-kind' },
    });
    expect(ran).toMatchObject({ code: 78, out: '' });
    for (const name of ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'GITHUB_APP_PRIVATE_KEY']) {
      expect(ran.err).toContain(`environment ${name}: found`);
    }
    expect(ran.err).not.toContain('wrong-kind');
  });

  it('D5 a rollback asks for its reason before anything else', async () => {
    const ran = await belay(['rollback', 'shop']);
    expect(ran.code).toBe(64);
    expect(ran.err).toContain('--because');
  });

  it('C4 migrate --dry-run says what it would do and changes nothing; migrate does it; again, nothing is left', async () => {
    const config = join(folder, 'real.yml');
    writeFileSync(
      config,
      'slack: {team: T0TEAM}\ngithub: {app: 1, installation: 2}\n' +
        'people: [{name: Ana, slack: U0ANA, github: {id: 1, login: ana}}]\n' +
        'providers: {here: {kind: memory}}\nsources: {web: {kind: http, url: "https://shop.example.com"}}\n' +
        'services: [real-shop.yml]\n',
    );
    writeFileSync(
      join(folder, 'real-shop.yml'),
      'service: shop\nrepo: acme/shop\nchannel: C0SHOP\nonCall: Ana\nprovider: here\ntargets: {eu: }\n' +
        'signals: [{name: up, kind: check, source: web}]\nstages: [{name: production, targets: [eu]}]\n',
    );
    const run = async (...args: string[]) => {
      const ran = await belay(['migrate', '--json', '--config', config, ...args]);
      expect(ran).toMatchObject({ code: 0, err: '' });
      return JSON.parse(ran.out) as { applied: string[]; pending: string[] };
    };
    const dry = await run('--dry-run');
    expect(dry.applied).toEqual([]);
    expect(dry.pending.length).toBeGreaterThan(0);
    expect(await run()).toMatchObject({ applied: dry.pending, pending: [] });
    expect(await run()).toMatchObject({ applied: [], pending: [] });
  });
});

describe('C2 wrong usage says what was expected', () => {
  it.each([
    [['validate', '--jsno'], 'did you mean --json?'],
    [['plan'], 'found 0 words after plan, expected 1'],
    [['plan', 'shop', 'production'], 'found 2 words after plan, expected 1'],
    [['validate', '--config'], 'belay validate:'],
    [['help', 'plam'], 'did you mean belay plan?'],
  ])('belay %j', async (args, words) => {
    const ran = await belay(args);
    expect(ran.code).toBe(64);
    expect(ran.err).toContain(words);
  });
});
