import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { App, RollbackAnswer, RollbackWish } from '../../src/cli/command.ts';
import { COMMANDS, runCli } from '../../src/cli/index.ts';
import type { RefProblem } from '../../src/slack/desk.ts';

const VARIABLES = {
  BELAY_CONFIG: 'examples/belay.yml',
  PLATFORM_TOKEN: 'platform-token',
  SLACK_BOT_TOKEN: 'xoxb-1-test',
  SLACK_APP_TOKEN: 'xapp-1-test',
  GITHUB_APP_PRIVATE_KEY: generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey,
};

const refuse = () => Promise.reject(new Error('not asked for in this test'));

async function run(argv: string[], app: Partial<App> = {}, signal = new AbortController().signal) {
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line),
    variables: VARIABLES,
    user: 'ana',
    ending: () => signal,
  };
  const code = await runCli(argv, io, { start: refuse, plan: refuse, rollback: refuse, ...app });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('C2 commands over the application', () => {
  it('start hands over what was checked and ends when it is asked to', async () => {
    const ending = new AbortController();
    const started = run(
      ['start'],
      {
        start: async (ready, signal) => {
          expect(ready.installation.services.map((service) => service.name)).toEqual(['shop']);
          expect(ready.secrets.slackAppToken).toBe('xapp-1-test');
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        },
      },
      ending.signal,
    );
    ending.abort();
    expect(await started).toMatchObject({ code: 0, err: '' });
  });

  it('D5 rollback passes the stage, the version, the reason and who it is', async () => {
    const wishes: RollbackWish[] = [];
    const app = {
      rollback: async (_: unknown, wish: RollbackWish): Promise<RollbackAnswer> => {
        wishes.push(wish);
        return { is: 'requested', id: 'r1', isRunning: true };
      },
    };
    const argv = ['rollback', 'shop', '--on', 'production', '--to', 'abc', '--because', ' checkout fails '];
    expect(await run(argv, app)).toMatchObject({ code: 0, out: expect.stringContaining('is accepted (r1)') });
    expect(await run(['rollback', 'shop', '--because=x'], app)).toMatchObject({ code: 0 });
    expect(wishes).toEqual([
      { service: 'shop', stage: 'production', to: 'abc', because: 'checkout fails', user: 'ana' },
      { service: 'shop', stage: null, to: null, because: 'x', user: 'ana' },
    ]);
  });

  it('a rollback that is refused fails, in words and in JSON', async () => {
    const app = {
      rollback: async (): Promise<RollbackAnswer> => ({ is: 'refused', refusal: { code: 'nothing-to-roll-back-to' } }),
    };
    const argv = ['rollback', 'shop', '--because', 'x'];
    expect(await run(argv, app)).toMatchObject({ code: 1, err: expect.stringContaining('Nothing ran there') });
    const json = await run([...argv, '--json'], app);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, is: 'refused' });
    expect(json.code).toBe(1);
  });

  it.each([
    [['plan', 'shop'], { service: 'shop', ref: null, upTo: null }],
    [['plan', 'shop@feature/x@y', '--to', 'staging'], { service: 'shop', ref: 'feature/x@y', upTo: 'staging' }],
    [['plan', 'shop@'], { service: 'shop', ref: null, upTo: null }],
  ])('X6 %j asks for exactly that', async (argv, wish) => {
    const found: RefProblem = { code: 'unknown-ref', found: 'x', nearest: 'y' };
    const app = {
      plan: async (_: unknown, asked: unknown) => {
        expect(asked).toEqual(wish);
        return found;
      },
    };
    expect(await run(argv, app)).toMatchObject({ code: 1, err: expect.stringContaining('did you mean y?') });
  });

  it('T20 an error is one line without control characters, and the command fails', async () => {
    const app = { plan: () => Promise.reject(new Error('broken \u001b[31mred\u001b[0m')) };
    const ran = await run(['plan', 'shop'], app);
    expect(ran.code).toBe(1);
    expect(ran.err).toBe('belay plan failed: broken  [31mred [0m');
  });

  it('every command explains itself, with each of its options', async () => {
    for (const command of COMMANDS) {
      const { code, out } = await run([command.name, '--help']);
      expect(code).toBe(0);
      expect(out).toContain(command.usage);
      for (const option of Object.keys(command.options)) expect(command.usage).toContain(`--${option}`);
    }
  });
});
