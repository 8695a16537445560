import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BEN } from '../../sandbox/slack/people.ts';
import type { PhaseName } from '../../src/core/rollout.ts';
import { cardsOf, press, startTown, type Town } from './town.ts';

const phasesOf = (town: Town, sha: string): PhaseName[] =>
  town.record.rollouts().flatMap((one) => (one.release.sha === sha ? [one.phase.is] : []));

/** Merges a reviewed change of Ana's as GitHub does; CI is not done yet. */
async function merge(town: Town): Promise<string> {
  const pull = await town.github.createPullRequest({ title: 'Something', author: 'ana' });
  town.github.approve(pull.number, 'ben');
  return town.github.merge(pull.number, 'ana');
}

describe('with webhooks, and a poll so rare that it helps nobody here', () => {
  let town: Town;
  beforeAll(async () => {
    town = await startTown({ poll: '5m' });
  });
  afterAll(() => town?.stop());
  afterEach(() => {
    expect(town.platform.complaints).toEqual([]);
  });

  it('S1 T8 every delivery comes twice: one rollout', async () => {
    town.github.deliveries.duplicateNext(50);
    const sha = await merge(town);
    await town.github.finishBuild(sha);
    await town.record.waitForPhase(sha, 'gated');
    await town.github.deliveries.settled();
    expect(phasesOf(town, sha)).toEqual(['gated']);
    expect(town.platform.changes.map((one) => one.target)).toEqual(['staging']);
  });

  it('S1 GitHub’s own redelivery of what was processed does nothing more', async () => {
    const before = town.record.rollouts();
    for (const { id, event } of town.github.deliveries.log) {
      if (event === 'push' || event === 'pull_request') await town.github.deliveries.redeliver(id);
    }
    expect(town.github.deliveries.log.filter((one) => one.outcome !== 'delivered')).toEqual([]);
    expect(town.record.rollouts()).toEqual(before);
  });

  it('T7 T8 G8 two merges whose deliveries arrive the newest first: the newer one ships, the older one is superseded and never follows it', async () => {
    town.github.deliveries.holdNext(100);
    const older = await merge(town);
    const newer = await merge(town);
    await town.github.finishBuild(newer);
    await town.github.deliveries.release();
    await town.record.waitForPhase(newer, 'gated');
    expect(phasesOf(town, older)).toEqual(['superseded']);

    // Its build ends late, and Belay is told of it: that wakes nobody.
    await town.github.finishBuild(older);
    await town.github.deliveries.settled();
    await press(town, BEN, newer, 'approve');
    await town.record.waitForPhase(newer, 'succeeded');
    expect(phasesOf(town, older)).toEqual(['superseded']);
    const digest = town.github.digestOf(newer);
    for (const target of ['staging', 'us', 'eu']) expect(town.platform.runs(target)).toEqual(Array(4).fill(digest));
    expect(town.platform.changes.map((one) => one.digest)).not.toContain(town.github.digestOf(older));
    await town.slack.waitFor(() =>
      JSON.stringify(cardsOf(town, older)).includes(`A newer release, \`${newer.slice(0, 7)}\`, took its place`),
    );
  });

  it('S1 a delivery that came while GitHub’s API was out of order is not lost: its redelivery is looked at', async () => {
    town.github.deliveries.holdNext(100);
    const sha = await merge(town);
    await town.github.finishBuild(sha);
    town.github.failApi({ status: 502, count: 10_000 });
    await town.github.deliveries.release();
    await town.slack.waitFor(() => town.belay.log().some((line) => line.includes('could not be read')));
    expect(phasesOf(town, sha)).toEqual([]);
    town.github.mendApi();
    const push = town.github.deliveries.log.findLast((one) => one.event === 'push');
    const looked = async () => {
      await town.github.deliveries.redeliver(push?.id ?? '');
      return phasesOf(town, sha);
    };
    await expect.poll(looked, { interval: 500 }).toEqual(['gated']);
  });
});

describe('with a poll every second', () => {
  let town: Town;
  beforeAll(async () => {
    town = await startTown({ poll: '1s' });
  });
  afterAll(() => town?.stop());

  it('S2 T8 every delivery is lost: polling finds the merge and its build', async () => {
    town.github.deliveries.dropNext(1000);
    const sha = await merge(town);
    await town.github.finishBuild(sha);
    await town.record.waitForPhase(sha, 'gated');
    expect(phasesOf(town, sha)).toEqual(['gated']);
  });

  it('S2 G8 what was merged while Belay did not run is found by the next start; of two, only the newest ships', async () => {
    await town.belay.kill('SIGKILL');
    const older = await merge(town);
    await town.github.finishBuild(older);
    const newer = await merge(town);
    await town.github.finishBuild(newer);
    await town.belay.start();
    await town.record.waitForPhase(newer, 'gated');
    expect([phasesOf(town, older), phasesOf(town, newer)]).toEqual([['superseded'], ['gated']]);
    const inProduction = town.platform.changes.filter((one) => one.target !== 'staging');
    expect(inProduction.map((one) => one.digest)).not.toContain(town.github.digestOf(older));
    expect(town.platform.runs('staging')).toEqual(Array(4).fill(town.github.digestOf(newer)));
  });

  it("T15 H1 Alertmanager's webhook is taken with its token, and is not there until Belay is given one", async () => {
    const post = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const url = `${town.belay.url}/alertmanager/webhook`;
      return (await fetch(url, { method: 'POST', headers, body: '{"status":"firing"}' })).status;
    };
    expect(await post('undefined')).toBe(404);
    town.env.ALERTMANAGER_WEBHOOK_TOKEN = 'a-token-of-the-webhook';
    await town.belay.kill('SIGTERM');
    await town.belay.start();
    expect([await post('a-token-of-the-webhook'), await post('another-token')]).toEqual([202, 401]);
  });
});
