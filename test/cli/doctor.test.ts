import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { belay } from './spawned.ts';

/** One server that answers as Slack, as GitHub and as the probed shop do; `answers` replaces what a path answers. */
let answers: Record<string, { status?: number; body: unknown }>;
let server: Server;
let url: string;
let folder: string;

const PEM = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey;

beforeEach(async () => {
  answers = {
    '/api/auth.test': { body: { ok: true, team_id: 'T0TEAM' } },
    '/app/installations/2/access_tokens': {
      status: 201,
      body: { token: 'ghs_made_for_this_test', expires_at: '2999-01-01T00:00:00Z', permissions: {} },
    },
    '/repos/acme/shop': { body: { default_branch: 'main' } },
    '/healthz': { body: 'fine' },
  };
  server = createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '/', 'http://localhost').pathname];
    response.writeHead(answer ? (answer.status ?? 200) : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer?.body ?? { message: 'Not Found' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), 'belay-doctor-'));
  writeFileSync(
    join(folder, 'belay.yml'),
    'slack: {team: T0TEAM}\ngithub: {app: 1, installation: 2}\n' +
      'people: [{name: Ana, slack: U0ANA, github: {id: 1, login: ana}}]\n' +
      `providers: {here: {kind: memory}}\nsources: {web: {kind: http, url: "${url}"}}\nservices: [shop.yml]\n`,
  );
  writeFileSync(
    join(folder, 'shop.yml'),
    'service: shop\nrepo: acme/shop\nchannel: C0SHOP\nonCall: Ana\nprovider: here\ntargets: {eu: {digest: "sha256:1"}}\n' +
      'signals: [{name: up, kind: check, source: web, query: {path: /healthz}}]\n' +
      'stages: [{name: production, targets: [eu]}]\n',
  );
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const doctor = (env: Record<string, string> = {}, args: string[] = []) =>
  belay(['doctor', '--config', join(folder, 'belay.yml'), ...args], {
    env: {
      SLACK_BOT_TOKEN: 'xoxb-1-secret-of-this-test',
      SLACK_APP_TOKEN: 'xapp-1-a',
      SLACK_API_URL: `${url}/api/`,
      GITHUB_API_URL: url,
      GITHUB_APP_PRIVATE_KEY: PEM,
      ...env,
    },
  });

describe('C2 belay doctor', () => {
  it('finds a good installation well, from the versions to every source', async () => {
    const ran = await doctor();
    expect(ran.out).not.toContain('✗');
    for (const name of ['Node', 'Bolt', 'Configuration', 'Database', 'Slack', 'GitHub acme/shop', 'Source web']) {
      expect(ran.out).toContain(`✓ ${name}: `);
    }
    expect(ran.out).toContain('✓ Provider here, shop/eu: 1 instances');
    expect(ran).toMatchObject({ code: 0, err: '' });
  });

  it("T15 finds another workspace's token, another default branch, what cannot be read, and says what to do", async () => {
    answers['/api/auth.test'] = { body: { ok: true, team_id: 'T0OTHER' } };
    answers['/repos/acme/shop'] = { body: { default_branch: 'trunk' } };
    writeFileSync(join(folder, 'belay.db'), 'this is no database, and long enough to be looked at'.repeat(30));
    const ran = await doctor();
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('✗ Slack: the token belongs to T0OTHER, belay.yml says T0TEAM → correct slack.team');
    expect(ran.out).toContain('✗ GitHub acme/shop: the default branch is trunk, the service file says main → correct');
    expect(ran.out).toContain('✗ Database: ');
  });

  it('T20 a revoked token and a missing repository are said without the token', async () => {
    answers['/api/auth.test'] = { body: { ok: false, error: 'invalid_auth' } };
    delete answers['/repos/acme/shop'];
    const ran = await doctor({}, ['--json']);
    const report = JSON.parse(ran.out) as {
      ok: boolean;
      findings: { name: string; ok: boolean; fix: string | null }[];
    };
    expect(report.ok).toBe(false);
    const ill = report.findings.filter((one) => !one.ok);
    expect(ill.map((one) => one.name)).toEqual(['Slack', 'GitHub acme/shop']);
    expect(ill.every((one) => one.fix)).toBe(true);
    expect(ran.out + ran.err).not.toMatch(/secret-of-this-test|ghs_made/);
  });

  it('P3 says which check could not be run, before a release needs it', async () => {
    const path = join(folder, 'shop.yml');
    const checks =
      'checks: [{name: smoke, kind: command, run: [no-such-program-anywhere]}, {name: up, kind: http, url: "http://shop"}]';
    writeFileSync(path, readFileSync(path, 'utf8').replace('targets: [eu]', `targets: [eu], ${checks}`));
    const ran = await doctor();
    expect(ran.code).toBe(1);
    expect(ran.out).toContain('✗ Check smoke of shop/production: no-such-program-anywhere is no program');
    expect(ran.out).toContain('✓ Check up of shop/production: asks http://shop');
  });

  it('a wrong environment is told like the rest, and asks nobody', async () => {
    const ran = await doctor({ SLACK_APP_TOKEN: '' });
    expect(ran.code).toBe(78);
    expect(ran.out).toContain('✗ Environment: environment SLACK_APP_TOKEN: found nothing');
    expect(ran.out).not.toContain('Source web');
  });
});
