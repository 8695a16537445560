import { formatDuration } from '../../core/duration.ts';
import type { Plan } from '../../core/plan.ts';
import type { Release } from '../../core/release.ts';
import { actions, type Block, type Button, context, type Message, section, table } from './block.ts';
import { withinBudget } from './budget.ts';
import type { Extra } from './card.ts';
import { code, escaped, shortSha } from './escape.ts';
import { counted, listed } from './naming.ts';
import { planRows, stageNotes, unknownWords } from './plan-words.ts';
import { changeLine, checklistLines, nameOf, sizeLine, warningLines } from './release.ts';
import { etaWords } from './words.ts';

export type PlanView = {
  plan: Plan;
  release: Release;
  /** Display names, escaped, of those who may approve protected stages. */
  approvers: string[];
  /** What is in its way now (a rollout that moves, say); escaped sentences. */
  inTheWay: string[];
  extra: Extra;
  /** What was left out of the command and taken from the channel; escaped. */
  saidBack: string | null;
};

/** What would happen, before anything does. `buttons`: Confirm, when this is a question. */
export function planOf(view: PlanView, buttons: Button[] = []): Message {
  const { plan, release, extra } = view;
  const goal = plan.stages.at(-1)?.name ?? '?';
  const blocks: Block[] = [
    section([
      `:clipboard: *Plan* · ${code(`${plan.service}@${shortSha(release.sha)}`)} → ${code(goal)}`,
      ...(view.saidBack ? [view.saidBack] : []),
      changeLine(release),
      sizeLine(release),
      ...warningLines(release),
    ]),
    section(plan.stages.flatMap((stage, index) => stageLines(plan, stage, index))),
    table(planRows(plan)),
    section(checklistLines(release)),
  ];
  const facts: string[] = plan.outlook.unknown
    .slice(0, 8)
    .map((one) => `:grey_question: ${escaped(unknownWords(one), 400)}`);
  if (plan.stages.some((stage) => (stage.approvals?.required ?? 0) > 0)) {
    facts.push(`May approve, unless they took part: ${view.approvers.slice(0, 10).join(', ') || '*nobody*'}.`);
  }
  const signals = [...new Set(plan.stages.flatMap((stage) => stage.signals.map((one) => one.name)))];
  if (signals.length > 0) facts.push(`Health is judged by ${listed(signals)}.`);
  facts.push(`On call: ${nameOf(plan.onCall, extra.people)}.`);
  facts.push(...(view.inTheWay.length > 0 ? view.inTheWay : ['Nothing is in its way now.']));
  if (extra.eta) facts.push(`Usually takes ${etaWords(extra.eta)}.`);
  blocks.push(section(facts));
  blocks.push(
    context(`Commit ${code(release.sha, 40)} · plan ${code(plan.hash.slice(0, 8))} · approvals are for exactly this`),
  );
  if (buttons.length > 0) blocks.push(actions('plan', buttons));
  return withinBudget({
    text: `The plan of ${escaped(plan.service)} ${shortSha(release.sha)} to ${escaped(goal, 60)}, in ${counted(plan.stages.length, 'stage')}.`,
    blocks,
  });
}

function stageLines(plan: Plan, stage: Plan['stages'][number], index: number): string[] {
  const outlook = plan.outlook.stages[index]?.steps ?? [];
  const bakeMs = outlook.reduce((sum, step) => sum + step.bakeMs, 0);
  const needs = stage.approvals ? ` after *${counted(stage.approvals.required, 'approval')}*` : '';
  const watched =
    stage.signals.length > 0 ? `watched for at least ${formatDuration(bakeMs)}` : 'not watched by any signal';
  const checks = stage.checks.length > 0 ? ` · must pass ${listed(stage.checks.map((one) => one.name))}` : '';
  const short = outlook.flatMap((step) => step.capacity).some((one) => one.servingDuring < one.needed);
  return [
    `${index + 1}. *${escaped(stage.name, 60)}*${needs}: ${counted(stage.steps.length, 'step')}${checks} · ${watched}`,
    ...stageNotes(stage, outlook).map((note) => `    ◦ ${escaped(note, 400)}`),
    ...(short ? ['    :warning: As things are now, too few would serve during a step: it would wait.'] : []),
  ];
}
