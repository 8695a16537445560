import type { Rollout } from '../../core/rollout.ts';
import { actions, type Block, context, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { approvalButtons } from './buttons.ts';
import { approvalCount, type Extra, headline, spoken, whyLine } from './card.ts';
import { code, escaped, time, versionOf } from './escape.ts';
import { changeLine, checklistLines, sizeLine, warningLines } from './release.ts';

/** The question at a protected stage while it is open; afterwards what came of it, without buttons. */
export function approvalOf(rollout: Rollout, stageIndex: number, extra: Extra): Message {
  const stage = rollout.plan.stages[stageIndex];
  if (!stage) throw new Error(`The plan has no stage ${stageIndex}`);
  const { phase } = rollout;
  const isOpen = phase.is === 'gated' && phase.at.stage === stageIndex;
  const name = escaped(stage.name, 60);
  const { given, required, by } = approvalCount(rollout, stageIndex, isOpen ? extra.nowMs : 0);
  const approvers = by.length > 0 ? `: ${by.map((one) => escaped(one, 60)).join(', ')}` : '';
  const change = section([changeLine(rollout.release), sizeLine(rollout.release)]);

  if (!isOpen) {
    const outcome = outcomeOf(rollout, given >= required && required > 0, approvers);
    return withinBudget({
      text: `The approval of ${spoken(rollout)} for ${name} is closed.`,
      blocks: [section(`*Approval for ${name}* · ${headline(rollout)}`), change, section(outcome)],
    });
  }

  const blocks: Block[] = [
    section(
      `:raised_hand: *Approve for ${name}?* · ${code(`${rollout.service}@${versionOf(rollout)}`)} · *${given} of ${required}*${approvers}`,
    ),
    change,
    section(checklistLines(rollout.release)),
  ];
  const warnings = warningLines(rollout.release);
  if (phase.voided > 0) {
    warnings.push(`:warning: Earlier approvals (${phase.voided}) no longer count: what they were for has changed.`);
  }
  if (warnings.length > 0) blocks.push(section(warnings));
  const digest = rollout.artifact ? ` · artifact ${code(rollout.artifact.digest.slice(0, 19))}` : '';
  const expires = stage.approvals
    ? `Expires ${time(phase.sinceMs + stage.approvals.expireMs)}; superseded`
    : 'Superseded';
  blocks.push(
    context([
      `${expires} when a newer build passes. Whoever took part in the change cannot approve it.`,
      `Plan ${code(rollout.plan.hash.slice(0, 8))}${digest}`,
    ]),
    actions(`approval:${rollout.generation}`, approvalButtons(rollout)),
  );
  return withinBudget({
    text: `${spoken(rollout)} waits for approval for ${name}: ${given} of ${required} given.`,
    blocks,
  });
}

function outcomeOf(rollout: Rollout, isApproved: boolean, approvers: string): string {
  if (isApproved) return `:white_check_mark: Approved${approvers}.`;
  return whyLine(rollout) ?? `This approval is closed${approvers}.`;
}
