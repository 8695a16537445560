import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type GithubSandbox, type GithubSandboxOptions, startGithub } from '../../sandbox/github/github.ts';
import { createGithub } from '../../src/github/client.ts';
import { isChangesProblem, readChanges } from '../../src/github/facts.ts';
import { createWebhook, type Delivery } from '../../src/github/webhook.ts';

const SECRET = 'a secret of some length';
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(more: Partial<GithubSandboxOptions> = {}): Promise<GithubSandbox> {
  const github = await startGithub({ webhookSecret: SECRET, appId: 12, buildMs: null, ...more });
  closers.push(() => github.stop());
  return github;
}

/** A receiver that checks deliveries as Belay does and keeps what it found. */
async function receive(github: GithubSandbox, onHint: () => Promise<void> = async () => {}): Promise<Delivery[]> {
  const repos = [{ name: github.repo, id: github.repoId, branches: ['main'] }];
  const check = createWebhook({ secret: SECRET, installationId: github.installationId, repos });
  const seen: Delivery[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const delivery = check(request.headers, Buffer.concat(chunks));
    seen.push(delivery);
    if (delivery.ok && delivery.hint?.kind === 'changes') await onHint();
    response.writeHead(delivery.ok ? 202 : delivery.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  github.setWebhookUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/github`);
  return seen;
}

const kinds = (seen: Delivery[]) => seen.map((one) => (one.ok ? `${one.event} ${one.hint?.kind ?? '-'}` : one.reason));

async function mergeOne(github: GithubSandbox, title: string): Promise<string> {
  const pull = await github.createPullRequest({ title, author: 'ana' });
  return github.merge(pull.number, 'cho');
}

describe('the sandbox’s GitHub', () => {
  it('shows a pull request behind the links of a card, and nothing of it as mark-up', async () => {
    const github = await start();
    const { number } = await github.createPullRequest({
      title: '<b>Bold</b>',
      author: 'ana',
      files: { 'a.ts': '<i>' },
    });
    for (const path of ['', '/files']) {
      const answer = await fetch(`${github.url}/${github.repo}/pull/${number}${path}`);
      expect(answer.headers.get('content-type')).toContain('text/html');
      const html = await answer.text();
      expect(html).toContain('&lt;b&gt;Bold&lt;/b&gt;');
      expect(html).not.toMatch(/<[bi]>/);
    }
    expect((await fetch(`${github.url}/${github.repo}/pull/99`)).status).toBe(404);
  });

  it('S1 sends signed deliveries that Belay believes: a merge is a push and a closed pull request', async () => {
    const github = await start();
    const seen = await receive(github);
    const sha = await mergeOne(github, 'One');
    await github.deliveries.settled();
    await github.finishBuild(sha);
    await github.deliveries.settled();
    expect(kinds(seen).filter((kind) => kind === 'check_run build')).toHaveLength(2);
    expect(
      kinds(seen)
        .filter((kind) => kind.endsWith('changes'))
        .sort(),
    ).toEqual(['pull_request changes', 'push changes']);
    expect(seen.every((one) => one.ok)).toBe(true);
    expect(github.deliveries.log.every((one) => one.status === 202)).toBe(true);
  });

  it('T8 loses, doubles and reorders deliveries when told so, and Belay ends with the same releases', async () => {
    const github = await start();
    const client = createGithub({ ...github, baseUrl: github.url });
    const recorded: string[] = [];
    let lastSha = github.initialSha;
    const look = async () => {
      const lane = { repo: github.repo, branch: 'main', service: 'shop', pipeline: 'code', newId: () => 'id' };
      const since = lastSha;
      const found = await readChanges(client, { ...lane, sinceSha: since });
      if (isChangesProblem(found)) throw new Error(found.code);
      for (const { sha } of found.releases) if (!recorded.includes(sha)) recorded.push(sha);
      if (lastSha === since) lastSha = found.headSha;
    };
    const seen = await receive(github, look);
    const shas: string[] = [];
    github.deliveries.dropNext(5);
    shas.push(await mergeOne(github, 'Lost'));
    await github.deliveries.settled();
    expect(seen).toEqual([]);
    github.deliveries.holdNext(100);
    shas.push(await mergeOne(github, 'Held'), await mergeOne(github, 'Held too'));
    await github.deliveries.settled();
    expect(recorded).toEqual([]);
    await github.deliveries.release();
    expect(recorded).toEqual(shas);
    github.deliveries.duplicateNext(10);
    shas.push(await mergeOne(github, 'Doubled'));
    await github.deliveries.settled();
    expect(recorded).toEqual(shas);
    const [first] = github.deliveries.log;
    await github.deliveries.redeliver(first?.id ?? '');
    await github.deliveries.settled();
    await look();
    expect(recorded).toEqual(shas);
  });

  it('B2 CI builds each commit of main by itself, and its digest follows from the commit', async () => {
    const github = await start({ buildMs: 1 });
    const sha = await mergeOne(github, 'One');
    const named = () =>
      github.deliveries.log.filter((one) => JSON.stringify(one.payload).includes(github.digestOf(sha)));
    await expect.poll(() => named().length).toBeGreaterThan(0);
  });

  it('people keep their numeric ids, and git history is real', async () => {
    const github = await start();
    const pull = await github.createPullRequest({ title: 'Sell hats', author: 'eve', files: { 'hats.txt': 'a\nb\n' } });
    expect(pull).toMatchObject({ number: 1, additions: 2, deletions: 0, merged: null });
    const other = await mergeOne(github, 'Between');
    const sha = await github.merge(pull.number, 'dan');
    expect(await github.git.head('main')).toBe(sha);
    const { commits } = await github.git.diff(other, sha);
    expect(commits).toHaveLength(2);
    expect(commits[0]).toMatchObject({ author: { login: 'eve', id: 100005, type: 'User' } });
    await expect(github.merge(pull.number, 'dan')).rejects.toThrow('merged already');
  });

  it('T15 shows nothing of a private repository to those without a token', async () => {
    const github = await start();
    await mergeOne(github, 'One');
    for (const path of ['', '/pulls/1', '/pulls', '/commits', `/commits/${github.initialSha}/pulls`]) {
      const answer = await fetch(`${github.url}/repos/acme/shop${path}`);
      expect([401, 404], path).toContain(answer.status);
    }
  });
});
