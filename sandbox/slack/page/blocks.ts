import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { type Block, Message } from 'slack-blocks-to-jsx';
import { type Fields, fieldsOf, isFields, listOf, textOf } from '../fields.ts';
import type { Workspace } from '../workspace.ts';
import { renderElement } from './elements.ts';
import { attrs, esc, safeUrl } from './html.ts';

const CACHED = 4000;
const cache = new Map<string, string>();

/** What a message's or a view's blocks look like. What can be read is drawn by the library, what can be used by us. */
export function renderBlocks(
  workspace: Workspace,
  blocks: Fields[],
  values: Record<string, Fields>,
  errors: Record<string, string> = {},
): string {
  return blocks.map((block) => renderBlock(workspace, block, values, errors)).join('');
}

/** Text with Slack's mark-up, as a section would show it. */
export function renderText(workspace: Workspace, text: string): string {
  return text === '' ? '' : drawn(workspace, { type: 'section', text: { type: 'mrkdwn', text } });
}

function renderBlock(
  workspace: Workspace,
  block: Fields,
  values: Record<string, Fields>,
  errors: Record<string, string>,
): string {
  const blockId = textOf(block.block_id);
  const element = (one: unknown) => renderElement(fieldsOf(one), blockId, values[blockId] ?? {}, workspace);
  switch (block.type) {
    case 'actions':
    case 'context_actions':
      return `<div class="actions">${listOf(block.elements).map(element).join('')}</div>`;
    case 'input':
      return inputBlock(block, element(block.element), errors[blockId]);
    case 'section': {
      const { accessory, ...rest } = block;
      if (!isFields(accessory) || accessory.type === 'image') return drawn(workspace, withFiles(block));
      return `<div class="with-accessory"><div>${drawn(workspace, rest)}</div><div>${element(accessory)}</div></div>`;
    }
    case 'image':
      return imageBlock(withFiles(block));
    default:
      return drawn(workspace, withFiles(block));
  }
}

function inputBlock(block: Fields, element: string, error: string | undefined): string {
  const optional = block.optional === true ? ' <span class="optional">(optional)</span>' : '';
  const hint = isFields(block.hint) ? `<div class="hint">${esc(block.hint.text)}</div>` : '';
  const wrong = error ? `<div class="field-error" role="alert">${esc(error)}</div>` : '';
  const label = `<div class="label">${esc(fieldsOf(block.label).text)}${optional}</div>`;
  return `<div${attrs({ class: `field${error ? ' wrong' : ''}`, 'data-block-id': textOf(block.block_id) })}>${label}${element}${wrong}${hint}</div>`;
}

function imageBlock(block: Fields): string {
  const title = isFields(block.title) ? `<figcaption>${esc(block.title.text)}</figcaption>` : '';
  return `<figure class="image">${title}<img${attrs({ src: safeUrl(block.image_url), alt: textOf(block.alt_text) })}></figure>`;
}

/** Files that were uploaded to Slack are shown from here. */
function withFiles<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withFiles) as T;
  if (!isFields(value)) return value;
  const copy: Fields = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withFiles(one)]));
  const file = fieldsOf(value.slack_file);
  if (value.slack_file !== undefined) copy.image_url = `/files/${encodeURIComponent(textOf(file.id))}`;
  return copy as T;
}

function drawn(workspace: Workspace, given: Fields): string {
  const block = asLibraryTakesIt(given);
  const key = JSON.stringify(block);
  const known = cache.get(key);
  if (known !== undefined) return known;
  const html = draw(workspace, block).replaceAll(GREATER, '&gt;');
  if (cache.size >= CACHED) cache.clear();
  cache.set(key, html);
  return html;
}

/** Stands for `&gt;`, which the library follows by a space. */
const GREATER = '\ue000';

/**
 * What the library takes otherwise than Slack: `verbatim` text is still mrkdwn, in which bare names and addresses stay
 * text; and a `&gt;` that does not begin a line is just a sign.
 */
function asLibraryTakesIt<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll(/(?<!^|\n)&gt;/g, GREATER) as T;
  if (Array.isArray(value)) return value.map(asLibraryTakesIt) as T;
  if (!isFields(value)) return value;
  const kept = Object.entries(value).filter(([key]) => key !== 'verbatim');
  return Object.fromEntries(kept.map(([key, one]) => [key, asLibraryTakesIt(one)])) as T;
}

function draw(workspace: Workspace, block: Fields): string {
  try {
    return renderToStaticMarkup(
      createElement(Message, {
        blocks: [block as unknown as Block],
        logo: '',
        name: '',
        theme: 'light',
        withoutWrapper: true,
        data: {
          users: [...workspace.members.values()].map(({ id, name }) => ({ id, name })),
          channels: [...workspace.channels.values()].map(({ id, name }) => ({ id, name })),
          user_groups: [...workspace.groups.values()].map(({ id, handle }) => ({ id, name: handle })),
        },
        hooks: {
          link: ({ href, children, className }) =>
            createElement(
              'a',
              { href: safeUrl(href), className, target: '_blank', rel: 'noreferrer noopener' },
              children,
            ),
        },
      }),
    );
  } catch (error) {
    return `<pre class="undrawn">${esc(error instanceof Error ? error.message : error)}\n${esc(JSON.stringify(block, null, 2))}</pre>`;
  }
}
