import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANA, BEN, CHO, EVE, MALLORY, SHOP } from '../../sandbox/slack/people.ts';
import type { Message } from '../../sandbox/slack/workspace.ts';
import { cardsOf, type Merged, messageWith, press, startTown, type Town, threadOf, toldTo } from './town.ts';

let town: Town;
let merged: Merged;
/** The question as people see it. */
let card: Message;
beforeAll(async () => {
  town = await startTown({ slackMode: 'http' });
});
afterAll(() => town?.stop());
afterEach(() => {
  expect(town.platform.complaints, 'what the platform had to refuse').toEqual([]);
  expect(town.slack.messages(SHOP).map((one) => one.user)).not.toContain('USLACKBOT');
});

async function ask(merge = town.merge): Promise<void> {
  town.slack.workspace.ephemerals.length = 0;
  merged = await merge();
  await town.record.waitForPhase(merged.sha, 'gated');
  card = await town.slack.waitFor(() => {
    const message = messageWith(town, merged.sha, 'approve');
    return message?.threadTs ? message : null;
  });
}

const rollout = () => {
  const found = town.record.rollout(merged.sha);
  if (!found) throw new Error('no rollout');
  return found;
};
const ended = () => town.record.waitForPhase(merged.sha, 'succeeded');
const production = () => [...town.platform.runs('us'), ...town.platform.runs('eu')];
const told = (user: string, words: RegExp) => town.slack.waitFor(() => words.test(toldTo(town, user)));

describe('G1 who may say yes', () => {
  beforeAll(() => ask());

  it('the author cannot approve, and is told who can', async () => {
    await town.slack.click(ANA, card, 'approve');
    await told(ANA, /Not done.*Ask one of: Ben, Cho/);
  });

  it('T15 neither a guest nor somebody of another company can', async () => {
    await town.slack.click(EVE, card, 'approve');
    await told(EVE, /Guests of this workspace cannot use Belay/);
    await town.slack.click(MALLORY, card, 'approve');
    await told(MALLORY, /People of another organisation cannot use Belay/);
  });

  it('T3 none of it changed anything, nor the card for the others', () => {
    expect(rollout()).toMatchObject({ phase: { is: 'gated' }, approvals: [] });
    expect(messageWith(town, merged.sha, 'approve')).toEqual(card);
    expect(production()).not.toContain(merged.digest);
  });

  it('T3 Ben and Cho click in the same instant: one of them did it, the other is told who was first', async () => {
    await Promise.all([town.slack.click(BEN, card, 'approve'), town.slack.click(CHO, card, 'approve')]);
    await ended();
    const [approval, ...others] = rollout().approvals;
    expect(others).toEqual([]);
    const loser = approval?.name === 'Ben' ? CHO : BEN;
    await told(loser, new RegExp(`${approval?.name} did it`));
    expect(production().every((digest) => digest === merged.digest)).toBe(true);
    expect(town.platform.changes.filter((one) => one.digest === merged.digest)).toHaveLength(5);
  });

  it('T3 the signed click, sent once more byte by byte, is nothing new', async () => {
    const before = town.record.rollouts();
    expect(await town.slack.repeatLast()).toMatchObject({ error: null });
    expect(town.record.rollouts()).toEqual(before);
  });
});

describe('G1 no is no', () => {
  beforeAll(() => ask());

  it('a rejection asks for its reason, ends the rollout, and nothing reaches production', async () => {
    const running = production();
    await town.slack.click(CHO, card, 'reject');
    const form = await town.slack.waitFor(() => town.slack.views(CHO).at(-1));
    await town.slack.submitView(CHO, form.id, { reason: 'Not before the <!channel> sale' });
    const { phase } = await town.record.waitForPhase(merged.sha, 'aborted');
    expect(phase).toMatchObject({
      trouble: { code: 'rejected', by: 'Cho', because: 'Not before the <!channel> sale' },
    });
    expect(production()).toEqual(running);
    await town.slack.waitFor(() => cardsOf(town, merged.sha)[0]?.text.includes('aborted'));
    const said = JSON.stringify([...cardsOf(town, merged.sha), ...threadOf(town, merged.sha)]);
    expect(said).toContain('Cho rejected it: Not before the &lt;!channel&gt; sale');
    expect(said, 'T20 foreign text mentions nobody').not.toContain('<!channel>');
  });

  it('T3 X1 a button that was still on somebody’s screen is refused, and the card has no buttons any more', async () => {
    await town.slack.click(BEN, card, 'approve');
    await told(BEN, /Cho did it/);
    expect(rollout().phase.is).toBe('aborted');
    await town.slack.waitFor(() => messageWith(town, merged.sha, 'approve') === null);
  });
});

describe('S3 a commit that nobody reviewed', () => {
  beforeAll(() => ask(town.push));

  it('needs one approval more, and says so', async () => {
    expect(JSON.stringify(card.blocks)).toContain('*0 of 2*');
    await town.slack.click(BEN, card, 'approve');
    await town.slack.waitFor(() => JSON.stringify(messageWith(town, merged.sha, 'approve')).includes('1 of 2'));
    expect(rollout().phase.is).toBe('gated');
  });

  it('T3 one person counts once', async () => {
    await press(town, BEN, merged.sha, 'approve');
    await told(BEN, /You approved this already/);
    expect(rollout()).toMatchObject({ phase: { is: 'gated' }, approvals: [{ name: 'Ben' }] });
  });

  it('ships with the second', async () => {
    await press(town, CHO, merged.sha, 'approve');
    await ended();
    expect(production().every((digest) => digest === merged.digest)).toBe(true);
  });
});
