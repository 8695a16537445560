import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GithubSandbox, startGithub } from '../../sandbox/github/github.ts';
import { GITHUB_IDS } from '../../sandbox/github/people.ts';
import { isReviewed, type Release } from '../../src/core/release.ts';
import { watchBuild } from '../../src/github/build.ts';
import { createGithub, type GithubClient } from '../../src/github/client.ts';
import { compare, isChangesProblem, isOnBranch, readChanges } from '../../src/github/facts.ts';

let github: GithubSandbox;
let client: GithubClient;
let ids = 0;
const lane = () => ({
  repo: github.repo,
  branch: 'main',
  service: 'shop',
  pipeline: 'code',
  newId: () => `r${++ids}`,
});

beforeAll(async () => {
  github = await startGithub({ webhookSecret: 'a secret of some length', appId: 12, buildMs: null });
  client = createGithub({ ...github, baseUrl: github.url });
});
afterAll(() => github.stop());

async function changes(sinceSha: string | null): Promise<Release[]> {
  const found = await readChanges(client, { ...lane(), sinceSha });
  if (isChangesProblem(found)) throw new Error(found.code);
  return found.releases;
}

async function merged(body: string, prepare: (pr: number) => Promise<void> | void = () => {}): Promise<Release> {
  const pull = await github.createPullRequest({ title: 'Sell hats', author: 'ana', body });
  await github.finishBuild(pull.headSha, { digest: null });
  await prepare(pull.number);
  const before = await github.git.head('main');
  await github.merge(pull.number, 'cho');
  const [release, ...more] = await changes(before);
  if (!release || more.length > 0) throw new Error(`Expected one release, found ${more.length + 1}`);
  return release;
}

