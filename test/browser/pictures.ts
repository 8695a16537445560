/**
 * `npm run pictures`: plays a release, a bad one and a dangerous one in the sandbox, then one in three regions that does not
 * start everywhere, and takes the pictures of `docs/pictures` from its page, so that they show what the program really
 * draws. It needs an installed Chromium, and fonts with emoji: on Debian, `apt install chromium fonts-noto-core
 * fonts-noto-color-emoji`.
 */
import { stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Locator, Page } from 'playwright-core';
import { AUTO_PACE } from '../../sandbox/belay/config.ts';
import { threeRegions } from '../../sandbox/belay/three-regions.ts';
import { SCENARIOS } from '../../sandbox/demo/scenarios.ts';
import { ANA, BEN, CHO } from '../../sandbox/slack/people.ts';
import { startWorld, type World } from '../../sandbox/world.ts';
import { renderChart } from '../../src/chart/render.ts';
import { aChart } from '../chart/picture.ts';
import { findChromium, openChromium } from './chromium.ts';
import { type WorkspacePage, workspacePage } from './workspace-page.ts';

const FOLDER = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
/** Long enough for a busy machine. */
const STEP_WITHIN_MS = 180_000;
/** As long as everything that a picture needs takes to be drawn, and no longer. */
const PACE = { bake: '5s', canaryBake: '5s', decide: '15m' };
/** Wide enough that lines break as they do in Slack on a laptop. */
const WINDOW = { width: 1500, height: 950 };
/** So high that nothing of a long message is out of sight. */
const HIGH = { ...WINDOW, height: 1700 };
/** As many device pixels for one of the page, so that the text is sharp on good screens. */
const SHARP = 2;

type Look = Parameters<Locator['screenshot']>[0] & object;

process.exitCode = await main();

async function main(): Promise<number> {
  await writeFile(`${FOLDER}signal.png`, await renderChart(aChart()));
  const chromium = findChromium();
  if (chromium === null) {
    console.error('There is no Chromium on this machine. On Debian: apt install chromium');
    return 1;
  }
  await using ended = new AsyncDisposableStack();
  const browser = ended.use(await openChromium(chromium, { ...WINDOW, scale: SHARP }));
  const { page } = browser;
  page.setDefaultTimeout(STEP_WITHIN_MS);
  await playTwoRegions(page);
  await playThreeRegions(page);
  if (browser.errors.length > 0) throw new Error(`The page had errors: ${browser.errors.join('; ')}`);
  return 0;
}

async function playTwoRegions(page: Page): Promise<void> {
  await using ended = new AsyncDisposableStack();
  const world = await startWorld({ pace: PACE });
  ended.defer(() => world.stop());
  // A page that is open when its workspace ends has errors.
  ended.defer(() => leave(page));
  const slack = workspacePage(page, world.slack.url);
  await playGood(world, slack);
  await askThings(page, slack);
  await playRolledBack(world, page, slack);
  await playDecision(world, page, slack);
}

/** The plan of three regions with different traffic, and a release that one instance does not run. */
async function playThreeRegions(page: Page): Promise<void> {
  const story = SCENARIOS.find((one) => one.name === 'eighth-server');
  if (!story) throw new Error('There is no scenario eighth-server');
  await using ended = new AsyncDisposableStack();
  const world = await startWorld({
    pace: AUTO_PACE,
    fleet: story.fleet,
    configure: (files) => threeRegions(files, story.pace),
  });
  ended.defer(() => world.stop());
  // A page that is open when its workspace ends has errors.
  ended.defer(() => leave(page));
  const slack = workspacePage(page, world.slack.url);
  await page.setViewportSize(HIGH);
  const { sha } = await world.merge(story.kind);
  await world.waitForPhase(sha, 'gated', STEP_WITHIN_MS);
  await slack.actAs(ANA);
  await slack.write('/deploy plan shop');
  await take(slack.answer('Plan'), 'plan');
  await approve(world, slack, sha);
  await world.waitForPhase(sha, 'deciding', STEP_WITHIN_MS);
  await take(slack.reply('Decide:'), 'partial');
}

