import type { Merged } from '../releases.ts';
import { CHO, SHOP } from '../slack/people.ts';
import type { Message } from '../slack/workspace.ts';
import type { World } from '../world.ts';
import { acknowledged, approve, has, inSlack, merge, type Say, short } from './acts.ts';

const PRODUCTION = ['eu', 'us'];

/**
 * A good release, a bad one and a rollback, as people would do them. Rejects with what was wrong at the first checkpoint
 * where the fleet's own processes, its users or Slack say something else than they should.
 */
export async function play(world: World, say: Say): Promise<void> {
  const targets = world.fleet.state().targets.map((one) => one.target);
  await expectRuns(world, targets, world.initialDigest);
  say(
    `Everything runs: page ${world.slack.url}, Belay is process ${world.belay.pid}, the fleet serves on ${targets.join(', ')}`,
  );

  const good = await playGood(world, say);
  await playBad(world, say, good);
  await playRollback(world, say);

  const refused = world.slack.requests.all().find((one) => one.way === 'in' && isRefusal(one.answer));
  if (refused) throw new Error(`Slack refused ${refused.what}: ${JSON.stringify(refused.answer)}`);
}

async function playGood(world: World, say: Say): Promise<Merged> {
  const good = await merge(world, say, 'good');
  await world.waitForPhase(good.sha, 'gated');
  await expectRuns(world, ['staging'], good.digest);
  await expectRuns(world, PRODUCTION, world.initialDigest);
  say('  staging runs it on every instance and is healthy; production was not touched');
  await approve(world, say, good);

  await untilStep(world, good, 'canary');
  for (const target of PRODUCTION) await expectCanary(world, target, good.digest, world.initialDigest);
  say('  canary: one instance in eu and one in us run it, and are watched');
  await untilStep(world, good, 'wave 1');
  await expectRuns(world, ['us'], good.digest);
  await expectCanary(world, 'eu', good.digest, world.initialDigest);
  say('  wave 1: all of us runs it; eu still has its canary only');
  await world.waitForPhase(good.sha, 'succeeded');
  await expectRuns(world, PRODUCTION, good.digest);
  say('  wave 2: all of eu and us runs it');
  await slackSays(world, say, short(good), 'done');

  const seen = Object.values(world.fleet.stats());
  const failed = seen.reduce((sum, one) => sum + one.failed, 0);
  const requests = seen.reduce((sum, one) => sum + one.requests, 0);
  if (failed > 0) throw new Error(`${failed} of ${requests} requests of users failed during a good release`);
  if (requests === 0) throw new Error('There was no traffic');
  say(`  users: ${requests} requests, none failed`);
  return good;
}

async function playBad(world: World, say: Say, good: Merged): Promise<void> {
  const bad = await merge(world, say, 'errors');
  await world.waitForPhase(bad.sha, 'gated');
  say('  staging is healthy: the errors only show in production');
  await approve(world, say, bad);
  const { phase, steps } = await world.waitForPhase(bad.sha, 'rolled-back');
  const trouble = 'trouble' in phase ? phase.trouble : null;
  if (trouble?.code !== 'degraded' || !trouble.signals.includes('errors')) {
    throw new Error(`It was rolled back for another reason than its errors: ${JSON.stringify(trouble)}`);
  }
  const last = steps.at(-1);
  if (last?.step !== 'canary')
    throw new Error(`It got as far as ${last?.stage}/${last?.step}: further than the canary`);
  await expectRuns(world, PRODUCTION, good.digest);
  say('  the canary threw errors and was rolled back by itself: eu and us run the good release');
  await slackSays(world, say, short(bad), 'rolled back');
}

async function playRollback(world: World, say: Say): Promise<void> {
  const { slack } = world;
  acknowledged(await slack.slash(CHO, SHOP, '/rollback', 'shop because the basket is empty'));
  say('Cho types /rollback shop because the basket is empty');
  const id = 'confirm-rollback';
  const question = await inSlack(
    slack.waitFor(() => slack.ephemerals(CHO).findLast(has(id))),
    'the question whether to roll back',
  );
  acknowledged(await slack.click(CHO, { channel: question.channel, ts: question.ts }, id));
  say('Cho clicks Roll back');
  await world.record.waitFor(
    (one) => one.kind === 'rollback' && one.phase.is === 'rolled-back',
    'the rollback that Cho asked for',
  );
  await expectRuns(world, PRODUCTION, world.initialDigest);
  say('  eu and us run the version from before the good release');
  await slackSays(world, say, world.initialDigest.slice(7, 14), 'done');
}

/** Waits until this step of production was deployed and read back, and is watched. */
async function untilStep(world: World, { sha }: Merged, step: string): Promise<void> {
  await world.record.waitFor(
    ({ release, phase, plan }) =>
      release.sha === sha && phase.is === 'baking' && plan.stages[phase.at.stage]?.steps[phase.at.step]?.name === step,
    `the step ${step}`,
  );
}

/** Waits for a message to everybody (no card, which says so too) that a version has come to this end. */
async function slackSays(world: World, say: Say, version: string, end: string): Promise<void> {
  const { slack } = world;
  const isOfThis = ({ broadcast, text }: Message) => broadcast && text.includes(version) && text.includes(end);
  const found = slack.waitFor(() => slack.messages(SHOP).find(isOfThis));
  const { text } = await inSlack(found, `to everybody in #shop that ${version} is ${end}`);
  say(`  Slack says: "${text}"`);
}

async function expectRuns(world: World, targets: string[], digest: string): Promise<void> {
  for (const target of targets) {
    const found = await world.runs(target);
    if (found.length === 0 || found.some((one) => one !== digest)) {
      throw new Error(`Every instance of ${target} should run ${digest}; they say ${JSON.stringify(found)}`);
    }
  }
}

async function expectCanary(world: World, target: string, canary: string, rest: string): Promise<void> {
  const found = await world.runs(target);
  const count = (digest: string) => found.filter((one) => one === digest).length;
  if (count(canary) !== 1 || count(rest) !== found.length - 1) {
    throw new Error(
      `One instance of ${target} should run ${canary}, the others ${rest}; they say ${JSON.stringify(found)}`,
    );
  }
}

function isRefusal(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === false;
}
