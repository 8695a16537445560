import { elementsOf } from './blocks.ts';
import { type Fields, fieldsOf, isFields, listOf, textOf } from './fields.ts';

/** What a person chose or typed: an option's value, several, a text, or nothing. */
export type Choice = string | readonly string[] | null;

/** Where an element stands. */
export type Found = { block: Fields; element: Fields };

/** The element that carries this action_id (in this block, when several do), or null. */
export function findElement(blocks: Fields[], actionId: string, blockId?: string): Found | null {
  for (const block of blocks) {
    if (blockId !== undefined && block.block_id !== blockId) continue;
    const element = elementsOf(block).find((one) => one.action_id === actionId);
    if (element) return { block, element };
  }
  return null;
}

function optionsOf(element: Fields): Fields[] {
  return [...listOf(element.options), ...listOf(element.option_groups).flatMap((group) => listOf(group.options))];
}

function optionNamed(element: Fields, value: string): Fields {
  const options = optionsOf(element);
  const option = options.find((one) => one.value === value);
  if (option) return option;
  if (element.type === 'external_select') return { text: { type: 'plain_text', text: value }, value };
  const known = options.map((one) => textOf(one.value)).join(', ');
  throw new Error(`There is no option "${value}" in ${textOf(element.action_id)}. There are: ${known || 'none'}.`);
}

/** The choice in the shape that Slack gives it in `actions` and in `state.values`. */
export function chosen(element: Fields, choice: Choice): Fields {
  const type = textOf(element.type);
  const one = typeof choice === 'string' && choice !== '' ? choice : null;
  const many = typeof choice === 'string' ? (choice === '' ? [] : [choice]) : [...(choice ?? [])];
  switch (type) {
    case 'button':
      return { type, value: choice === null ? element.value : choice };
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
    case 'overflow':
      return { type, selected_option: one === null ? null : optionNamed(element, one) };
    case 'checkboxes':
    case 'multi_static_select':
      return { type, selected_options: many.map((value) => optionNamed(element, value)) };
    case 'users_select':
      return { type, selected_user: one };
    case 'channels_select':
      return { type, selected_channel: one };
    case 'conversations_select':
      return { type, selected_conversation: one };
    case 'multi_users_select':
      return { type, selected_users: many };
    case 'multi_channels_select':
      return { type, selected_channels: many };
    case 'multi_conversations_select':
      return { type, selected_conversations: many };
    case 'datepicker':
      return { type, selected_date: one };
    case 'timepicker':
      return { type, selected_time: one };
    case 'datetimepicker':
      return { type, selected_date_time: one === null ? null : Number(one) };
    default:
      return { type, value: one };
  }
}

/** Whether nothing was chosen or typed. */
export function isEmpty(value: Fields): boolean {
  return Object.entries(value)
    .filter(([key]) => key !== 'type')
    .every(([, one]) => one === null || one === undefined || one === '' || (Array.isArray(one) && one.length === 0));
}

/** What Slack's own client says about the fields before it sends anything: block_id → words. */
export function refusedFields(blocks: Fields[], values: Record<string, Fields>): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const block of blocks) {
    if (block.type !== 'input') continue;
    const element = fieldsOf(block.element);
    const blockId = textOf(block.block_id);
    const value = fieldsOf(values[blockId]?.[textOf(element.action_id)]);
    const text = textOf(value.value);
    if (block.optional !== true && isEmpty(value)) errors[blockId] = 'Please complete this required field.';
    else if (typeof element.max_length === 'number' && text.length > element.max_length) {
      errors[blockId] = `Must be at most ${element.max_length} characters.`;
    } else if (typeof element.min_length === 'number' && text !== '' && text.length < element.min_length) {
      errors[blockId] = `Must be at least ${element.min_length} characters.`;
    }
  }
  return errors;
}

/** Puts what was typed into the values of the blocks' fields. Throws on a name that no field has. */
export function fill(blocks: Fields[], values: Record<string, Fields>, typed: Record<string, Choice>): void {
  const unused = new Set(Object.keys(typed));
  for (const block of blocks) {
    const elements = block.type === 'input' ? [block.element] : [block.accessory, ...listOf(block.elements)];
    for (const element of elements.filter(isFields)) {
      const blockId = textOf(block.block_id);
      const actionId = textOf(element.action_id);
      const key = Object.hasOwn(typed, blockId) && block.type === 'input' ? blockId : actionId;
      if (actionId === '' || !Object.hasOwn(typed, key)) continue;
      unused.delete(key);
      values[blockId] = { ...values[blockId], [actionId]: chosen(element, typed[key] ?? null) };
    }
  }
  if (unused.size > 0) throw new Error(`There is no field ${[...unused].join(', ')}. There is: ${actionIds(blocks)}.`);
}

/** Every action_id in the blocks, for an error to name. */
export function actionIds(blocks: Fields[]): string {
  const found = blocks.flatMap((block) => [block.element, block.accessory, ...listOf(block.elements)]);
  return (
    found
      .map((element) => textOf(fieldsOf(element).action_id))
      .filter(Boolean)
      .join(', ') || 'nothing'
  );
}
