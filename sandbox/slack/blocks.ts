import { type Complain, checkCount, checkElement, checkKeys, checkLength, checkText } from './block-elements.ts';
import { copyOf, type Fields, fieldsOf, isFields, listOf, textOf } from './fields.ts';

/** Where blocks are shown: some blocks stand in one of them only. */
export type Surface = 'message' | 'modal' | 'home';

/** What Slack would answer to these blocks: null when it takes them. */
export type BlockProblem = { code: 'invalid_blocks' | 'msg_blocks_too_long'; messages: string[] };

const MAX_BLOCKS: Record<Surface, number> = { message: 50, modal: 100, home: 100 };
const MAX_TEXT = 11_000;
const MAX_MARKDOWN = 12_000;

type BlockRule = {
  on: readonly Surface[];
  /** null: Slack's newest blocks, whose fields are not held to a list. */
  keys: readonly string[] | null;
  check?: (block: Fields, pointer: string, complain: Complain) => void;
};

const ALL: readonly Surface[] = ['message', 'modal', 'home'];
const NEWER: BlockRule = { on: ['message'], keys: null };

const BLOCKS: Record<string, BlockRule> = {
  section: { on: ALL, keys: ['text', 'fields', 'accessory', 'expand'], check: checkSection },
  header: {
    on: ALL,
    keys: ['text', 'level'],
    check: (block, at, complain) => checkText(block.text, { max: 150, only: 'plain_text' }, `${at}/text`, complain),
  },
  divider: { on: ALL, keys: [] },
  image: { on: ALL, keys: ['image_url', 'slack_file', 'alt_text', 'title'], check: checkImage },
  context: {
    on: ALL,
    keys: ['elements'],
    check: (block, at, complain) => {
      checkCount(block.elements, 1, 10, `${at}/elements`, complain);
      for (const [i, element] of listOf(block.elements).entries()) {
        const pointer = `${at}/elements/${i}`;
        if (element.type === 'image') checkElement(element, 'context', pointer, complain);
        else checkText(element, { max: 3000 }, pointer, complain);
      }
    },
  },
  actions: {
    on: ALL,
    keys: ['elements'],
    check: (block, at, complain) => {
      checkCount(block.elements, 1, 25, `${at}/elements`, complain);
      for (const [i, element] of listOf(block.elements).entries()) {
        checkElement(element, 'actions', `${at}/elements/${i}`, complain);
      }
    },
  },
  input: { on: ALL, keys: ['label', 'element', 'hint', 'optional', 'dispatch_action'], check: checkInput },
  rich_text: {
    on: ALL,
    keys: ['elements'],
    check: (block, at, complain) => {
      checkCount(block.elements, 1, 1000, `${at}/elements`, complain);
      for (const [i, element] of listOf(block.elements).entries()) {
        const type = textOf(element.type);
        if (!/^rich_text_(section|list|preformatted|quote)$/.test(type)) {
          complain(`unsupported type: ${type || 'none'}`, `${at}/elements/${i}/type`);
        }
      }
    },
  },
  markdown: {
    on: ['message'],
    keys: ['text'],
    check: (block, at, complain) => {
      if (!textOf(block.text)) complain('must provide a string', `${at}/text`);
      checkLength(block, 'text', MAX_MARKDOWN, at, complain);
    },
  },
  table: { on: ['message'], keys: ['rows', 'column_settings'], check: checkTable },
  video: { on: ALL, keys: null },
  file: { on: ['message'], keys: null },
  context_actions: NEWER,
  plan: NEWER,
  task_card: NEWER,
  card: NEWER,
  carousel: NEWER,
  alert: NEWER,
};

function checkSection(block: Fields, at: string, complain: Complain): void {
  if (block.text === undefined && block.fields === undefined) complain('must define either text or fields', at);
  if (block.text !== undefined) checkText(block.text, { max: 3000 }, `${at}/text`, complain);
  if (block.fields !== undefined) {
    checkCount(block.fields, 1, 10, `${at}/fields`, complain);
    for (const [i, field] of listOf(block.fields).entries()) {
      checkText(field, { max: 2000 }, `${at}/fields/${i}`, complain);
    }
  }
  if (block.accessory !== undefined) checkElement(block.accessory, 'section', `${at}/accessory`, complain);
}

