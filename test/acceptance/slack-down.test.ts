import { describe, expect, it } from 'vitest';
import type { FaultRequest } from '../../sandbox/slack/faults.ts';
import { BEN, SHOP } from '../../sandbox/slack/people.ts';
import { cardsOf, messageWith, press, startTown, type Town, threadOf } from './town.ts';

/** The last state stands in the channel and in the thread, in one card, and nothing was said twice. */
async function caughtUp(town: Town, sha: string): Promise<void> {
  await town.slack.waitFor(() => cardsOf(town, sha)[0]?.text.includes('production: done'));
  await town.slack.waitFor(() => {
    const texts = threadOf(town, sha).map((one) => one.text);
    return ['on staging: passed', 'on production: passed', 'has ended: done'].every((words) =>
      texts.some((text) => text.includes(words)),
    );
  });
  expect(cardsOf(town, sha)).toHaveLength(1);
  const texts = threadOf(town, sha).map((one) => one.text);
  expect(new Set(texts).size, texts.join('\n')).toBe(texts.length);
  const ids = town.slack.messages(SHOP).map((one) => one.clientMsgId);
  expect(new Set(ids).size).toBe(ids.length);
}

// Side by side, each with a Belay of its own: most of the time is spent on waiting for Slack.
describe.concurrent('T12 a rollout goes on while Slack does not, and its messages catch up', () => {
  it.each<[string, FaultRequest[]]>([
    [
      'asks to wait (429), then fails (500), then cuts connections before and after it has posted',
      [
        { kind: 'rate-limited', retryAfterSec: 1, count: 3 },
        { kind: 'server-error', count: 2 },
        { kind: 'reset-after', method: 'chat.postMessage', count: 1 },
        { kind: 'reset-before', method: 'chat.postMessage', count: 1 },
        { kind: 'reset-after', method: 'chat.update', count: 1 },
      ],
    ],
    [
      'never answers, before and after it has posted',
      [
        { kind: 'timeout-after', method: 'chat.postMessage', count: 1 },
        { kind: 'timeout-before', method: 'chat.update', count: 1 },
      ],
    ],
  ])('T4 Slack %s', async (_how, faults) => {
    const town = await startTown();
    try {
      for (const fault of faults) town.slack.faults.add(fault);
      const { sha, digest } = await town.merge();
      await town.record.waitForPhase(sha, 'gated');
      await press(town, BEN, sha, 'approve');
      await town.record.waitForPhase(sha, 'succeeded');
      expect(town.platform.runs('eu')).toEqual(Array(4).fill(digest));
      await caughtUp(town, sha);
      expect(town.slack.faults.list()).toEqual([]);
    } finally {
      await town.stop();
    }
  });

  it('T4 Slack is out of order from before the merge, and again after the approval until the rollout has ended', async () => {
    const town = await startTown();
    try {
      const outage = town.slack.faults.add({ kind: 'outage' });
      const { sha, digest } = await town.merge();
      await town.record.waitForPhase(sha, 'gated');
      expect(town.platform.runs('staging')).toEqual(Array(4).fill(digest));
      expect(cardsOf(town, sha)).toEqual([]);
      town.slack.faults.clear(outage);
      await town.slack.waitFor(() => messageWith(town, sha, 'approve')?.threadTs);
      // The connection over which clicks arrive comes back by itself, too.
      await town.slack.waitFor(() => town.slack.socket.connections > 0);
      await press(town, BEN, sha, 'approve');
      await town.record.waitForPhase(sha, ['deploying', 'verifying', 'baking', 'succeeded']);

      town.slack.faults.add({ kind: 'outage' });
      await town.record.waitForPhase(sha, 'succeeded');
      expect(town.platform.runs('eu')).toEqual(Array(4).fill(digest));
      town.slack.faults.clear();
      await caughtUp(town, sha);
    } finally {
      await town.stop();
    }
  });
});
