import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANA, BEN, CHO, SHOP } from '../../sandbox/slack/people.ts';
import type { Message } from '../../sandbox/slack/workspace.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { belay as cli } from '../cli/spawned.ts';
import { cardsOf, type Merged, press, startTown, type Town, toldTo } from './town.ts';

let town: Town;
/** What was shipped, oldest first. */
const shipped: Merged[] = [];
beforeAll(async () => {
  town = await startTown({ bake: '300ms' });
});
afterAll(() => town?.stop());
afterEach(() => {
  expect(town.platform.complaints, 'what the platform had to refuse').toEqual([]);
});

async function ship(): Promise<Merged> {
  const merged = await town.merge();
  await press(town, BEN, merged.sha, 'approve');
  await town.record.waitForPhase(merged.sha, 'succeeded');
  shipped.push(merged);
  return merged;
}

/** Types /rollback and settles with the question whether to do it. */
async function typed(user: string, text: string): Promise<Message> {
  const known = town.slack.ephemerals(user).length;
  await town.slack.slash(user, SHOP, '/rollback', text);
  return town.slack.waitFor(() => town.slack.ephemerals(user)[known]);
}

async function rollBack(user: string, text: string): Promise<void> {
  await town.slack.click(user, await typed(user, text), 'confirm-rollback');
}

const everywhere = (digest: string) => Array(8).fill(digest);
const production = () => [...town.platform.runs('us'), ...town.platform.runs('eu')];
const rollbacks = () => town.record.rollouts().filter((one) => one.kind === 'rollback');
const rolledBack = (count: number): Promise<Rollout> =>
  town.record.waitFor(
    (one) =>
      one.kind === 'rollback' &&
      one.phase.is === 'rolled-back' &&
      rollbacks().length === count &&
      one.id === rollbacks().at(-1)?.id,
    `rollback ${count} to have ended`,
  );

const host = (...args: string[]) => cli(['rollback', ...args, '--config', town.configPath], { env: town.env });

describe('D5 /rollback', () => {
  it('after a release has shipped: one confirmed click puts back the version before it, with the reason on the card', async () => {
    const first = await ship();
    await ship();
    await rollBack(ANA, 'shop because checkout fails');
    const rollout = await rolledBack(1);
    expect(production()).toEqual(everywhere(first.digest));
    expect(rollout.phase).toMatchObject({ trouble: { code: 'asked', by: 'Ana', because: 'checkout fails' } });
    await town.slack.waitFor(() =>
      JSON.stringify(cardsOf(town, first.sha)).includes('Ana asked for it: checkout fails'),
    );
  });

  it('without a reason nothing happens: it is asked for, and an empty one is refused', async () => {
    await town.slack.slash(ANA, SHOP, '/rollback', 'shop');
    const form = await town.slack.waitFor(() => town.slack.views(ANA).at(-1));
    const answer = await town.slack.submitView(ANA, form.id, { reason: '   ' });
    expect(JSON.stringify(answer.body)).toContain('errors');
    expect(rollbacks()).toHaveLength(1);
    await town.slack.closeView(ANA, form.id);
    const ran = await host('shop');
    expect(ran).toMatchObject({ code: 64, err: expect.stringContaining('A reason is missing') });
  });

  it('to a version that was never healthy here it is refused, in Slack and on the host', async () => {
    const stranger = `sha256:${'f'.repeat(64)}`;
    await rollBack(ANA, `shop to ${stranger} because it looks nice`);
    await town.slack.waitFor(() => toldTo(town, ANA).includes('was never healthy here'));
    const ran = await host('shop', '--to', stranger, '--because', 'it looks nice');
    expect(ran).toMatchObject({ code: 1, out: expect.not.stringContaining('accepted') });
    expect(rollbacks()).toHaveLength(1);
  });

  it('to a chosen version that was: any of them, not only the last', async () => {
    await rollBack(CHO, `shop to ${town.initialDigest} because we start over`);
    await rolledBack(2);
    expect(production()).toEqual(everywhere(town.initialDigest));
  });

  it('while the canary is watched: the release takes itself back', async () => {
    const { sha } = await town.merge();
    // Health cannot be measured for a while: it is watched for as long as this test needs.
    town.platform.isProbeDown = true;
    await press(town, BEN, sha, 'approve');
    await town.record.waitFor(
      ({ release, phase, touched }) => release.sha === sha && phase.is === 'baking' && touched.includes('us'),
      'the canary to be watched',
    );
    const answer = await host('shop', '--because', 'the graph looks odd');
    expect(answer).toMatchObject({ code: 0, out: expect.stringContaining('The running Belay does it now') });
    const { phase } = await town.record.waitForPhase(sha, 'rolled-back');
    town.platform.isProbeDown = false;
    expect(phase).toMatchObject({ trouble: { code: 'asked', because: 'the graph looks odd' } });
    expect(production()).toEqual(everywhere(town.initialDigest));
  });

  it('while a release waits for approval: it takes the lane at once', async () => {
    const running = await ship();
    const waiting = await town.merge();
    await town.record.waitForPhase(waiting.sha, 'gated');
    const count = rollbacks().length;
    await rollBack(ANA, 'shop because what runs is bad');
    await rolledBack(count + 1);
    expect(production()).not.toContain(running.digest);
    expect(town.record.rollout(waiting.sha)?.phase.is).toBe('aborted');
  });
});

describe('T10 D5 nothing outside is in its way', () => {
  it('neither GitHub nor Slack answers: the host’s command makes the running Belay do it', async () => {
    const running = await ship();
    const count = rollbacks().length;
    town.github.failApi({ status: 503, count: 10_000 });
    town.slack.faults.add({ kind: 'outage' });
    const ran = await host('shop', '--because', 'all is red');
    expect(ran).toMatchObject({ code: 0, err: '' });
    await rolledBack(count + 1);
    expect(production()).not.toContain(running.digest);
  });

  it('no Belay runs, either: the command does it itself, reads every instance back, and the next start tells Slack', async () => {
    await town.belay.kill('SIGKILL');
    const before = production()[0] ?? '';
    const count = rollbacks().length;
    const ran = await host('shop', '--to', shipped[0]?.digest ?? '', '--because', 'all is still red');
    expect(ran).toMatchObject({ code: 0, out: expect.stringContaining('every instance was read back') });
    expect(production()).toEqual(everywhere(shipped[0]?.digest ?? ''));
    expect(before).not.toBe(shipped[0]?.digest);
    const last = await rolledBack(count + 1);
    expect(last.request.by).toMatchObject({ kind: 'host' });

    town.slack.faults.clear();
    await town.belay.start();
    await town.slack.waitFor(() =>
      town.slack.messages(SHOP).some((one) => JSON.stringify(one.blocks).includes('all is still red')),
    );
  });
});
