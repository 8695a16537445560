import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { belay as cli, type Ran } from '../cli/spawned.ts';
import { startTown, type Town } from './town.ts';

let town: Town;
beforeAll(async () => {
  town = await startTown({ slackMode: 'http', isStarted: false });
});
afterAll(() => town?.stop());

/** Starts the real process in a folder of its own with these changes, and waits for its end. */
async function start(changes: {
  env?: Record<string, string>;
  belay?: (text: string) => string;
  shop?: (text: string) => string;
  prepare?: (folder: string) => Promise<void> | void;
}): Promise<Ran> {
  const folder = join(dirname(town.configPath), crypto.randomUUID());
  await mkdir(join(folder, 'services'), { recursive: true });
  const same = (text: string) => text;
  const from = dirname(town.configPath);
  await writeFile(join(folder, 'belay.yml'), (changes.belay ?? same)(await readFile(town.configPath, 'utf8')));
  const shop = await readFile(join(from, 'services', 'shop.yml'), 'utf8');
  await writeFile(join(folder, 'services', 'shop.yml'), (changes.shop ?? same)(shop));
  await changes.prepare?.(folder);
  return cli(['start', '--config', join(folder, 'belay.yml')], { env: { ...town.env, ...changes.env } });
}

/** Everything that it said: a configuration is refused in words, what comes later in the log. */
const words = (ran: Ran) => `${ran.out}${ran.err}`;

describe('T15 C3 what would fail later stops the start, and says what to do', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['no bot token', { SLACK_BOT_TOKEN: '' }, ['SLACK_BOT_TOKEN: found nothing', 'OAuth & Permissions']],
    ['no signing secret', { SLACK_SIGNING_SECRET: '' }, ['SLACK_SIGNING_SECRET: found nothing', 'Basic Information']],
    ['a short signing secret', { SLACK_SIGNING_SECRET: 'short' }, ['SLACK_SIGNING_SECRET', 'at least 16 characters']],
    ['a short webhook secret', { GITHUB_WEBHOOK_SECRET: 'short' }, ['GITHUB_WEBHOOK_SECRET', 'at least 16 characters']],
    [
      'a short token',
      { ALERTMANAGER_WEBHOOK_TOKEN: 'short' },
      ['ALERTMANAGER_WEBHOOK_TOKEN', 'at least 16 characters'],
    ],
    ['a key that is none', { GITHUB_APP_PRIVATE_KEY: 'hello' }, ['GITHUB_APP_PRIVATE_KEY', 'no private key']],
    ['a provider’s secret that is not set', { PLATFORM_TOKEN: '' }, ['PLATFORM_TOKEN']],
  ])('%s: exit 78', async (_what, env, expected) => {
    const ran = await start({ env });
    expect(ran.code).toBe(78);
    for (const one of expected) expect(ran.err).toContain(one);
    for (const secret of Object.values(env).filter((one) => one !== ''))
      expect(words(ran)).not.toContain(`"${secret}"`);
  });

  it('an invalid configuration: exit 78, with file, line and what was meant', async () => {
    const ran = await start({ shop: (text) => text.replace('protected: true', 'protekted: true') });
    expect(ran.code).toBe(78);
    expect(ran.err).toMatch(/shop\.yml:\d+:\d+ stages/);
    expect(ran.err).toContain('did you mean protected?');
  });
});

describe('T13 a database that cannot be trusted is not used', () => {
  it('a file that is no database: exit 1, named, and left as it was', async () => {
    let path = '';
    const ran = await start({
      prepare: async (folder) => {
        path = join(folder, 'belay.db');
        await writeFile(path, 'this is no database, and somebody may need it '.repeat(100));
      },
    });
    expect(ran.code).toBe(1);
    expect(words(ran)).toContain(path);
    expect(await readFile(path, 'utf8')).toContain('somebody may need it');
  });

  it('a schema newer than the code: exit 1, and what to do', async () => {
    const ran = await start({
      prepare: (folder) => {
        const database = new Database(join(folder, 'belay.db'));
        database.exec(
          "CREATE TABLE migrations (name TEXT PRIMARY KEY, checksum TEXT NOT NULL, at_ms BIGINT NOT NULL); INSERT INTO migrations VALUES ('9999_from_the_future.sql', 'x', 0)",
        );
        database.close();
      },
    });
    expect(ran.code).toBe(1);
    expect(words(ran)).toContain('9999_from_the_future.sql');
    expect(words(ran)).toContain('newer than the code');
    expect(words(ran)).toContain('restore the backup');
  });

  it('a folder that cannot be made: exit 1, and which setting to change', async () => {
    const ran = await start({
      belay: (text) => text.replace('database: belay.db', 'database: services/shop.yml/belay.db'),
    });
    expect(ran.code).toBe(1);
    expect(words(ran)).toContain('services/shop.yml/belay.db-lock cannot be made');
  });
});

describe('one Belay for one database and one address', () => {
  it('a second process on the same file: exit 1, the first one goes on; SIGTERM ends that with exit 0', async () => {
    await town.belay.start();
    const second = await cli(['start', '--config', town.configPath], { env: town.env });
    expect(second.code).toBe(1);
    expect(words(second)).toContain('Another Belay already runs');
    expect(await town.belay.isReady()).toBe(true);

    const beganMs = performance.now();
    expect(await town.belay.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    // What a platform gives a process before it kills it.
    expect(performance.now() - beganMs).toBeLessThan(30_000);
    expect(town.belay.log().at(-1)).toContain('Belay ends');
  });

  it('an address in use: exit 1, and which setting to change', async () => {
    const taken: Server = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const ran = await start({ belay: (text) => text.replace('port: 0', `port: ${port}`) });
    taken.close();
    expect(ran.code).toBe(1);
    expect(words(ran)).toContain(`127.0.0.1:${port}`);
    expect(words(ran)).toContain('http.port');
  });

  it('Slack refuses the token: exit 1, without the token in its words', async () => {
    const env = { SLACK_APP_TOKEN: 'xapp-1-somebody-elses' };
    const ran = await start({ env, belay: (text) => text.replace('mode: http', 'mode: socket') });
    expect(ran.code).toBe(1);
    expect(words(ran)).toMatch(/Slack refused the app token/);
    expect(words(ran)).not.toContain('somebody-elses');
  });
});
