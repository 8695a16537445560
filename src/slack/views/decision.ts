import { type Past, ranBefore } from '../../core/past.ts';
import type { Position } from '../../core/plan.ts';
import type { Rollout } from '../../core/rollout.ts';
import { touchedIn } from '../../core/step.ts';
import { actions, type Block, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { decisionButtons } from './buttons.ts';
import { type Extra, headline, spoken, whyLine } from './card.ts';
import { code, escaped, shortSha, shortVersion, time, versionOf } from './escape.ts';
import { judgementBlocks } from './evidence.ts';
import { counted, names } from './naming.ts';
import { changeLine, commitLink } from './release.ts';
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
  blocks.push(...backBlocks(rollout, phase.at, extra.past ?? []));
  blocks.push(actions(`decision:${rollout.generation}`, decisionButtons(rollout)));
  return withinBudget({
    text: `${spoken(rollout)} ${phase.is === 'holding' ? 'is on hold' : 'needs a decision'} at ${where}: ${troubleSentence(phase.trouble).replaceAll('`', '')}.`,
    blocks,
  });
}

/** How many commits are named; the rest is counted. */
const MOST_SUSPECTS = 8;

/** What a rollback would put back, how old that is, and what else it would undo: one of these commits did the harm. */
function backBlocks(rollout: Rollout, at: Position, past: Past[]): Block[] {
  const touched = touchedIn(rollout, at);
  if (touched.length === 0) return [section('Nothing of this stage was touched yet, so a rollback changes nothing.')];
  const known = ranBefore(rollout, at);
  const lines = known.map(({ artifact, targets }) => {
    const recorded = past.find((one) => one.artifact.digest === artifact.digest);
    const age = recorded
      ? `, ${recorded.goodAtMs === null ? 'never found healthy by Belay' : `last found healthy ${time(recorded.goodAtMs)}`}`
      : '';
    return `:leftwards_arrow_with_hook: ${names(targets)} would go back to ${code(shortVersion(artifact))}${age}`;
  });
  const lost = touched.filter((target) => !known.some((one) => one.targets.includes(target)));
  if (lost.length > 0)
    lines.push(
      `:leftwards_arrow_with_hook: ${names(lost)} ${lost.length === 1 ? 'has' : 'have'} nothing to go back to`,
    );
  if (rollout.release.isRollForwardOnly) lines.push(':warning: This release was marked as unsafe to roll back.');
  return [section(lines), ...past.map((one) => section(suspectLines(one)))];
}

function suspectLines({ artifact, since }: Past): string[] {
  const version = code(shortVersion(artifact));
  if (since === null) return [`What was merged after ${version} is not known: Belay has no record of that version.`];
  if (since.length === 0) return [`Nothing was merged after ${version}.`];
  const shown = since.slice(0, MOST_SUSPECTS).map((one) => `• ${code(shortSha(one.sha))} ${commitLink(one)}`);
  const more = since.length > shown.length ? [`• and ${since.length - shown.length} more`] : [];
  const what = `*Merged after* ${version}: ${counted(since.length, 'commit')}. Suspect, and undone by a rollback:`;
  return [what, ...shown, ...more];
}
