import { choicesOf } from '../../core/choosing.ts';
import type { Person } from '../../core/pipeline.ts';
import { principalKey } from '../../core/principal.ts';
import type { Phase, Rollout } from '../../core/rollout.ts';
import { type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { headline, spoken, whyLine } from './card.ts';
import { mention } from './escape.ts';
import { nameOf } from './release.ts';
import { choiceWords, stateOf } from './words.ts';

/** The mention of somebody who is configured; their name when they have no Slack account here. Nobody else is ever mentioned. */
export function mentionOf(key: string, people: Person[]): string {
  const person = people.find((one) => principalKey(one.principal) === key);
  const mentioned = person?.principal.kind === 'slack' ? mention(person.principal.userId) : null;
  return mentioned ?? nameOf(key, people);
}

/** Asks the person on call by name. The choices are on the decision card, in the same thread. */
export function pageOf(
  rollout: Rollout,
  page: { who: string; phase: Phase; round: number },
  people: Person[],
): Message {
  const who = mentionOf(page.who, people);
  const why = whyLine({ ...rollout, phase: page.phase }) ?? '';
  const choices = choicesOf(page.phase).map((one) => choiceWords(one).text.toLowerCase());
  const ask = choices.length > 0 ? `You can: ${choices.join(', ')}.` : 'It keeps trying; look at the thread.';
  const again = page.round > 0 ? ` (asked ${page.round + 1} times)` : '';
  const state = stateOf(page.phase.is).word.toLowerCase();
  const needs = page.phase.is === 'deciding' ? `needs your decision${again}` : `needs you${again}: *${state}*`;
  return withinBudget({
    text: `${who}, ${spoken(rollout)} ${needs.replaceAll('*', '')}. ${why}`.replaceAll('`', '').trim(),
    blocks: [section(`:pager: ${who}, ${headline(rollout)} ${needs}. ${why} ${ask}`)],
  });
}