describe('the facts of a merge, read from the API', () => {
  it('S1 a merged pull request is a release with its author, merger, reviewers and lines', async () => {
    const release = await merged('', (pr) => github.approve(pr, 'ben'));
    expect(release).toMatchObject({
      service: 'shop',
      pipeline: 'code',
      repo: 'acme/shop',
      branch: 'main',
      title: 'Sell hats',
      pullRequest: { title: 'Sell hats', authorLogin: 'ana', mergedByLogin: 'cho', headRef: expect.any(String) },
      review: { approvedBy: ['ben'], checks: 'green' },
      isRollForwardOnly: false,
      changedLines: 1,
    });
    expect(release.sha).toBe(await github.git.head('main'));
    expect(release.url).toBe(`${github.url}/acme/shop/pull/${release.pullRequest?.number}`);
    expect(release.participants).toEqual([
      { part: 'opener', githubId: GITHUB_IDS.ana, login: 'ana', isBot: false },
      { part: 'merger', githubId: GITHUB_IDS.cho, login: 'cho', isBot: false },
      { part: 'author', githubId: GITHUB_IDS.ana, login: 'ana', isBot: false },
    ]);
    expect(isReviewed(release)).toBe(true);
  });

  it('S1 a commit reached only through a merge is no release of its own; several merges come oldest first', async () => {
    const before = await github.git.head('main');
    const one = await github.createPullRequest({ title: 'One', author: 'ana' });
    const two = await github.createPullRequest({ title: 'Two', author: 'ben' });
    await github.pushTo(two.number, 'dan', { 'src/more.ts': 'export const more = 1;\n' });
    const shas = [await github.merge(two.number, 'cho'), await github.merge(one.number, 'cho', 'squash')];
    const releases = await changes(before);
    expect(releases.map((release) => release.sha)).toEqual(shas);
    expect(releases.map((release) => release.title)).toEqual(['Two', 'One']);
    expect(releases[0]?.participants.filter((one) => one.part === 'author').map((one) => one.login)).toEqual([
      'ben',
      'dan',
    ]);
    expect(await changes(await github.git.head('main'))).toEqual([]);
  });

  it('S3 a direct push has no pull request and is not reviewed; who pushed took part', async () => {
    const before = await github.git.head('main');
    await github.push('dan', 'Fix it now\n\nCo-authored-by: Eve <100005+eve@users.noreply.github.com>', {
      a: '1\n2\n',
    });
    const [release] = await changes(before);
    expect(release).toMatchObject({ title: 'Fix it now', pullRequest: null, changedLines: 2 });
    expect(release?.participants.map((one) => [one.part, one.githubId])).toEqual([
      ['pusher', GITHUB_IDS.dan],
      ['author', GITHUB_IDS.dan],
      ['co-author', GITHUB_IDS.eve],
    ]);
    expect(release && isReviewed(release)).toBe(false);
  });

  const reviews: [string, (pr: number) => Promise<void> | void, string[]][] = [
    ['a bot', (pr) => github.review(pr, 'dependabot[bot]'), []],
    ['its author', (pr) => github.approve(pr, 'ana'), []],
    ['somebody from outside', (pr) => github.review(pr, 'eve', 'APPROVED', false), []],
    [
      'somebody who changed their mind',
      (pr) => {
        github.approve(pr, 'ben');
        github.review(pr, 'ben', 'CHANGES_REQUESTED');
        github.review(pr, 'dan', 'CHANGES_REQUESTED');
        github.approve(pr, 'dan');
        github.review(pr, 'dan', 'COMMENTED');
      },
      ['dan'],
    ],
    [
      'somebody who saw an older version, or wrote a part of it',
      async (pr) => {
        github.approve(pr, 'ben');
        await github.pushTo(pr, 'dan', { 'src/late.ts': 'late\n' });
        github.approve(pr, 'dan');
        github.approve(pr, 'cho');
      },
      ['cho'],
    ],
  ];
  it.each(reviews)('S3 H094 approval by %s counts as it should', async (_, prepare, approvedBy) => {
    expect((await merged('', prepare)).review.approvedBy).toEqual(approvedBy);
  });

  it('S3 a red check at the merged head is said', async () => {
    const release = await merged('', (pr) => {
      github.approve(pr, 'ben');
      const head = github.pullRequests().find((one) => one.number === pr)?.headSha ?? '';
      return github.finishBuild(head, { conclusion: 'failure', check: 'lint' });
    });
    expect(release.review.checks).toBe('red');
    expect(isReviewed(release)).toBe(false);
  });

  it('S4 the checklist travels from the body, and an unsafe rollback marks the release', async () => {
    const release = await merged('- [x] Tests included\nRollback: unsafe, drops a column');
    expect(release.checklist).toMatchObject({
      tests: { answer: 'yes' },
      telemetry: { answer: 'unanswered' },
      rollback: { answer: 'no', text: 'unsafe, drops a column' },
    });
    expect(release.isRollForwardOnly).toBe(true);
  });

  it('S3 who pushed is asked of GitHub: a commit can carry anybody’s name', async () => {
    const before = await github.git.head('main');
    const parents = [before];
    const sha = await github.git.commit({ parents, files: { b: '1\n' }, message: 'Not by Ben', author: 'ben' });
    await github.git.move('heads/main', sha, 'eve');
    const [release] = await changes(before);
    expect(release?.participants.map((one) => [one.part, one.login])).toEqual([
      ['pusher', 'eve'],
      ['pusher', 'ben'],
      ['author', 'ben'],
    ]);
  });

  it('S3 a merge that was made elsewhere and pushed brings its authors along', async () => {
    const before = await github.git.head('main');
    const side = await github.git.commit({ parents: [before], files: { c: '1\n' }, message: 'Side', author: 'ben' });
    const parents = [before, side];
    const merge = await github.git.commit({ parents, files: { c: '1\n' }, message: 'Merge it', author: 'dan' });
    await github.git.move('heads/main', merge, 'dan');
    const releases = await changes(before);
    expect(releases.map((release) => release.sha)).toEqual([merge]);
    expect(releases[0]?.participants.filter((one) => one.part === 'author').map((one) => one.login)).toEqual([
      'dan',
      'ben',
    ]);
  });

  it('S1 T8 a merge that GitHub has not yet recorded is waited for, not taken for a direct push', async () => {
    const before = await github.git.head('main');
    const pull = await github.createPullRequest({ title: 'Slow', author: 'ana' });
    await github.push('cho', `Slow (#${pull.number})`, { slow: 'yes\n' });
    const look = (since: GithubClient) => readChanges(since, { ...lane(), sinceSha: before });
    await expect(look(client)).rejects.toMatchObject({ name: 'SourceUnavailable', retryAfterMs: 5000 });
    const later = createGithub({ ...github, baseUrl: github.url, now: () => Date.now() + 61_000 });
    expect(await look(later)).toMatchObject({ releases: [{ pullRequest: null }] });
  });

  it('S1 a merge that is not yet listed by its commit is found by its number, and believed only if it is the merge', async () => {
    const blind: GithubClient = {
      ...client,
      ask: (route, parameters, shape) =>
        route.endsWith('/commits/{commit_sha}/pulls')
          ? Promise.resolve(shape.parse([]))
          : client.ask(route, parameters, shape),
    };
    const before = await github.git.head('main');
    const pull = await github.createPullRequest({ title: 'Found', author: 'ana' });
    await github.merge(pull.number, 'cho', 'squash');
    await github.push('dan', `Not it (#${pull.number})`, { not: 'it\n' });
    expect(await readChanges(blind, { ...lane(), sinceSha: before })).toMatchObject({
      releases: [{ pullRequest: { number: pull.number } }, { pullRequest: null }],
    });
  });

  it('S2 a first look reads only the head', async () => {
    expect((await changes(null)).map((release) => release.sha)).toEqual([await github.git.head('main')]);
  });

  it('T7 a rewritten branch is a problem, never a release', async () => {
    const old = await github.git.head('main');
    const sha = await github.git.commit({
      parents: [github.initialSha],
      files: { z: 'z' },
      message: 'z',
      author: 'eve',
    });
    await github.git.move('heads/main', sha, 'eve', true);
    const expected = { code: 'history-rewritten', sinceSha: old, headSha: sha };
    expect(await readChanges(client, { ...lane(), sinceSha: old })).toEqual(expected);
    const gone = 'd'.repeat(40);
    expect(await readChanges(client, { ...lane(), sinceSha: gone })).toEqual({ ...expected, sinceSha: gone });
    await github.git.move('heads/main', github.initialSha, 'eve', true);
    const nothing = { headSha: old, releases: [], hasMore: false };
    expect(await readChanges(client, { ...lane(), sinceSha: old })).toEqual(nothing);
    await github.git.move('heads/main', sha, 'eve', true);
    expect(await compare(client, github.repo, old, sha)).toBe('diverged');
    expect(await compare(client, github.repo, github.initialSha, sha)).toBe('ahead');
    expect(await compare(client, github.repo, sha, github.initialSha)).toBe('behind');
    expect(await isOnBranch(client, github.repo, 'main', old)).toBe(false);
    expect(await isOnBranch(client, github.repo, 'main', gone)).toBe(false);
    expect(await isOnBranch(client, github.repo, 'main', github.initialSha)).toBe(true);
    await github.git.move('heads/main', old, 'eve', true);
  });
});

