import { checkText } from '../block-elements.ts';
import { checkBlocks, withIds } from '../blocks.ts';
import { type Fields, isFields, listOf, textOf } from '../fields.ts';
import { viewJson } from '../shapes.ts';
import { SlackError } from '../slack-error.ts';
import type { View, Workspace } from '../workspace.ts';
import { type Method, need } from './method.ts';

const MAX_STACK = 3;
const MAX_PRIVATE = 3000;
const KEYS = [
  'type',
  'title',
  'blocks',
  'submit',
  'close',
  'private_metadata',
  'callback_id',
  'external_id',
  'clear_on_close',
  'notify_on_close',
  'submit_disabled',
];

/** The view as it may be kept; throws what Slack would say. `as` is the only type that may stand here. */
export function checkedView(workspace: Workspace, value: unknown, as: 'modal' | 'home'): Fields {
  const messages: string[] = [];
  const complain = (problem: string, at: string) => messages.push(`[ERROR] ${problem} [json-pointer:${at}]`);
  if (!isFields(value)) throw new SlackError('invalid_arguments', ['[ERROR] missing required field: view']);
  if (value.type !== as) complain(`must be ${as}`, '/view/type');
  for (const key of Object.keys(value))
    if (!KEYS.includes(key)) complain(`invalid additional property: ${key}`, '/view');
  if (as === 'modal') {
    checkText(value.title, { max: 24, only: 'plain_text' }, '/view/title', complain);
    for (const key of ['submit', 'close']) {
      if (value[key] !== undefined && value[key] !== null) {
        checkText(value[key], { max: 24, only: 'plain_text' }, `/view/${key}`, complain);
      }
    }
    const asks = listOf(value.blocks).some((block) => block.type === 'input');
    if (asks && !value.submit) complain('must define submit when an input block is present', '/view/submit');
  }
  for (const key of ['callback_id', 'external_id']) {
    if (textOf(value[key]).length > 255) complain('must be less than 256 characters', `/view/${key}`);
  }
  if (textOf(value.private_metadata).length > MAX_PRIVATE) {
    complain(`must be less than ${MAX_PRIVATE + 1} characters`, '/view/private_metadata');
  }
  const problem = checkBlocks(value.blocks, as, '/view/blocks');
  if (problem) messages.push(...problem.messages);
  if (messages.length > 0) throw new SlackError('invalid_arguments', messages);
  return { ...value, blocks: withIds(listOf(value.blocks), () => workspace.nextId('')) };
}

function newView(workspace: Workspace, user: string, spec: Fields, previous: View | null): View {
  const external = textOf(spec.external_id);
  if (external && workspace.view((view) => view.spec.external_id === external)) {
    throw new SlackError('duplicate_external_id');
  }
  const id = workspace.nextId('V');
  return {
    id,
    user,
    hash: newHash(workspace),
    spec,
    rootId: previous?.rootId ?? id,
    previousId: previous?.id ?? null,
    values: startValues(spec),
    errors: {},
    problem: null,
  };
}

function newHash(workspace: Workspace): string {
  return `${Math.floor(workspace.clock.now() / 1000)}.${workspace.nextId('h')}`;
}

/** What a view's fields hold before anybody has touched them. */
export function startValues(spec: Fields, before: Record<string, Fields> = {}): Record<string, Fields> {
  const values: Record<string, Fields> = {};
  for (const block of listOf(spec.blocks)) {
    const element = isFields(block.element) ? block.element : null;
    if (block.type !== 'input' || !element) continue;
    const blockId = textOf(block.block_id);
    const actionId = textOf(element.action_id);
    const kept = before[blockId]?.[actionId];
    values[blockId] = { [actionId]: kept ?? startValue(element) };
  }
  return values;
}

