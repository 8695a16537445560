import type { types } from '@slack/bolt';
import { plain } from './escape.ts';

export type Block = types.KnownBlock;
export type Button = types.Button;

/** What is posted: blocks for those who look, a full sentence for those who listen or get a notification. */
export type Message = { text: string; blocks: Block[] };

/** mrkdwn already made of escaped parts. `verbatim`: Slack neither links bare addresses nor parses bare names in it. */
function mrkdwn(text: string): types.MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}

export function header(text: string): Block {
  return { type: 'header', text: { type: 'plain_text', text: plain(text, 150), emoji: true } };
}

/** Lines that were each escaped already; those that no longer fit in Slack's 3000 characters are counted. */
export function section(lines: string | string[], accessory?: Button): Block {
  return { type: 'section', text: mrkdwn(fitLines([lines].flat(), 3000)), ...(accessory ? { accessory } : {}) };
}

export function context(lines: string | string[]): Block {
  return { type: 'context', elements: [mrkdwn(fitLines([lines].flat(), 2000))] };
}

export function actions(id: string, buttons: Button[]): Block {
  return { type: 'actions', block_id: plain(id, 255), elements: buttons.slice(0, 25) };
}

/** Rows of plain text under a row of headings; at most 100, the rest is counted. Slack takes one table a message. */
export function table(rows: string[][]): Block {
  const kept = rows.slice(0, rows.length > MAX_ROWS ? MAX_ROWS - 1 : MAX_ROWS);
  if (rows.length > MAX_ROWS) kept.push([`… and ${rows.length - kept.length} more`]);
  const columns = Math.min(20, rows[0]?.length ?? 1);
  return {
    type: 'table',
    column_settings: Array.from({ length: columns }, () => ({ is_wrapped: true })),
    rows: kept.map((row) =>
      Array.from({ length: columns }, (_, column) => ({
        type: 'raw_text',
        text: plain(row[column] ?? '', 200) || '–',
      })),
    ),
  };
}

const MAX_ROWS = 100;

/** Whole lines only, so that no link or entity is cut in two. A first line that is too long alone is said to be. */
function fitLines(lines: string[], max: number): string {
  const kept: string[] = [];
  let used = 0;
  for (const [index, line] of lines.entries()) {
    const rest = lines.length - index;
    if (used + line.length + 1 > max - 30) {
      kept.push(index === 0 ? '(too long to show here)' : `… and ${rest} more`);
      break;
    }
    kept.push(line);
    used += line.length + 1;
  }
  return kept.join('\n') || '—';
}

export type ButtonSpec = {
  id: string;
  text: string;
  value: string;
  /** What a screen reader says: the whole act with its object. */
  label: string;
  style?: 'primary' | 'danger';
  /** Asked before anything happens; for all that changes production. */
  confirm?: { title: string; text: string; yes: string };
};

export function button(spec: ButtonSpec): Button {
  const { confirm, style } = spec;
  return {
    type: 'button',
    action_id: spec.id,
    text: { type: 'plain_text', text: plain(spec.text, 75), emoji: true },
    value: spec.value,
    accessibility_label: plain(spec.label, 75),
    ...(style ? { style } : {}),
    ...(confirm
      ? {
          confirm: {
            title: { type: 'plain_text', text: plain(confirm.title, 100) },
            text: { type: 'plain_text', text: plain(confirm.text, 300) },
            confirm: { type: 'plain_text', text: plain(confirm.yes, 30) },
            deny: { type: 'plain_text', text: 'Cancel' },
            ...(style ? { style } : {}),
          },
        }
      : {}),
  };
}