async function playGood(world: World, slack: WorkspacePage): Promise<void> {
  await slack.actAs(BEN);
  const { sha } = await world.merge('good');
  await approve(world, slack, sha, 'approval');
  await untilStep(world, sha, 'wave 1');
  const card = slack.card('Watching health');
  await card.waitFor();
  await take(card, 'card');
  await take(slack.reply(/production: Watching health/), 'stage');
  await world.waitForPhase(sha, 'succeeded', STEP_WITHIN_MS);
}

async function askThings(page: Page, slack: WorkspacePage): Promise<void> {
  await slack.actAs(ANA);
  await slack.write('/belay help');
  await take(slack.answer('What you can say'), 'help');
  await slack.write('/deploy');
  await slack.modal.getByText('Show the plan').waitFor();
  // Its round corners show nothing of the page behind.
  await save(slack.modal, 'modal', { style: '.shade { background: #fff !important }' });
  await page.locator('#modal [data-close]').first().click();
}

/** Errors under production's load: the canary shows them, and goes back by itself. */
async function playRolledBack(world: World, page: Page, slack: WorkspacePage): Promise<void> {
  const { sha } = await world.merge('errors');
  await approve(world, slack, sha);
  await world.waitForPhase(sha, 'rolled-back', STEP_WITHIN_MS);
  await take(slack.card(/Rolled back.*ended after/s), 'rolled-back');
  const stage = slack.reply(/production: Ended/).filter({ has: page.locator('img') });
  await page.setViewportSize(HIGH);
  await take(stage, 'evidence');
  await page.setViewportSize(WINDOW);
}

/** Errors that begin when the canary is over: a wave degrades, and Cho is asked. */
async function playDecision(world: World, page: Page, slack: WorkspacePage): Promise<void> {
  const { sha, digest } = await world.merge('errors');
  world.fleet.setBehaviour(digest, 'good');
  await approve(world, slack, sha);
  await untilStep(world, sha, 'wave 1');
  world.fleet.setBehaviour(digest, 'errors');
  await world.waitForPhase(sha, 'deciding', STEP_WITHIN_MS);
  await take(slack.reply('Decide:'), 'decision');
  await slack.actAs(CHO);
  await slack.card('Needs a decision').waitFor();
  // At twice the pixels it would be a large file.
  await save(page, 'page', { scale: 'css' });
}

/** Opens the thread as Ben when the question is there, and answers it. */
async function approve(world: World, slack: WorkspacePage, sha: string, picture?: string): Promise<void> {
  await world.waitForPhase(sha, 'gated', STEP_WITHIN_MS);
  await slack.actAs(BEN);
  await slack.openThread(slack.card(sha.slice(0, 7)));
  const question = slack.reply('Approve for');
  await question.waitFor();
  if (picture) await take(question, picture);
  await slack.click(question, 'Approve');
}

/** Waits until this step of production is watched, with something measured. */
async function untilStep(world: World, sha: string, step: string): Promise<void> {
  await world.record.waitFor(
    ({ release, phase, plan }) =>
      release.sha === sha &&
      phase.is === 'baking' &&
      phase.judgement !== null &&
      plan.stages[phase.at.stage]?.steps[phase.at.step]?.name === step,
    `the step ${step}`,
    STEP_WITHIN_MS,
  );
}

async function leave(page: Page): Promise<void> {
  await page.goto('about:blank');
}

/** One message, cut to what it shows. */
async function take(what: Locator, name: string): Promise<void> {
  await what.waitFor();
  await what.page().mouse.move(0, 0);
  await save(what, name);
}

async function save(what: Page | Locator, name: string, how: Look = {}): Promise<void> {
  const path = `${FOLDER}${name}.png`;
  await drawn(what, { ...how, path, animations: 'disabled', caret: 'hide', timeout: 10_000 });
  const { size } = await stat(path);
  console.log(`${path}: ${Math.ceil(size / 1024)} KB`);
}

/** The page is drawn anew whenever something has changed: then the element that was looked at is gone, and there is another. */
async function drawn(what: Page | Locator, how: Look): Promise<void> {
  for (let tries = 5; ; tries -= 1) {
    try {
      await what.screenshot(how);
      return;
    } catch (error) {
      if (tries === 1) throw error;
    }
  }
}
