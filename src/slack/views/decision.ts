import { type Past, ranBefore } from '../../core/past.ts';
import type { Rollout } from '../../core/rollout.ts';
import { touchedIn } from '../../core/step.ts';
import { actions, type Block, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { decisionButtons } from './buttons.ts';
import { type Extra, headline, spoken, whyLine } from './card.ts';
import { code, escaped, shortVersion, time, versionOf } from './escape.ts';
import { judgementBlocks } from './evidence.ts';
import { changeLine } from './release.ts';
import { troubleSentence } from './trouble-words.ts';
import { choiceWords, stateOf } from './words.ts';

/** Evidence, consequences and choices of a step in trouble; afterwards what was decided, without buttons. */
export function decisionOf(rollout: Rollout, stageIndex: number, stepIndex: number, extra: Extra): Message {
  const stage = rollout.plan.stages[stageIndex];
  const step = stage?.steps[stepIndex];
  if (!stage || !step) throw new Error(`The plan has no step ${stageIndex}/${stepIndex}`);
  const { phase } = rollout;
  const where = `${escaped(stage.name, 60)}, ${escaped(step.name, 60)}`;

  const isOpen = phase.is === 'deciding' || phase.is === 'holding';
  if (!isOpen || phase.at.stage !== stageIndex || phase.at.step !== stepIndex) {
    const record = rollout.steps.findLast((one) => one.stage === stage.name && one.step === step.name);
    const decided =
      record?.ended === 'continued'
        ? ':arrow_forward: Decided: continue.'
        : record?.ended === 'retried'
          ? ':repeat: Decided: retry.'
          : record?.ended === 'passed'
            ? ':white_check_mark: It passed after all.'
            : `Now: ${stateOf(phase.is).word.toLowerCase()}. ${whyLine(rollout) ?? ''}`.trim();
    return withinBudget({
      text: `The decision on ${spoken(rollout)} at ${where} is closed.`,
      blocks: [section([`*Decision at ${where}* · ${headline(rollout)}`, decided])],
    });
  }

  const outlook =
    phase.is === 'holding'
      ? `On hold: ${whyLine(rollout) ?? ''}`
      : phase.countdown
        ? `:hourglass_flowing_sand: Without a decision: *${choiceWords(phase.countdown.choice).text.toLowerCase()}* ${time(phase.countdown.atMs)}.`
        : ':hourglass: No countdown runs: it waits until somebody decides.';
  const blocks: Block[] = [
    section([
      `${stateOf(phase.is).emoji} *${phase.is === 'holding' ? 'On hold' : 'Decide'}: ${where}* · ${code(`${rollout.service}@${versionOf(rollout)}`)}`,
      `It stands still because ${troubleSentence(phase.trouble)}.`,
      changeLine(rollout.release),
      outlook,
    ]),
  ];
  if (phase.judgement) {
    blocks.push(...judgementBlocks(rollout, phase.judgement, extra.hosts));
  }
  blocks.push(section(phase.choices.map((one) => `• *${choiceWords(one).text}* ${choiceWords(one).does}.`)));
  blocks.push(section(backLines(rollout, touchedIn(rollout, phase.at))));
  if (extra.past) blocks.push(section(pastLines(rollout, extra.past)));
  blocks.push(actions(`decision:${rollout.generation}`, decisionButtons(rollout)));
  return withinBudget({
    text: `${spoken(rollout)} ${phase.is === 'holding' ? 'is on hold' : 'needs a decision'} at ${where}: ${troubleSentence(phase.trouble).replaceAll('`', '')}.`,
    blocks,
  });
}

/** What a rollback would put back, target by target. */
function backLines(rollout: Rollout, touched: string[]): string[] {
  if (touched.length === 0) return ['Nothing of this stage was touched yet, so a rollback changes nothing.'];
  const lines = touched.map((target) => {
    const before = own(rollout.before, target) ?? null;
    return before
      ? `:leftwards_arrow_with_hook: ${code(target)} would go back to ${code(shortVersion(before))}`
      : `:leftwards_arrow_with_hook: ${code(target)} has nothing to go back to`;
  });
  if (rollout.release.isRollForwardOnly) lines.push(':warning: This release was marked as unsafe to roll back.');
  return lines;
}

/** How many commits are named; the rest is counted. */
const MOST_SUSPECTS = 8;

/** Who is under suspicion: what came with this release; and how old the last good version is. */
function pastLines(rollout: Rollout, past: Past): string[] {
  return ranBefore(rollout).flatMap((before) => {
    const version = code(shortVersion(before));
    const goodAtMs = own(past.goodAtMs, before.digest);
    const age =
      goodAtMs === undefined
        ? `${version} ran before; Belay never recorded it as healthy.`
        : `${version} ran before, and was last recorded as healthy ${time(goodAtMs)}.`;
    const since = own(past.since, before.sha);
    if (!since) return [age, 'What was merged since is not known: Belay did not record that version.'];
    if (since.length === 0) return [age, 'Belay recorded no commit that was merged since.'];
    const suspects = since.slice(0, MOST_SUSPECTS).map((one) => {
      const label = one.pullRequest ? `#${one.pullRequest.number} ${one.pullRequest.title}` : one.title;
      return `• ${code(shortVersion({ sha: one.sha, digest: null }))} ${escaped(label, 120)}`;
    });
    const more = since.length > MOST_SUSPECTS ? [`and ${since.length - MOST_SUSPECTS} more`] : [];
    return [age, '*Suspect commits*, merged since; a rollback undoes all of them:', ...suspects, ...more];
  });
}

/** A target may be called `toString`. */
function own<Value>(record: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
