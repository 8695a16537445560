import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GithubSandbox, startGithub } from '../../sandbox/github/github.ts';
import { createGithub, type GithubClient } from '../../src/github/client.ts';
import { resolveRef } from '../../src/github/refs.ts';
import hostile from '../hostile-inputs.json' with { type: 'json' };

let github: GithubSandbox;
let client: GithubClient;
let merged: string;

beforeAll(async () => {
  github = await startGithub({ webhookSecret: 'a secret of some length', appId: 12, buildMs: null });
  client = createGithub({ ...github, baseUrl: github.url });
  const pull = await github.createPullRequest({ title: 'Sell hats', author: 'ana' });
  merged = await github.merge(pull.number, 'cho');
  await github.git.create('tags/v1', merged, 'ana');
  await github.git.create('heads/release/1', github.initialSha, 'ana');
  await github.git.create('heads/twice', github.initialSha, 'ana');
  await github.git.create('tags/twice', merged, 'ana');
  await github.createPullRequest({ title: 'Not merged', author: 'ben', branch: 'not-merged' });
});
afterAll(() => github.stop());

function resolve(ref: string | null) {
  const lane = { repo: github.repo, branch: 'main', service: 'shop', pipeline: 'code', newId: () => 'r1' };
  return resolveRef(client, { ...lane, ref });
}

it('X2 a branch, tag, full sha or #pr is the release that it names; no name is the head', async () => {
  for (const ref of [null, 'main', 'v1', merged, merged.toUpperCase(), '#1', 'refs/heads/main', 'refs/tags/twice']) {
    expect(await resolve(ref), String(ref)).toMatchObject({ id: 'r1', sha: merged, title: 'Sell hats' });
  }
  expect(await resolve('release/1')).toMatchObject({ sha: github.initialSha, pullRequest: null });
});

it.each([
  ['0'.repeat(40), 'unknown-ref'],
  ['e'.repeat(40), 'not-on-default-branch'],
  ['not-merged', 'not-on-default-branch'],
  ['#2', 'not-on-default-branch'],
  ['#3', 'unknown-ref'],
  ['refs/pull/2/head', 'not-on-default-branch'],
  ['pull/2/merge', 'not-on-default-branch'],
  ['twice', 'ambiguous-ref'],
  ['abcdef1', 'ambiguous-ref'],
  ['abcdef1234567890abcdef1234567890abcdef1', 'ambiguous-ref'],
  ['nothing-so-called', 'unknown-ref'],
  ['../../pulls/1', 'unknown-ref'],
  ['a b', 'unknown-ref'],
  ['HEAD', 'unknown-ref'],
  ['-x', 'unknown-ref'],
  ['main^', 'unknown-ref'],
  ['main@{1}', 'unknown-ref'],
  ['x\u0000y', 'unknown-ref'],
  ['', 'unknown-ref'],
  ['a'.repeat(300), 'unknown-ref'],
])('H078 T7 %s is refused: %s', async (ref, code) => {
  expect(await resolve(ref)).toMatchObject({ code });
});

it('X2 a branch that was typed wrong is answered with the one that was probably meant', async () => {
  expect(await resolve('mian')).toEqual({ code: 'unknown-ref', found: 'mian', nearest: 'main' });
});

const shells = hostile.filter((one) => one.class === 'shell' && one.where.startsWith('github'));

it.each(shells)('$id a name that is a shell command is only a name that nothing has', async ({ input }) => {
  const ref = (input as { headRef: string }).headRef;
  expect(await resolve(ref)).toEqual({ code: 'unknown-ref', found: ref, nearest: null });
});

it('H078 a merged pull request of another branch, or a head that only a fork has, cannot ship', async () => {
  const head = github.pullRequests().find((pull) => pull.number === 2)?.headSha ?? '';
  expect(await resolve(head)).toEqual({ code: 'not-on-default-branch', found: head });
});

it('H096 GitHub being down is said as that', async () => {
  github.failApi({ status: 503, count: 1 });
  expect(await resolve('main')).toMatchObject({ code: 'source-unreachable' });
});
