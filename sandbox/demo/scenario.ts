import { isOver, type Rollout } from '../../src/core/rollout.ts';
import { figure } from '../../src/slack/views/naming.ts';
import { troubleSentence } from '../../src/slack/views/trouble-words.ts';
import type { Merged } from '../releases.ts';
import { CHO, SHOP } from '../slack/people.ts';
import type { World } from '../world.ts';
import { acknowledged, approve, has, inSlack, merge, type Say } from './acts.ts';
import type { Scenario } from './scenarios.ts';

/** Longer than any scenario is watched. */
const END_WITHIN_MS = 300_000;

/**
 * One release as people would ship it, watched until it has ended as the policy says. Prints how much of the fleet it
 * reached, what it cost the users, and how quickly it was taken back. Rejects when it ended otherwise.
 */
export async function playScenario(world: World, scenario: Scenario, say: Say): Promise<void> {
  say(`Scenario ${scenario.name}: a release that ${scenario.does}`);
  const before = failures(world);
  const merged = await merge(world, say, scenario.kind);
  await world.waitForPhase(merged.sha, 'gated');
  say('  staging is healthy');
  await approve(world, say, merged);
  const rollout = await untilOver(world, merged, scenario, say);

  const trouble = 'trouble' in rollout.phase ? rollout.phase.trouble : null;
  say(`  It ended: ${rollout.phase.is}${trouble ? `, because ${troubleSentence(trouble).replaceAll('`', '')}` : ''}`);
  for (const line of report(world, merged, rollout, before)) say(`  ${line}`);
  const wrong = whatIsWrong(rollout, scenario);
  if (wrong) throw new Error(`Scenario ${scenario.name}: ${wrong}`);
}

/** Tells each step as it begins, and does what the person on call would do when asked. */
async function untilOver(world: World, { sha }: Merged, scenario: Scenario, say: Say): Promise<Rollout> {
  let told = '';
  let isDecided = false;
  const tell = (rollout: Rollout): boolean => {
    const { phase, plan } = rollout;
    const step = 'at' in phase ? plan.stages[phase.at.stage]?.steps[phase.at.step] : undefined;
    const now = step ? `${step.name} (${step.targets.join(', ')}): ${phase.is}` : phase.is;
    if (now !== told && ['baking', 'deciding', 'rolling-back'].includes(phase.is)) say(`  ${now}`);
    told = now;
    return isOver(rollout) || (phase.is === 'deciding' && !isDecided);
  };
  for (;;) {
    const rollout = await world.record.waitFor((one) => one.release.sha === sha && tell(one), 'its end', END_WITHIN_MS);
    if (isOver(rollout)) return rollout;
    if (!scenario.decides) throw new Error(`Somebody is asked: ${JSON.stringify(rollout.phase)}`);
    await decide(world, scenario.decides, say);
    isDecided = true;
  }
}

async function decide(world: World, { choice, because }: NonNullable<Scenario['decides']>, say: Say): Promise<void> {
  const { slack } = world;
  const id = `decide:${choice}`;
  const card = await inSlack(
    slack.waitFor(() => slack.messages(SHOP).findLast(has(id))),
    `a card with the button ${id}`,
  );
  say(`  Slack asks: "${card.text}"`);
  acknowledged(await slack.click(CHO, { channel: card.channel, ts: card.ts }, id));
  const view = await inSlack(
    slack.waitFor(() => slack.views(CHO).at(-1)),
    'the modal that asks for a reason',
  );
  acknowledged(await slack.submitView(CHO, view.id, { reason: because }));
  say(`Cho chooses ${choice}: "${because}"`);
}

function report(world: World, { digest }: Merged, rollout: Rollout, before: number): string[] {
  const reach = Object.entries(world.fleet.reachOf(digest)).filter(([target]) => target !== 'staging');
  const touched = reach.reduce((sum, [, one]) => sum + one.instances, 0);
  const all = reach.reduce((sum, [, one]) => sum + one.of, 0);
  const requests = reach.reduce((sum, [, one]) => sum + one.requests, 0);
  const failed = reach.reduce((sum, [, one]) => sum + one.failed, 0);
  const lines = [
    `touched: ${touched} of ${all} instances of production (${Math.round((100 * touched) / Math.max(1, all))} %)`,
    `failed requests: ${failed} of the ${requests} that it answered, ${failures(world) - before} in all`,
  ];
  const { phase } = rollout;
  if (phase.is === 'rolled-back' && phase.judgement) {
    const seconds = (phase.atMs - phase.judgement.atMs) / 1000;
    lines.push(`from the breach to the end of the rollback: ${seconds.toFixed(1)} s`);
    for (const one of phase.judgement.signals.filter((signal) => signal.verdict === 'degraded')) {
      const whose = one.neighbour ? ` of ${one.neighbour.service}` : '';
      const held = one.before === null ? `baseline ${number(one.baseline)}` : `before ${number(one.before)}`;
      const unit = one.unit ? ` ${one.unit}` : '';
      lines.push(`seen in ${one.signal}${whose}: now ${number(one.now)}${unit}, ${held}${unit}, limit ${one.limit}`);
    }
  }
  return lines;
}

function number(value: number | null): string {
  return value === null ? 'not measured' : figure(value);
}

function whatIsWrong(rollout: Rollout, { ends, foundBy, wrong }: Scenario): string | null {
  if (rollout.phase.is !== ends) return `it should have ended ${ends}`;
  const trouble = 'trouble' in rollout.phase ? rollout.phase.trouble : null;
  const found = trouble?.code === 'degraded' ? trouble.signals : [];
  if (foundBy && !found.some((one) => foundBy.includes(one))) {
    return `it should have been found by ${foundBy.join(' or ')}, and was by ${found.join() || 'none'}`;
  }
  return wrong(rollout);
}

function failures(world: World): number {
  return Object.values(world.fleet.stats()).reduce((sum, one) => sum + one.failed, 0);
}
