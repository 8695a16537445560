import { formatDuration } from '../../core/duration.ts';
import type { PlannedStage } from '../../core/plan.ts';
import type { Rollout, StepRecord } from '../../core/rollout.ts';
import { type Block, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { type Extra, positionOf, spoken } from './card.ts';
import { checkLines, checkWords } from './checks.ts';
import { code, escaped, shortVersion } from './escape.ts';
import { judgementBlocks, judgementOf } from './evidence.ts';
import { instanceLines } from './instances.ts';
import { counted } from './naming.ts';
import { pictureBlocks } from './picture.ts';
import { troubleSentence } from './trouble-words.ts';
import { type State, shareWords, stateOf, waitsFor } from './words.ts';

const ENDED: Record<StepRecord['ended'], State> = {
  passed: { emoji: ':white_check_mark:', word: 'passed' },
  degraded: { emoji: ':red_circle:', word: 'degraded' },
  failed: { emoji: ':x:', word: 'failed' },
  continued: { emoji: ':fast_forward:', word: 'continued by decision' },
  retried: { emoji: ':repeat:', word: 'retried by decision' },
};

/** One stage in the thread: each wave, what it waits for, each signal with before, now and limit. */
export function stageOf(rollout: Rollout, index: number, extra: Extra): Message {
  const stage = rollout.plan.stages[index];
  if (!stage) throw new Error(`The plan has no stage ${index}`);
  const at = positionOf(rollout);
  const isHere = 'at' in rollout.phase && at?.stage === index;
  const word = isHere ? stateOf(rollout.phase.is).word : stageWord(rollout, stage);
  const sign = isHere ? `${stateOf(rollout.phase.is).emoji} ` : '';
  const head = `${sign}*${escaped(stage.name, 60)}*: ${word}`;
  const blocks: Block[] = [section([head, ...stepLines(rollout, stage, index), ...begunLines(rollout, stage)])];
  if (isHere) blocks.push(...nowBlocks(rollout, extra.hosts));
  const instances = isHere || at?.stage === index ? instanceLines(rollout, targetsOf(stage)) : [];
  if (instances.length > 0) blocks.push(section(instances));
  const judgement = isHere || at?.stage === index ? judgementOf(rollout) : null;
  if (judgement) blocks.push(...judgementBlocks(rollout, judgement, extra.hosts));
  blocks.push(...pictureBlocks(extra.pictures?.[index] ?? []));
  return withinBudget({ text: `${spoken(rollout)} on ${escaped(stage.name, 60)}: ${word.toLowerCase()}.`, blocks });
}

function targetsOf(stage: PlannedStage): string[] {
  return [...new Set(stage.steps.flatMap((step) => step.targets))];
}

function stageWord(rollout: Rollout, stage: PlannedStage): string {
  if (rollout.kind === 'rollback') return stateOf(rollout.phase.is).word;
  const last = rollout.steps.findLast((one) => one.stage === stage.name);
  if (!last) return 'ended before its first step';
  const wasLastStep = last.step === stage.steps.at(-1)?.name;
  if (wasLastStep && (last.ended === 'passed' || last.ended === 'continued')) return 'Passed';
  return `Ended: ${stateOf(rollout.phase.is).word}`;
}

function stepLines(rollout: Rollout, stage: PlannedStage, index: number): string[] {
  if (rollout.kind === 'rollback') return [];
  return stage.steps.map((step, stepIndex) => {
    const what = step.kind === 'all' ? shareWords(step) : `${escaped(step.name, 60)} · ${shareWords(step)}`;
    const record = rollout.steps.findLast((one) => one.stage === stage.name && one.step === step.name);
    const { phase } = rollout;
    const isNow = 'at' in phase && phase.at.stage === index && phase.at.step === stepIndex;
    if (isNow) return `${stateOf(phase.is).emoji} *${what}* · now`;
    if (!record && isLeftOut(rollout, stage, index, stepIndex)) {
      return `:heavy_minus_sign: ${what} · left out, nothing ran there yet`;
    }
    if (!record) return `:white_large_square: ${what}`;
    const { emoji, word } = ENDED[record.ended];
    return `${emoji} ${what} · ${word} after ${formatDuration(record.endedAtMs - record.startedAtMs)}${checkWords(record.checks)}`;
  });
}

/** Steps that somebody had begin though too little would serve, as long as the stage is shown. */
function begunLines(rollout: Rollout, stage: PlannedStage): string[] {
  return rollout.begunShort
    .filter((one) => one.stage === stage.name)
    .map(({ step, by, because }) => {
      const who = `${escaped(by, 60)} decided so (${escaped(because, 200)})`;
      return `:warning: ${escaped(step, 60)} did not wait for capacity: ${who}`;
    });
}

/** It has no record, and a later step of the stage has begun. */
function isLeftOut({ phase, steps }: Rollout, stage: PlannedStage, index: number, stepIndex: number): boolean {
  const isHereLater = 'at' in phase && phase.at.stage === index && phase.at.step > stepIndex;
  const later = stage.steps.slice(stepIndex + 1).map((step) => step.name);
  return isHereLater || steps.some((one) => one.stage === stage.name && later.includes(one.step));
}

function nowBlocks(rollout: Rollout, hosts: string[]): Block[] {
  const { phase } = rollout;
  const lines: string[] = [];
  const waits = waitsFor(rollout);
  if (waits && phase.is !== 'baking') lines.push(`Waits for ${waits}.`);
  if (phase.is === 'verifying') {
    for (const trouble of Object.values(phase.problems)) lines.push(`• ${troubleSentence(trouble)}`);
  }
  if (phase.is === 'baking') {
    lines.push(
      `Watched for ${formatDuration(phase.observedMs)} of ${formatDuration(phase.forMs)}, ${counted(phase.round, 'look')}.`,
    );
  }
  lines.push(...checkLines(rollout, hosts));
  for (const { id, target, by, because } of rollout.without.slice(0, 20)) {
    lines.push(
      `:heavy_minus_sign: Without ${code(id, 60)} of ${code(target, 60)}: ${escaped(by, 60)} decided so (${escaped(because, 200)})`,
    );
  }
  if (phase.is === 'rolling-back') {
    for (const { target, artifact } of phase.to) {
      lines.push(`• ${code(target)} goes back to ${code(shortVersion(artifact))}`);
    }
  }
  return lines.length > 0 ? [section(lines)] : [];
}