function startValue(element: Fields): Fields {
  const type = textOf(element.type);
  if (type.startsWith('multi_static') || type === 'checkboxes') {
    return { type, selected_options: element.initial_options ?? [] };
  }
  if (type === 'static_select' || type === 'radio_buttons' || type === 'external_select') {
    return { type, selected_option: element.initial_option ?? null };
  }
  if (type === 'users_select') return { type, selected_user: element.initial_user ?? null };
  if (type === 'channels_select') return { type, selected_channel: element.initial_channel ?? null };
  if (type === 'conversations_select') return { type, selected_conversation: element.initial_conversation ?? null };
  if (type === 'datepicker') return { type, selected_date: element.initial_date ?? null };
  if (type === 'timepicker') return { type, selected_time: element.initial_time ?? null };
  if (type === 'datetimepicker') return { type, selected_date_time: element.initial_date_time ?? null };
  return { type, value: element.initial_value ?? null };
}

/** Puts a modal before the person. */
export function openView(workspace: Workspace, user: string, spec: Fields): View {
  const view = newView(workspace, user, spec, null);
  workspace.setStack(user, [view]);
  return view;
}

/** Puts a modal on top of the one before the person. */
export function pushView(workspace: Workspace, user: string, spec: Fields): View {
  const stack = workspace.stack(user);
  if (stack.length >= MAX_STACK) throw new SlackError('push_limit_reached');
  const view = newView(workspace, user, spec, stack.at(-1) ?? null);
  workspace.setStack(user, [...stack, view]);
  return view;
}

/** Gives a view that is already before somebody new content. What was typed into a field that stays is kept. */
export function changeView(workspace: Workspace, view: View, spec: Fields): View {
  view.spec = spec;
  view.hash = newHash(workspace);
  view.values = startValues(spec, view.values);
  view.errors = {};
  view.problem = null;
  workspace.changed();
  return view;
}

function triggerOf(workspace: Workspace, args: Fields): string {
  const spent = workspace.spendTrigger(need(args, 'trigger_id'));
  if ('error' in spent) throw new SlackError(spent.error);
  return spent.user;
}

function checkHash(view: View, args: Fields): void {
  const hash = textOf(args.hash);
  if (hash && hash !== view.hash) throw new SlackError('hash_conflict');
}

export const views: Record<string, Method> = {
  'views.open': {
    scope: null,
    needs: ['trigger_id', 'view'],
    run: ({ args, workspace }) => {
      const spec = checkedView(workspace, args.view, 'modal');
      return { view: viewJson(openView(workspace, triggerOf(workspace, args), spec)) };
    },
  },
  'views.push': {
    scope: null,
    needs: ['trigger_id', 'view'],
    run: ({ args, workspace }) => {
      const spec = checkedView(workspace, args.view, 'modal');
      return { view: viewJson(pushView(workspace, triggerOf(workspace, args), spec)) };
    },
  },
  'views.update': {
    scope: null,
    needs: ['view'],
    run: ({ args, workspace }) => {
      const id = textOf(args.view_id);
      const external = textOf(args.external_id);
      if (!id && !external) {
        throw new SlackError('invalid_arguments', ['[ERROR] must provide one of view_id and external_id']);
      }
      const spec = checkedView(workspace, args.view, 'modal');
      const view = workspace.view((one) => (id ? one.id === id : one.spec.external_id === external));
      if (view?.spec.type !== 'modal') throw new SlackError('not_found');
      checkHash(view, args);
      return { view: viewJson(changeView(workspace, view, spec)) };
    },
  },
  'views.publish': {
    scope: null,
    needs: ['user_id', 'view'],
    run: ({ args, workspace }) => {
      const user = need(args, 'user_id');
      if (!workspace.members.has(user)) throw new SlackError('invalid_arguments', ['[ERROR] invalid user_id']);
      const spec = checkedView(workspace, args.view, 'home');
      const before = workspace.homes.get(user);
      if (before) checkHash(before, args);
      const view = before ? changeView(workspace, before, spec) : newView(workspace, user, spec, null);
      workspace.homes.set(user, view);
      workspace.changed();
      return { view: viewJson(view) };
    },
  },
};
