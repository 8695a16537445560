import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BEN, CHO, DAN } from '../../sandbox/slack/people.ts';
import { cardsOf, type Merged, messageWith, press, startTown, type Town, threadOf, toldTo } from './town.ts';

let town: Town;
beforeAll(async () => {
  town = await startTown();
});
afterAll(() => town?.stop());

/** Ships a release that hurts nobody until its canary has passed, and is found out on the first wave. */
async function goneBad(): Promise<Merged> {
  const merged = await town.merge({ isBadInWaves: true });
  await press(town, BEN, merged.sha, 'approve');
  await town.record.waitForPhase(merged.sha, 'deciding');
  await town.slack.waitFor(() => messageWith(town, merged.sha, 'decide:roll-back')?.threadTs);
  return merged;
}

const rolloutOf = ({ sha }: Merged) => town.record.rollout(sha);
/** The question as it stands in the thread, as JSON. */
const decision = ({ sha }: Merged) =>
  JSON.stringify(
    threadOf(town, sha).find((one) => /\*(Decide:|On hold:|Decision at)/.test(JSON.stringify(one.blocks))),
  );

describe('D1 D2 health gets worse on a wave that asks', () => {
  let merged: Merged;
  beforeAll(async () => {
    merged = await goneBad();
  });

  it('the person on call is asked by name, with evidence, consequences and a countdown', async () => {
    await town.slack.waitFor(() => threadOf(town, merged.sha).some((one) => one.text.includes(`<@${CHO}>`)));
    const said = decision(merged);
    expect(said).toContain('health got worse: `checkout`');
    expect(said).toMatch(/`us`.* would go back to `[^`]+`, last found healthy/);
    expect(said).toMatch(/What was merged after `[^`]+` is not known/);
    expect(said).toMatch(/Without a decision: \*roll back\*/);
    expect(said).toContain('"action_id":"stop-countdown"');
    expect(JSON.stringify(cardsOf(town, merged.sha))).toContain('Without a decision it rolls back');
    expect(rolloutOf(merged)?.phase).toMatchObject({
      trouble: { code: 'degraded', signals: ['checkout'] },
      countdown: { choice: 'roll-back' },
    });
  });

  it('somebody who may only deploy cannot decide, and is told who can', async () => {
    await press(town, DAN, merged.sha, 'decide:roll-back');
    await town.slack.waitFor(() => /Not done.*Ask one of: .*Cho/.test(toldTo(town, DAN)));
    await press(town, DAN, merged.sha, 'stop-countdown');
    expect(rolloutOf(merged)?.phase).toMatchObject({ is: 'deciding', countdown: { choice: 'roll-back' } });
  });

  it('Cho stops the countdown: it waits for as long as it takes', async () => {
    await press(town, CHO, merged.sha, 'stop-countdown');
    await town.slack.waitFor(() => decision(merged).includes('No countdown runs'));
    expect(rolloutOf(merged)?.phase).toMatchObject({ is: 'deciding', countdown: null });
    expect(messageWith(town, merged.sha, 'stop-countdown')).toBeNull();
  });

  it('Cho holds it for a hotfix, and rolls it back after all', async () => {
    await press(town, CHO, merged.sha, 'decide:hold');
    await town.record.waitForPhase(merged.sha, 'holding');
    await town.slack.waitFor(() => decision(merged).includes('Cho holds it'));
    await town.slack.waitFor(() => !messageWith(town, merged.sha, 'decide:continue'));
    const running = town.platform.runs('us');
    expect(running).toEqual(Array(4).fill(merged.digest));

    await press(town, CHO, merged.sha, 'decide:roll-back');
    await town.record.waitForPhase(merged.sha, 'rolled-back');
    for (const target of ['us', 'eu']) expect(town.platform.runs(target)).toEqual(Array(4).fill(town.initialDigest));
    expect(town.platform.complaints).toEqual([]);
  });
});

describe('D2 D9 whoever decides to go on says why', () => {
  it('Continue asks for a reason, records it, and goes on to the next wave', async () => {
    const merged = await goneBad();
    await press(town, CHO, merged.sha, 'decide:continue');
    const form = await town.slack.waitFor(() => town.slack.views(CHO).at(-1));
    expect(rolloutOf(merged)?.phase.is).toBe('deciding');
    town.platform.badInWaves.delete(merged.digest);
    await town.slack.submitView(CHO, form.id, { reason: 'The probe was wrong' });
    const rollout = await town.record.waitForPhase(merged.sha, 'succeeded');
    expect(rollout.steps.map(({ step, ended }) => `${step} ${ended}`)).toEqual([
      'all passed',
      'canary passed',
      'wave 1 continued',
      'wave 2 passed',
    ]);
    expect(town.platform.runs('eu')).toEqual(Array(4).fill(merged.digest));
    await town.slack.waitFor(() => decision(merged).includes('Decided: continue'));
  });
});

describe('D2 nobody decides', () => {
  it('the countdown ends, and what was touched goes back by itself', async () => {
    const hasty = await startTown({ decide: '2s' });
    try {
      const merged = await hasty.merge({ isBadInWaves: true });
      await press(hasty, BEN, merged.sha, 'approve');
      await hasty.record.waitForPhase(merged.sha, 'rolled-back');
      expect(hasty.platform.runs('us')).toEqual(Array(4).fill(hasty.initialDigest));
      await hasty.slack.waitFor(() => cardsOf(hasty, merged.sha)[0]?.text.includes('rolled back'));
    } finally {
      await hasty.stop();
    }
  });
});
