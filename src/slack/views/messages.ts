import { choicesOf } from '../../core/choosing.ts';
import { isOver, type Rollout } from '../../core/rollout.ts';
import { approvalOf } from './approval.ts';
import type { Message } from './block.ts';
import { cardOf, type Extra, positionOf } from './card.ts';
import { decisionOf } from './decision.ts';
import { stageOf } from './stage.ts';

/** One message that should be there now. */
export type Projected = Message & {
  /** Stable for the life of the rollout: the same key is the same message, edited. */
  key: string;
  parent: 'channel' | 'thread';
  /** Nothing more will be written to it. */
  isFinal: boolean;
  /** A question that is closed: it is edited where it was asked, and never asked for the first time. */
  isOnlyIfPosted: boolean;
};

/**
 * The projection of a rollout: everything that its channel and thread should show now, the card first. A question that
 * has been answered comes back without buttons, saying what happened.
 */
export function messagesOf(rollout: Rollout, extra: Extra): Projected[] {
  const isFinal = isOver(rollout);
  const messages: Projected[] = [
    { key: 'card', parent: 'channel', ...cardOf(rollout, extra), isFinal, isOnlyIfPosted: false },
  ];
  const at = positionOf(rollout);
  // All stages, also those that are not reached: a question may have been asked there before the rollout ended.
  for (const [index, stage] of rollout.plan.stages.entries()) {
    // A rollback is of one stage, the last of its plan.
    if (rollout.kind === 'rollback' && index < rollout.plan.stages.length - 1) continue;
    const isPast = isFinal || (at !== null && index < at.stage);
    const hasRun = rollout.steps.some((one) => one.stage === stage.name);
    const isShown = hasRun || ('at' in rollout.phase && index <= rollout.phase.at.stage);
    const isGated = rollout.phase.is === 'gated' && rollout.phase.at.stage === index;
    if ((stage.approvals?.required ?? 0) > 0) {
      const approval = approvalOf(rollout, index, extra);
      messages.push({
        key: `approval:${stage.name}`,
        parent: 'thread',
        ...approval,
        isFinal: isPast,
        isOnlyIfPosted: !isGated,
      });
    }
    const view = stageOf(rollout, index, extra);
    messages.push({ key: `stage:${stage.name}`, parent: 'thread', ...view, isFinal: isPast, isOnlyIfPosted: !isShown });
    for (const [stepIndex, step] of stage.steps.entries()) {
      const { phase } = rollout;
      const isOpen =
        choicesOf(phase).length > 0 && 'at' in phase && phase.at.stage === index && phase.at.step === stepIndex;
      const decision = decisionOf(rollout, index, stepIndex, extra);
      const key = `decision:${stage.name}/${step.name}`;
      messages.push({ key, parent: 'thread', ...decision, isFinal: isPast, isOnlyIfPosted: !isOpen });
    }
  }
  return messages;
}
