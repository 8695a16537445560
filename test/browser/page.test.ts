import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUTO_PACE } from '../../sandbox/belay/config.ts';
import { ANA, BEN } from '../../sandbox/slack/people.ts';
import { startWorld, type World } from '../../sandbox/world.ts';
import { type Browser, findChromium, openChromium } from './chromium.ts';
import { type WorkspacePage, workspacePage } from './workspace-page.ts';

const CHROMIUM = findChromium();
const NEEDS = CHROMIUM === null ? ' (skipped: no Chromium is installed)' : '';
const STEP_WITHIN_MS = 120_000;
const TEST_WITHIN_MS = 400_000;

/**
 * Goal: what a person does in Slack works, from the merge to the way back, with the real program behind a real browser.
 * Method: only what can be seen is read, and only what can be clicked or typed in is used; each wait is for something
 * to be seen.
 */
describe.skipIf(CHROMIUM === null)(`C1 X1 the demo in a browser${NEEDS}`, () => {
  let world: World;
  let browser: Browser;
  let page: Page;
  let slack: WorkspacePage;

  beforeAll(async () => {
    world = await startWorld({ pace: AUTO_PACE });
    browser = await openChromium(CHROMIUM ?? '', { width: 1500, height: 950 });
    page = browser.page;
    page.setDefaultTimeout(STEP_WITHIN_MS);
    slack = workspacePage(page, world.slack.url);
  }, TEST_WITHIN_MS);

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await world?.stop();
  }, TEST_WITHIN_MS);

  it(
    'R1 G1 a merge by its button becomes a card that changes, waits for Ben’s click, and ends in production',
    async () => {
      await slack.actAs(ANA);
      await slack.merge('A good one');
      const card = slack.card('Show the delivery date');
      await card.filter({ hasText: 'Waiting for approval' }).waitFor();

      await slack.openThread(card);
      const question = slack.reply('Approve for production?');
      await slack.click(question, 'Approve');
      await slack.answer(/Not done.*role approver.*Ask one of: Ben, Cho/).waitFor();
      expect(await card.innerText()).toContain('Waiting for approval');

      await slack.switchTo(BEN);
      await slack.click(question, 'Approve');
      await card.filter({ hasText: /Done.*production done/s }).waitFor();
      await slack.reply('Approved: Ben').waitFor();
      expect(await card.getByRole('button').count(), 'a rollout that has ended has no buttons').toBe(0);

      const merged = world.record.rollouts().at(-1);
      for (const target of ['eu', 'us']) {
        expect(new Set(await world.runs(target))).toEqual(new Set([merged?.artifact?.digest]));
      }
    },
    TEST_WITHIN_MS,
  );

  it(
    'X2 X6 a command that is typed is answered to its author only, and /deploy alone opens a form',
    async () => {
      await slack.actAs(ANA);
      await slack.write('/deploy plan shop');
      const plan = slack.answer('Plan');
      await plan.waitFor();
      expect(await plan.innerText()).toMatch(/1 approval\b/);

      await slack.write('/deploy');
      await slack.modal.getByRole('button', { name: 'Show the plan' }).click();
      await slack.modal.waitFor({ state: 'detached' });
      await slack.answer('Deploy').waitFor();

      await slack.switchTo(BEN);
      await slack.card('Show the delivery date').waitFor();
      expect(await slack.answer('Plan').count(), 'nobody else sees it').toBe(0);
    },
    TEST_WITHIN_MS,
  );

  it(
    'D1 a release that throws errors in production is taken back, and its card says by what',
    async () => {
      await slack.actAs(BEN);
      await slack.merge('throws errors');
      const card = slack.card('Take payments');
      await slack.click(card.filter({ hasText: 'Waiting for approval' }), 'Approve');
      await card.filter({ hasText: 'Rolled back' }).waitFor();
      expect(await card.innerText()).toMatch(/health got worse: errors/);
      expect(await card.innerText()).toMatch(/errors degraded: now \d/);
    },
    TEST_WITHIN_MS,
  );

  it('does all of it without an error on the page', () => {
    expect(browser.errors).toEqual([]);
  });
});
