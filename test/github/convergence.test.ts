/**
 * Goal: whatever webhooks come, how often, in what order, the same releases are recorded once each, oldest first (T8).
 * Method: one real history of merges; for each run a random sequence of hints and polls, each seeing the branch as far
 * as it had come then, and a recorder that does what the engine does: remember the last commit, keep releases unique.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GithubSandbox, startGithub } from '../../sandbox/github/github.ts';
import { createGithub, type GithubClient } from '../../src/github/client.ts';
import { isChangesProblem, readChanges } from '../../src/github/facts.ts';

let github: GithubSandbox;
let client: GithubClient;
const history: string[] = [];

beforeAll(async () => {
  github = await startGithub({ webhookSecret: 'a secret of some length', appId: 12, buildMs: null });
  client = createGithub({ ...github, baseUrl: github.url });
  for (const title of ['One', 'Two', 'Three', 'Four']) {
    const pull = await github.createPullRequest({ title, author: 'ana' });
    history.push(await github.merge(pull.number, 'cho', title === 'Two' ? 'squash' : 'merge'));
  }
});
afterAll(() => github.stop());

function recorder() {
  let lastSha = github.initialSha;
  const releases: string[] = [];
  return {
    releases,
    async look(): Promise<void> {
      const since = lastSha;
      const found = await readChanges(client, { ...lane, sinceSha: since });
      if (isChangesProblem(found)) throw new Error(found.code);
      for (const { sha } of found.releases) if (!releases.includes(sha)) releases.push(sha);
      // Compare and set: a look that began earlier does not move it back.
      if (lastSha === since) lastSha = found.headSha;
    },
  };
}
const lane = { repo: 'acme/shop', branch: 'main', service: 'shop', pipeline: 'code', newId: () => 'id' };

it('T8 S2 lost, doubled, late and reordered deliveries end in the same releases, once each, in order', async () => {
  // A look at the branch when it had come to its n-th merge; several looks may come for one, or none.
  const looks = fc.array(fc.record({ at: fc.nat(history.length - 1), isTwice: fc.boolean() }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(looks, async (hints) => {
      const seen = recorder();
      // Not in order: a replica of GitHub's that lags shows an older branch after a newer one.
      for (const { at, isTwice } of hints) {
        await github.git.move('heads/main', history[at] ?? '', 'ana', true);
        await Promise.all(isTwice ? [seen.look(), seen.look()] : [seen.look()]);
      }
      await github.git.move('heads/main', history.at(-1) ?? '', 'ana', true);
      await seen.look();
      expect(seen.releases).toEqual(history);
    }),
    { numRuns: 12 },
  );
});
