import { type Fields, isFields, listOf, textOf } from './fields.ts';

/** Collects what Slack would complain of, each with the place in the JSON that it is about. */
export type Complain = (problem: string, pointer: string) => void;

type TextRule = { max: number; only?: 'plain_text'; min?: number };

/** Holds a text object to its rules; `undefined` is for the caller to judge. */
export function checkText(value: unknown, rule: TextRule, pointer: string, complain: Complain): void {
  if (!isFields(value)) {
    complain('must provide an object', pointer);
    return;
  }
  const type = textOf(value.type);
  if (type !== 'plain_text' && type !== 'mrkdwn') complain(`unsupported type: ${type || 'none'}`, `${pointer}/type`);
  else if (rule.only && type !== rule.only) complain(`must be ${rule.only}`, `${pointer}/type`);
  const extra = type === 'mrkdwn' ? ['type', 'text', 'verbatim'] : ['type', 'text', 'emoji'];
  checkKeys(value, extra, pointer, complain);
  const text = value.text;
  if (typeof text !== 'string') {
    complain('must provide a string', `${pointer}/text`);
    return;
  }
  if (text.length < (rule.min ?? 1)) complain('must be more than 0 characters', `${pointer}/text`);
  if (text.length > rule.max) complain(`must be less than ${rule.max + 1} characters`, `${pointer}/text`);
}

export function checkKeys(value: Fields, known: readonly string[], pointer: string, complain: Complain): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) complain(`invalid additional property: ${key}`, pointer);
  }
}

/** A string that may be left out, but not be longer than Slack takes. */
export function checkLength(value: Fields, key: string, max: number, pointer: string, complain: Complain): void {
  const found = value[key];
  if (found === undefined) return;
  if (typeof found !== 'string') complain('must provide a string', `${pointer}/${key}`);
  else if (found.length > max) complain(`must be less than ${max + 1} characters`, `${pointer}/${key}`);
}

export function checkCount(value: unknown, min: number, max: number, pointer: string, complain: Complain): void {
  if (!Array.isArray(value)) {
    complain('must provide an array', pointer);
    return;
  }
  if (value.length < min) complain(`no fewer than ${min} items are allowed`, pointer);
  if (value.length > max) complain(`no more than ${max} items allowed [max=${max}]`, pointer);
}

function checkConfirm(value: unknown, pointer: string, complain: Complain): void {
  if (value === undefined) return;
  if (!isFields(value)) {
    complain('must provide an object', pointer);
    return;
  }
  checkKeys(value, ['title', 'text', 'confirm', 'deny', 'style'], pointer, complain);
  checkText(value.title, { max: 100, only: 'plain_text' }, `${pointer}/title`, complain);
  checkText(value.text, { max: 300 }, `${pointer}/text`, complain);
  checkText(value.confirm, { max: 30, only: 'plain_text' }, `${pointer}/confirm`, complain);
  checkText(value.deny, { max: 30, only: 'plain_text' }, `${pointer}/deny`, complain);
}

function checkOption(option: unknown, pointer: string, complain: Complain): void {
  if (!isFields(option)) {
    complain('must provide an object', pointer);
    return;
  }
  checkKeys(option, ['text', 'value', 'description', 'url'], pointer, complain);
  checkText(option.text, { max: 75 }, `${pointer}/text`, complain);
  if (option.value === undefined) complain('must provide a string', `${pointer}/value`);
  checkLength(option, 'value', 150, pointer, complain);
  if (option.description !== undefined) checkText(option.description, { max: 75 }, `${pointer}/description`, complain);
}

function checkOptions(element: Fields, max: number, pointer: string, complain: Complain): void {
  const groups = element.option_groups;
  if (groups !== undefined) {
    checkCount(groups, 1, 100, `${pointer}/option_groups`, complain);
    for (const [i, group] of listOf(groups).entries()) {
      checkText(group.label, { max: 75, only: 'plain_text' }, `${pointer}/option_groups/${i}/label`, complain);
      checkOptions(group, max, `${pointer}/option_groups/${i}`, complain);
    }
    return;
  }
  checkCount(element.options, 1, max, `${pointer}/options`, complain);
  if (!Array.isArray(element.options)) return;
  for (const [i, option] of element.options.entries()) checkOption(option, `${pointer}/options/${i}`, complain);
  checkInitial(element, pointer, complain);
}

function checkInitial(element: Fields, pointer: string, complain: Complain): void {
  const values = listOf(element.options).map((option) => option.value);
  const single = element.initial_option;
  if (single !== undefined && !values.includes(isFields(single) ? single.value : undefined)) {
    complain('initial_option must be one of the options', `${pointer}/initial_option`);
  }
  for (const option of listOf(element.initial_options)) {
    if (!values.includes(option.value)) {
      complain('initial_options must be among the options', `${pointer}/initial_options`);
    }
  }
}

type ElementRule = {
  /** Where it may stand. */
  in: readonly ('section' | 'actions' | 'input' | 'context')[];
  keys: readonly string[];
  options?: number;
  check?: (element: Fields, pointer: string, complain: Complain) => void;
};

