import { choicesOf } from '../../core/choosing.ts';
import { isOver } from '../../core/rollout.ts';
import { actions, type Button, type Message, section } from '../views/block.ts';
import { addressOf, choiceButton, wayOutButton } from '../views/buttons.ts';
import { headline, spoken } from '../views/card.ts';
import { refusalOf } from '../views/refusal.ts';
import type { Asking } from './asking.ts';

/** The words that work in a rollout's thread only; each ends in the button that does it. */
export const THREAD_WORDS = ['retry', 'continue', 'hold', 'abort', 'approve', 'reject'] as const;

export type ThreadWord = (typeof THREAD_WORDS)[number];

export function isThreadWord(word: string): word is ThreadWord {
  return (THREAD_WORDS as readonly string[]).includes(word);
}

/** Text alone never approves and never changes production: it answers with the button. */
export function answerInThread(asking: Asking, word: ThreadWord): Message {
  const { rollout } = asking;
  if (word === 'approve' || word === 'reject') {
    return refusalOf(
      'Approvals and rejections are given with the buttons of the approval card, which name exactly what they are for.',
    );
  }
  if (!rollout) return refusalOf('Say this in the thread of a rollout, so that it is clear which one is meant.');
  if (isOver(rollout)) return refusalOf(`This rollout has already ended (${rollout.phase.is}).`);
  const button = buttonFor(rollout, word);
  if (!button) return refusalOf(`“${word}” cannot be chosen now.`);
  return {
    text: `Confirm for ${spoken(rollout)}.`,
    blocks: [section(`${headline(rollout)}: press to confirm.`), actions(`thread:${addressOf(rollout)}`, [button])],
  };
}

function buttonFor(
  rollout: NonNullable<Asking['rollout']>,
  word: Exclude<ThreadWord, 'approve' | 'reject'>,
): Button | null {
  if (word === 'abort') return wayOutButton(rollout);
  return choicesOf(rollout.phase).includes(word) ? choiceButton(rollout, word) : null;
}
