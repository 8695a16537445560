import { type Fields, fieldsOf, isFields, listOf, textOf } from '../fields.ts';
import type { Workspace } from '../workspace.ts';
import { attrs, esc, safeUrl } from './html.ts';

/** A block element that can be clicked, chosen in, or typed into. `values` is the block's state so far. */
export function renderElement(element: Fields, blockId: string, values: Fields, workspace: Workspace): string {
  const type = textOf(element.type);
  const actionId = textOf(element.action_id);
  const value = fieldsOf(values[actionId]);
  const common = { 'data-action-id': actionId, 'data-block-id': blockId, 'data-element': type };
  const selected = selectedValues(element, value);
  switch (type) {
    case 'button':
      return button(element, common);
    case 'image':
      return `<img${attrs({ class: 'small-image', src: safeUrl(element.image_url), alt: textOf(element.alt_text) })}>`;
    case 'overflow':
    case 'static_select':
    case 'multi_static_select':
      return menu(element, common, selected, optionTags(element, selected));
    case 'users_select':
    case 'multi_users_select':
      return menu(element, common, selected, people(workspace, selected));
    case 'channels_select':
    case 'conversations_select':
    case 'multi_channels_select':
    case 'multi_conversations_select':
      return menu(element, common, selected, channels(workspace, selected));
    case 'radio_buttons':
    case 'checkboxes':
      return choices(element, common, selected);
    case 'datepicker':
      return field('date', element, common, textOf(value.selected_date ?? element.initial_date));
    case 'timepicker':
      return field('time', element, common, textOf(value.selected_time ?? element.initial_time));
    case 'number_input':
      return field('number', element, common, textOf(value.value ?? element.initial_value));
    case 'plain_text_input':
      if (element.multiline === true) return area(element, common, textOf(value.value ?? element.initial_value));
      return field('text', element, common, textOf(value.value ?? element.initial_value));
    default:
      return field('text', element, common, textOf(value.value ?? element.initial_value));
  }
}

type Common = Record<string, string>;

function button(element: Fields, common: Common): string {
  const confirm = isFields(element.confirm) ? JSON.stringify(confirmTexts(element.confirm)) : undefined;
  const url = textOf(element.url);
  const style = textOf(element.style);
  return `<button${attrs({
    ...common,
    type: 'button',
    class: `btn ${style === 'primary' || style === 'danger' ? style : ''}`,
    'data-confirm': confirm,
    'data-url': url ? safeUrl(url) : undefined,
    'aria-label': textOf(element.accessibility_label) || undefined,
  })}>${emojiText(fieldsOf(element.text).text)}</button>`;
}

function confirmTexts(confirm: Fields) {
  const text = (key: string) => textOf(fieldsOf(confirm[key]).text);
  return {
    title: text('title'),
    text: text('text'),
    confirm: text('confirm'),
    deny: text('deny'),
    danger: confirm.style === 'danger',
  };
}

function selectedValues(element: Fields, value: Fields): string[] {
  const option = value.selected_option ?? element.initial_option;
  const options = value.selected_options ?? element.initial_options;
  const single = ['user', 'channel', 'conversation'].map(
    (key) => value[`selected_${key}`] ?? element[`initial_${key}`],
  );
  const several = ['users', 'channels', 'conversations'].map(
    (key) => value[`selected_${key}`] ?? element[`initial_${key}`],
  );
  return [
    ...(isFields(option) ? [textOf(option.value)] : []),
    ...listOf(options).map((one) => textOf(one.value)),
    ...[...single, ...several.flat()].filter((one): one is string => typeof one === 'string' && one !== ''),
  ];
}

function menu(element: Fields, common: Common, selected: string[], options: string): string {
  const several = textOf(element.type).startsWith('multi_');
  const isOverflow = element.type === 'overflow';
  const words = isOverflow ? '⋯' : textOf(fieldsOf(element.placeholder).text) || 'Select an option';
  const blank = several ? '' : `<option value=""${selected.length === 0 ? ' selected' : ''}>${esc(words)}</option>`;
  const confirm = isFields(element.confirm) ? JSON.stringify(confirmTexts(element.confirm)) : undefined;
  return `<select${attrs({ ...common, multiple: several, 'data-confirm': confirm, 'aria-label': words, class: isOverflow ? 'overflow' : undefined })}>${blank}${options}</select>`;
}

function optionTag(value: string, words: string, selected: string[]): string {
  return `<option${attrs({ value, selected: selected.includes(value) })}>${emojiText(words)}</option>`;
}

function optionTags(element: Fields, selected: string[]): string {
  const tags = (options: unknown) =>
    listOf(options)
      .map((one) => optionTag(textOf(one.value), textOf(fieldsOf(one.text).text), selected))
      .join('');
  const groups = listOf(element.option_groups);
  if (groups.length === 0) return tags(element.options);
  return groups
    .map(
      (group) => `<optgroup${attrs({ label: textOf(fieldsOf(group.label).text) })}>${tags(group.options)}</optgroup>`,
    )
    .join('');
}

function people(workspace: Workspace, selected: string[]): string {
  return [...workspace.members.values()].map((one) => optionTag(one.id, one.realName, selected)).join('');
}

function channels(workspace: Workspace, selected: string[]): string {
  const shown = [...workspace.channels.values()].filter((one) => one.kind === 'channel');
  return shown.map((one) => optionTag(one.id, `#${one.name}`, selected)).join('');
}

function choices(element: Fields, common: Common, selected: string[]): string {
  const type = element.type === 'checkboxes' ? 'checkbox' : 'radio';
  const name = `${common['data-block-id']} ${common['data-action-id']}`;
  const items = listOf(element.options).map((option) => {
    const value = textOf(option.value);
    const more = isFields(option.description) ? `<span class="hint">${esc(option.description.text)}</span>` : '';
    const words = emojiText(fieldsOf(option.text).text);
    return `<label class="choice"><input${attrs({ type, name, value, checked: selected.includes(value) })}><span>${words}${more}</span></label>`;
  });
  return `<div${attrs({ ...common, class: 'choices' })}>${items.join('')}</div>`;
}

function field(type: string, element: Fields, common: Common, value: string): string {
  const placeholder = textOf(fieldsOf(element.placeholder).text);
  return `<input${attrs({ ...common, type, value, placeholder, maxlength: numeric(element.max_length), autocomplete: 'off' })}>`;
}

function area(element: Fields, common: Common, value: string): string {
  const placeholder = textOf(fieldsOf(element.placeholder).text);
  return `<textarea${attrs({ ...common, rows: 4, placeholder, maxlength: numeric(element.max_length) })}>${esc(value)}</textarea>`;
}

function numeric(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

const EMOJI: Record<string, string> = {
  white_check_mark: '✅',
  heavy_check_mark: '✔️',
  x: '❌',
  no_entry: '⛔',
  warning: '⚠️',
  rocket: '🚀',
  rewind: '⏪',
  arrows_counterclockwise: '🔄',
  rotating_light: '🚨',
  lock: '🔒',
  unlock: '🔓',
  hourglass_flowing_sand: '⏳',
  double_vertical_bar: '⏸️',
  arrow_forward: '▶️',
};

/** Plain text with the emoji that buttons tend to carry. */
function emojiText(value: unknown): string {
  return esc(value).replaceAll(/:([a-z_]+):/g, (all, name: string) => EMOJI[name] ?? all);
}
