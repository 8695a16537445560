import type { Announcement } from '../../core/effect.ts';
import type { Phase, Rollout } from '../../core/rollout.ts';
import { type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { headline, spoken, whyLine } from './card.ts';
import { stateOf, waitsFor } from './words.ts';

/**
 * The three things worth everybody's attention: it waits for you, it failed, it finished. `phase` is the one that is
 * told of, which may be over by now: what happened stays true. No buttons: those are on the card.
 */
export function announcementOf(rollout: Rollout, what: Announcement, phase: Phase): Message {
  const then: Rollout = { ...rollout, phase };
  const state = stateOf(phase.is);
  const why = whyLine(then) ?? '';
  const waits = waitsFor(then) ?? 'nothing any more';
  // That a rollback rolls back is what was asked of it.
  const isWished = rollout.kind === 'rollback' && (phase.is === 'rolling-back' || phase.is === 'rolled-back');
  const lines: Record<Announcement, string> = {
    waiting: `${state.emoji} *${state.word}* · ${headline(rollout)}. ${why || `It waits for ${waits}.`}`,
    failed: `${isWished ? state.emoji : ':x:'} *${state.word}* · ${headline(rollout)}. ${why}`.trim(),
    finished: `${state.emoji} *${state.word}* · ${headline(rollout)}. ${why}`.trim(),
  };
  const texts: Record<Announcement, string> = {
    waiting: `${spoken(rollout)} waits for ${waits}.`,
    failed: isWished
      ? `The rollback to ${spoken(rollout)} has begun. ${why}`.trim()
      : `${spoken(rollout)} did not succeed: ${state.word.toLowerCase()}. ${why}`.trim(),
    finished: isWished
      ? `The rollback to ${spoken(rollout)} is done.`
      : `${spoken(rollout)} has ended: ${state.word.toLowerCase()}.`,
  };
  return withinBudget({ text: texts[what].replaceAll('`', ''), blocks: [section(lines[what])] });
}
