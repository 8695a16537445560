import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSecrets, readSettings } from '../../src/config/env.ts';

const PEM = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey.trim();

const GOOD = {
  SLACK_BOT_TOKEN: 'xoxb-1-a',
  SLACK_APP_TOKEN: 'xapp-1-a',
  SLACK_SIGNING_SECRET: 's'.repeat(32),
  GITHUB_APP_PRIVATE_KEY: PEM,
};

const pathsOf = (read: { problems: { path: string }[] } | object) =>
  'problems' in read ? read.problems.map((problem) => problem.path) : [];

describe('T15 T20 the environment', () => {
  it('each mode needs its own secrets, and the webhook secret may be left out', () => {
    expect(readSecrets({ ...GOOD, SLACK_SIGNING_SECRET: '' }, 'socket')).toMatchObject({
      secrets: {
        slackSigningSecret: null,
        slackAppToken: 'xapp-1-a',
        githubWebhookSecret: null,
        alertmanagerWebhookToken: null,
        githubPrivateKey: PEM,
      },
    });
    expect(readSecrets({ ...GOOD, SLACK_APP_TOKEN: '' }, 'http')).toMatchObject({
      secrets: { slackSigningSecret: 's'.repeat(32), slackAppToken: null },
    });
    expect(pathsOf(readSecrets({ ...GOOD, SLACK_APP_TOKEN: '' }, 'socket'))).toEqual(['SLACK_APP_TOKEN']);
    expect(pathsOf(readSecrets({ ...GOOD, SLACK_SIGNING_SECRET: ' ' }, 'http'))).toEqual(['SLACK_SIGNING_SECRET']);
  });

  it('everything missing is told at once', () => {
    expect(pathsOf(readSecrets({}, 'socket'))).toEqual([
      'SLACK_BOT_TOKEN',
      'SLACK_APP_TOKEN',
      'GITHUB_APP_PRIVATE_KEY',
    ]);
  });

  it('an empty or short secret is refused, and never repeated', () => {
    const bad = {
      SLACK_BOT_TOKEN: 'xoxp-hidden',
      SLACK_SIGNING_SECRET: 'hidden-short',
      GITHUB_APP_PRIVATE_KEY: 'hidden-key',
      GITHUB_WEBHOOK_SECRET: 'hidden',
    };
    const read = readSecrets(bad, 'http');
    expect(pathsOf(read)).toHaveLength(4);
    expect(JSON.stringify(read)).not.toContain('hidden');
  });

  it('the private key may be a file, or one line; not both, and not something else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'belay-env-'));
    const file = join(folder, 'key.pem');
    try {
      writeFileSync(file, PEM);
      const { GITHUB_APP_PRIVATE_KEY: _, ...rest } = GOOD;
      const read = (more: Record<string, string>) => readSecrets({ ...rest, ...more }, 'socket');
      expect(read({ GITHUB_APP_PRIVATE_KEY_FILE: file })).toMatchObject({ secrets: { githubPrivateKey: PEM } });
      expect(read({ GITHUB_APP_PRIVATE_KEY: PEM.replaceAll('\n', '\\n') })).toHaveProperty('secrets');
      expect(pathsOf(read({ GITHUB_APP_PRIVATE_KEY: PEM, GITHUB_APP_PRIVATE_KEY_FILE: file }))).toHaveLength(1);
      expect(pathsOf(read({ GITHUB_APP_PRIVATE_KEY_FILE: `${file}.gone` }))).toEqual(['GITHUB_APP_PRIVATE_KEY_FILE']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('settings have defaults; a wrong one is refused, never replaced in silence', () => {
    expect(readSettings({})).toEqual({
      settings: { configPath: './belay.yml', logLevel: 'info', slackApiUrl: null, githubApiUrl: null },
    });
    expect(
      readSettings({ SLACK_API_URL: 'http://127.0.0.1:1/api/', GITHUB_API_URL: 'http://127.0.0.1:2/' }),
    ).toMatchObject({
      settings: { slackApiUrl: 'http://127.0.0.1:1/api/', githubApiUrl: 'http://127.0.0.1:2' },
    });
    const read = readSettings({ BELAY_LOG_LEVEL: 'inof', SLACK_API_URL: 'https://me:hidden@slack.example.com' });
    expect(pathsOf(read)).toEqual(['BELAY_LOG_LEVEL', 'SLACK_API_URL']);
    expect(JSON.stringify(read)).toContain('did you mean info?');
    expect(JSON.stringify(read)).not.toContain('hidden');
  });
});
