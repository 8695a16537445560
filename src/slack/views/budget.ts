import { type Block, context, type Message } from './block.ts';

/** Slack refuses from about 11,000 characters in all; the margin is for what it counts otherwise. */
const MAX_CHARACTERS = 10_000;
const MAX_BLOCKS = 50;

/** All characters that a message's blocks show. */
export function charactersOf(blocks: Block[]): number {
  let total = 0;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) visit(one);
    else if (value !== null && typeof value === 'object') {
      for (const [name, member] of Object.entries(value)) {
        if (name === 'text' && typeof member === 'string') total += member.length;
        else visit(member);
      }
    }
  };
  visit(blocks);
  return total;
}

/**
 * The message within Slack's limits. What does not fit is left out from the end of the detail, never the buttons,
 * and the message says so.
 */
export function withinBudget(message: Message): Message {
  const text = message.text.length <= 3000 ? message.text : `${message.text.slice(0, 2900).replace(/&[a-z]*$/, '')}…`;
  if (message.blocks.length <= MAX_BLOCKS && charactersOf(message.blocks) <= MAX_CHARACTERS) {
    return { text, blocks: message.blocks };
  }
  const blocks = [...message.blocks];
  const note = context('Some detail was left out: it is longer than Slack allows.');
  while (blocks.length + 1 > MAX_BLOCKS || charactersOf([...blocks, note]) > MAX_CHARACTERS) {
    const last = blocks.findLastIndex((block) => block.type !== 'actions');
    if (last <= 0) break;
    blocks.splice(last, 1);
  }
  return { text, blocks: [...blocks, note] };
}