describe('the build of a commit', () => {
  it('B1 B2 runs until CI is green, and then names one digest', async () => {
    const sha = await github.push('ana', 'Build me', { build: 'me' });
    const request = { repo: github.repo, sha, check: 'build' };
    expect(await watchBuild(client, request)).toEqual({ is: 'running' });
    expect(await watchBuild(client, { ...request, check: 'another' })).toEqual({ is: 'running' });
    await github.finishBuild(sha);
    const built = { is: 'built', digest: github.digestOf(sha), url: expect.stringContaining('/checks/') };
    expect(await watchBuild(client, request)).toEqual(built);
    expect(await watchBuild(client, { ...request, check: null })).toEqual(built);
    expect(await watchBuild(client, { ...request, check: 'another' })).toEqual({ is: 'running' });
  });

  it('B3 a red build says which check and where', async () => {
    const sha = await github.push('ana', 'Break me', { broken: 'yes' });
    await github.finishBuild(sha, { conclusion: 'failure' });
    for (const check of ['build', null]) {
      const build = await watchBuild(client, { repo: github.repo, sha, check });
      expect(build).toEqual({ is: 'failed', detail: 'build: failure', url: expect.stringContaining('/checks/') });
    }
  });

  it('B2 T16 a second artifact for the same commit is refused, whichever came last', async () => {
    const sha = await github.push('ana', 'Two names', { two: 'names' });
    await github.finishBuild(sha);
    await github.nameArtifact(sha, github.digestOf('another'));
    expect(await watchBuild(client, { repo: github.repo, sha, check: 'build' })).toMatchObject({
      is: 'failed',
      detail: expect.stringContaining('2 different artifacts'),
    });
  });

  it('B2 a green build that names no artifact, or something else, fails and says what to do', async () => {
    const sha = await github.push('ana', 'No name', { no: 'name' });
    await github.finishBuild(sha, { digest: null });
    const request = { repo: github.repo, sha, check: 'build' };
    expect(await watchBuild(client, request)).toMatchObject({
      is: 'failed',
      detail: expect.stringContaining('belay/artifact'),
    });
    const other = await github.push('ana', 'Odd name', { odd: 'name' });
    await github.finishBuild(other, { digest: 'latest' });
    expect(await watchBuild(client, { ...request, sha: other })).toMatchObject({
      is: 'failed',
      detail: expect.stringContaining('found latest'),
    });
  });
});
