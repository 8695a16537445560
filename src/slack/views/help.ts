import { type Block, context, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { escaped } from './escape.ts';
import { counted } from './naming.ts';

export type HelpLine = { usage: string; summary: string };

/** The commands, made from the table that runs them. */
export function helpOf(lines: HelpLine[], topic: string | null): Message {
  const blocks: Block[] = [
    section(topic === null ? '*What you can say to Belay*' : `*How to use ${escaped(topic, 40)}*`),
    section(
      lines.map((one) => `\`${one.usage.replaceAll('<', '&lt;').replaceAll('>', '&gt;')}\`\n      ${one.summary}`),
    ),
    context(
      'The words *to*, *on* may be left out; in a service’s own channel so may its name. In a thread, mention Belay and use the same words. Nothing that changes production runs from text alone: you confirm it first.',
    ),
  ];
  return withinBudget({ text: `Help for Belay: ${counted(lines.length, 'command')}.`, blocks });
}
