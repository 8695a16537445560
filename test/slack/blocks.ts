import { readFileSync } from 'node:fs';
import type { Message } from '../../src/slack/views/block.ts';
import { charactersOf } from '../../src/slack/views/budget.ts';

export type Found = Record<string, unknown>;

/** Every object in the blocks. */
export function objectsIn(value: unknown, found: Found[] = []): Found[] {
  if (Array.isArray(value)) for (const one of value) objectsIn(one, found);
  else if (value !== null && typeof value === 'object') {
    found.push(value as Found);
    for (const member of Object.values(value)) objectsIn(member, found);
  }
  return found;
}

export function buttonsIn(message: Pick<Message, 'blocks'>): Found[] {
  return objectsIn(message.blocks).filter((one) => one.type === 'button');
}

export const idsIn = (message: Pick<Message, 'blocks'>) => buttonsIn(message).map((one) => String(one.action_id));

export function textIn(message: Pick<Message, 'blocks'>): string {
  return objectsIn(message.blocks)
    .filter((one) => one.type === 'mrkdwn')
    .map((one) => String(one.text))
    .join('\n');
}

/** What in a message breaks one of Slack's limits, or lets text from outside do something. Empty: nothing. */
export function faultsOf(message: Message, hosts = ['github.com']): string[] {
  const faults: string[] = [];
  if (message.blocks.length > 50) faults.push('more than 50 blocks');
  if (charactersOf(message.blocks) > 10_000) faults.push('more than 10,000 characters');
  if (!/\S{2,}.*[.!?…]$/su.test(message.text)) faults.push(`text is no sentence: ${message.text}`);
  for (const one of objectsIn(message.blocks)) {
    const text = typeof one.text === 'string' ? one.text : '';
    if (one.type === 'section' && String((one.text as Found).text).length > 3000) faults.push('section over 3000');
    if (one.type === 'mrkdwn') {
      if (one.verbatim !== true) faults.push('mrkdwn that is not verbatim');
      faults.push(...markupIn(text, hosts));
    }
    if (one.type === 'plain_text' && text.length > 300) faults.push('plain_text over 300');
    if (one.type === 'actions' && (one.elements as unknown[]).length > 5) faults.push('more than 5 buttons');
    if (one.type === 'button') {
      if (String((one.text as Found).text).length > 75) faults.push('button text over 75');
      if (String(one.value).length > 2000) faults.push('button value over 2000');
      if (String(one.accessibility_label).length > 75 || !one.accessibility_label) faults.push('accessibility_label');
    }
  }
  faults.push(...markupIn(message.text, hosts));
  return faults;
}

/** Angle brackets that are not Belay's own: a date, a configured person, a link to a known host. */
function markupIn(text: string, hosts: string[]): string[] {
  const rest = text
    .replace(/<!date\^\d+\^\{date_short_pretty\} at \{time\}\|[0-9: -]+ UTC>/g, '')
    .replace(/<@(U0ANA|U0BEN|U0CARO)>/g, '')
    .replace(/<(https?:\/\/([^/|<>\s]+)[^|<>\s]*)\|[^<>|]*>/g, (whole, _url, host) =>
      hosts.includes(host) ? '' : whole,
    );
  const faults: string[] = [];
  if (/[<>]/.test(rest)) faults.push(`markup from outside: ${rest.slice(0, 200)}`);
  if (/&(?!(amp|lt|gt);)/.test(rest)) faults.push(`a cut entity: ${rest.slice(0, 200)}`);
  if (/[\p{Cf}\p{Cs}]|(?!\n)\p{Cc}/u.test(rest)) faults.push('an unseen character');
  return faults;
}

/** Every text in the table of hostile inputs. */
export function hostileTexts(): string[] {
  const rows: { input: unknown }[] = JSON.parse(
    readFileSync(new URL('../hostile-inputs.json', import.meta.url), 'utf8'),
  );
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (value !== null && typeof value === 'object') for (const one of Object.values(value)) collect(one);
  };
  for (const row of rows) collect(row.input);
  return texts;
}