function checkImage(block: Fields, at: string, complain: Complain): void {
  const { type, image_url, slack_file, alt_text } = block;
  checkElement(stripUndefined({ type, image_url, slack_file, alt_text }), 'context', at, complain);
  if (block.title !== undefined) checkText(block.title, { max: 2000, only: 'plain_text' }, `${at}/title`, complain);
}

function checkInput(block: Fields, at: string, complain: Complain): void {
  checkText(block.label, { max: 2000, only: 'plain_text' }, `${at}/label`, complain);
  if (block.hint !== undefined) checkText(block.hint, { max: 2000, only: 'plain_text' }, `${at}/hint`, complain);
  checkElement(block.element, 'input', `${at}/element`, complain);
}

function checkTable(block: Fields, at: string, complain: Complain): void {
  checkCount(block.rows, 1, 100, `${at}/rows`, complain);
  if (!Array.isArray(block.rows)) return;
  for (const [i, row] of block.rows.entries()) {
    checkCount(row, 1, 20, `${at}/rows/${i}`, complain);
    for (const [j, cell] of listOf(row).entries()) {
      const type = textOf(cell.type);
      if (type !== 'raw_text' && type !== 'rich_text') {
        complain(`unsupported type: ${type || 'none'}`, `${at}/rows/${i}/${j}/type`);
      }
    }
  }
}

/**
 * Holds blocks to the limits that Slack documents, and to those that it only enforces. `within` is what the pointers
 * start with (`/blocks`, or `/view/blocks`).
 */
export function checkBlocks(value: unknown, surface: Surface, within: string): BlockProblem | null {
  const messages: string[] = [];
  const complain: Complain = (problem, pointer) => messages.push(`[ERROR] ${problem} [json-pointer:${pointer}]`);
  if (!Array.isArray(value))
    return { code: 'invalid_blocks', messages: [`[ERROR] must provide an array [json-pointer:${within}]`] };
  checkCount(value, 0, MAX_BLOCKS[surface], within, complain);
  const ids = new Set<string>();
  for (const [i, block] of value.entries()) {
    const at = `${within}/${i}`;
    checkBlock(block, surface, at, complain);
    const id = textOf(fieldsOf(block).block_id);
    if (id && ids.has(id)) complain(`block_id "${id}" is used more than once`, `${at}/block_id`);
    ids.add(id);
  }
  const blocks = listOf(value);
  if (blocks.filter((block) => block.type === 'table').length > 1) complain('only_one_table_allowed', within);
  if (messages.length > 0) return { code: 'invalid_blocks', messages };
  const tooLong = surface === 'message' && textLength(blocks) > MAX_TEXT;
  return tooLong ? { code: 'msg_blocks_too_long', messages: [] } : null;
}

function checkBlock(block: unknown, surface: Surface, at: string, complain: Complain): void {
  if (!isFields(block)) {
    complain('must provide an object', at);
    return;
  }
  const type = textOf(block.type);
  const rule = BLOCKS[type];
  if (!rule?.on.includes(surface)) {
    complain(`unsupported type: ${type || 'none'}`, `${at}/type`);
    return;
  }
  if (rule.keys) checkKeys(block, ['type', 'block_id', ...rule.keys], at, complain);
  checkLength(block, 'block_id', 255, at, complain);
  rule.check?.(block, at, complain);
  const ids = new Set<string>();
  for (const element of elementsOf(block)) {
    const id = textOf(element.action_id);
    if (id && ids.has(id)) complain(`action_id "${id}" already exists for another element in this block`, at);
    ids.add(id);
  }
}

/** Every character that a reader of the message would see. */
function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + textLength(one), 0);
  if (!isFields(value)) return 0;
  return Object.entries(value).reduce(
    (sum, [key, one]) => sum + (key === 'text' && typeof one === 'string' ? one.length : textLength(one)),
    0,
  );
}

/** The things in a block that can be clicked, chosen or typed into. */
export function elementsOf(block: Fields): Fields[] {
  if (block.type === 'actions' || block.type === 'context_actions') return listOf(block.elements);
  if (block.type === 'input') return listOf([block.element]);
  return block.type === 'section' ? listOf([block.accessory]) : [];
}

/** A copy as Slack keeps it: every block and every element has an id. */
export function withIds(blocks: Fields[], nextId: () => string): Fields[] {
  return copyOf(blocks).map((block) => {
    block.block_id = textOf(block.block_id) || nextId();
    for (const element of elementsOf(block)) {
      if (element.type !== 'image') element.action_id = textOf(element.action_id) || nextId();
    }
    return block;
  });
}

function stripUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