const INTERACTIVE = ['type', 'action_id', 'confirm'];
const SELECT = [...INTERACTIVE, 'placeholder', 'focus_on_load'];
const EVERYWHERE = ['section', 'actions', 'input'] as const;

const pickOf = (key: string): ElementRule => ({
  in: EVERYWHERE,
  keys: [...SELECT, key, 'response_url_enabled', 'default_to_current_conversation', 'filter'],
});
const manyOf = (key: string): ElementRule => ({
  in: ['section', 'input'],
  keys: [...SELECT, key, 'max_selected_items', 'default_to_current_conversation', 'filter'],
});
const textInput = (more: readonly string[]): ElementRule => ({
  in: ['input'],
  keys: ['type', 'action_id', 'placeholder', 'initial_value', 'focus_on_load', 'dispatch_action_config', ...more],
  check: (element, pointer, complain) => checkLength(element, 'initial_value', 3000, pointer, complain),
});

const ELEMENTS: Record<string, ElementRule> = {
  button: {
    in: ['section', 'actions'],
    keys: [...INTERACTIVE, 'text', 'url', 'value', 'style', 'accessibility_label'],
    check: (element, pointer, complain) => {
      checkText(element.text, { max: 75, only: 'plain_text' }, `${pointer}/text`, complain);
      checkLength(element, 'value', 2000, pointer, complain);
      checkLength(element, 'url', 3000, pointer, complain);
      checkLength(element, 'accessibility_label', 75, pointer, complain);
      const style = element.style;
      if (style !== undefined && style !== 'primary' && style !== 'danger') {
        complain('value is not one of the allowed values: primary, danger', `${pointer}/style`);
      }
    },
  },
  image: {
    in: ['section', 'context'],
    keys: ['type', 'image_url', 'slack_file', 'alt_text'],
    check: (element, pointer, complain) => {
      if (typeof element.alt_text !== 'string') complain('must provide a string', `${pointer}/alt_text`);
      checkLength(element, 'alt_text', 2000, pointer, complain);
      checkLength(element, 'image_url', 3000, pointer, complain);
      if (element.image_url === undefined && element.slack_file === undefined) {
        complain('must provide image_url or slack_file', pointer);
      }
    },
  },
  static_select: { in: EVERYWHERE, keys: [...SELECT, 'options', 'option_groups', 'initial_option'], options: 100 },
  multi_static_select: {
    in: ['section', 'input'],
    keys: [...SELECT, 'options', 'option_groups', 'initial_options', 'max_selected_items'],
    options: 100,
  },
  external_select: { in: EVERYWHERE, keys: [...SELECT, 'initial_option', 'min_query_length'] },
  users_select: pickOf('initial_user'),
  conversations_select: pickOf('initial_conversation'),
  channels_select: pickOf('initial_channel'),
  multi_users_select: manyOf('initial_users'),
  multi_conversations_select: manyOf('initial_conversations'),
  multi_channels_select: manyOf('initial_channels'),
  overflow: { in: ['section', 'actions'], keys: [...INTERACTIVE, 'options'], options: 5 },
  radio_buttons: { in: EVERYWHERE, keys: [...INTERACTIVE, 'options', 'initial_option', 'focus_on_load'], options: 10 },
  checkboxes: { in: EVERYWHERE, keys: [...INTERACTIVE, 'options', 'initial_options', 'focus_on_load'], options: 10 },
  datepicker: { in: EVERYWHERE, keys: [...SELECT, 'initial_date'] },
  timepicker: { in: EVERYWHERE, keys: [...SELECT, 'initial_time', 'timezone'] },
  datetimepicker: { in: ['actions', 'input'], keys: [...INTERACTIVE, 'initial_date_time', 'focus_on_load'] },
  plain_text_input: textInput(['multiline', 'min_length', 'max_length']),
  email_text_input: textInput([]),
  url_text_input: textInput([]),
  number_input: textInput(['is_decimal_allowed', 'min_value', 'max_value']),
};

/** Holds one block element to Slack's rules for it, and for the block it stands in. */
export function checkElement(
  value: unknown,
  within: 'section' | 'actions' | 'input' | 'context',
  pointer: string,
  complain: Complain,
): void {
  if (!isFields(value)) {
    complain('must provide an object', pointer);
    return;
  }
  const type = textOf(value.type);
  const rule = ELEMENTS[type];
  if (!rule?.in.includes(within)) {
    complain(`unsupported type: ${type || 'none'}`, `${pointer}/type`);
    return;
  }
  checkKeys(value, rule.keys, pointer, complain);
  checkLength(value, 'action_id', 255, pointer, complain);
  checkConfirm(value.confirm, `${pointer}/confirm`, complain);
  if (value.placeholder !== undefined) {
    checkText(value.placeholder, { max: 150, only: 'plain_text' }, `${pointer}/placeholder`, complain);
  }
  if (rule.options !== undefined) checkOptions(value, rule.options, pointer, complain);
  rule.check?.(value, pointer, complain);
}
