import { formatDuration } from '../../core/duration.ts';
import type { Judgement } from '../../core/judge/verdict.ts';
import type { PlannedStage } from '../../core/plan.ts';
import type { Rollout, StepRecord } from '../../core/rollout.ts';
import { type Block, context, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { type Extra, positionOf, spoken } from './card.ts';
import { code, escaped, hostOf, link, shortVersion, time } from './escape.ts';
import { names, signalLine, stateOf, troubleSentence, waitsFor } from './words.ts';

const ENDED: Record<StepRecord['ended'], string> = {
  passed: ':white_check_mark: passed',
  degraded: ':red_circle: degraded',
  failed: ':x: failed',
  continued: ':arrow_forward: continued by decision',
  retried: ':repeat: retried by decision',
};

/** One stage in the thread: each wave, what it waits for, each signal with before, now and limit. */
export function stageOf(rollout: Rollout, index: number, extra: Extra): Message {
  const stage = rollout.plan.stages[index];
  if (!stage) throw new Error(`The plan has no stage ${index}`);
  const at = positionOf(rollout);
  const isHere = 'at' in rollout.phase && at?.stage === index;
  const word = isHere ? stateOf(rollout.phase.is).word : stageWord(rollout, stage);
  const blocks: Block[] = [section([`*${escaped(stage.name, 60)}*: ${word}`, ...stepLines(rollout, stage, index)])];
  if (isHere) blocks.push(...nowBlocks(rollout));
  const judgement = isHere || at?.stage === index ? judgementOf(rollout) : null;
  if (judgement) blocks.push(...judgementBlocks(judgement, [...extra.hosts, ...hostOf(rollout.release.url)]));
  return withinBudget({ text: `${spoken(rollout)} on ${escaped(stage.name, 60)}: ${word.toLowerCase()}.`, blocks });
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
    const share = `${Math.round(step.share * 1000) / 10} % of ${names(step.targets)}`;
    const record = rollout.steps.findLast((one) => one.stage === stage.name && one.step === step.name);
    const { phase } = rollout;
    const isNow = 'at' in phase && phase.at.stage === index && phase.at.step === stepIndex;
    if (isNow) return `◧ *${escaped(step.name, 60)}* ${share}: ${stateOf(phase.is).word.toLowerCase()}`;
    if (!record) return `□ ${escaped(step.name, 60)} ${share}`;
    const took = formatDuration(record.endedAtMs - record.startedAtMs);
    return `■ ${escaped(step.name, 60)} ${share}: ${ENDED[record.ended]} after ${took}`;
  });
}

function nowBlocks(rollout: Rollout): Block[] {
  const { phase } = rollout;
  const lines: string[] = [];
  const waits = waitsFor(rollout);
  if (waits) lines.push(`Waits for ${waits}.`);
  if (phase.is === 'verifying') {
    for (const trouble of Object.values(phase.problems)) lines.push(`• ${troubleSentence(trouble)}`);
  }
  if (phase.is === 'baking') {
    const step = rollout.plan.stages[phase.at.stage]?.steps[phase.at.step];
    const total = step ? formatDuration(step.bake.forMs) : '?';
    lines.push(`Watched for ${formatDuration(phase.observedMs)} of ${total}, ${phase.round} looks.`);
  }
  if (phase.is === 'rolling-back') {
    for (const { target, artifact } of phase.to) {
      lines.push(`• ${code(target)} goes back to ${code(shortVersion(artifact))}`);
    }
  }
  return lines.length > 0 ? [section(lines)] : [];
}

/** The newest judgement that the phase carries. */
export function judgementOf(rollout: Rollout): Judgement | null {
  return 'judgement' in rollout.phase ? rollout.phase.judgement : null;
}

/** Each signal explained, worst first, so that what is left out for length is what matters least. */
export function judgementBlocks(judgement: Judgement, hosts: string[]): Block[] {
  const order = { degraded: 0, error: 1, inconclusive: 2, healthy: 3 };
  const signals = [...judgement.signals].sort((a, b) => order[a.verdict] - order[b.verdict]);
  const score = judgement.score === null ? '' : `, score ${Math.round(judgement.score)}`;
  return [
    section(signals.map((one) => signalLine(one, link(one.link, one.signal, hosts)))),
    context(`Judged *${judgement.verdict}*${score} ${time(judgement.atMs)}`),
  ];
}
