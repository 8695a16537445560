import { answerView } from './answer-view.ts';
import { actionIds, type Choice, chosen, fill, findElement, refusedFields } from './choice.ts';
import type { Dispatcher } from './dispatcher.ts';
import { type Fields, fieldsOf, listOf, textOf } from './fields.ts';
import type { Delivery } from './line.ts';
import { APP, BOT_USER, type Channel, type Member, TEAM } from './people.ts';
import { respond } from './respond.ts';
import { messageJson, viewJson } from './shapes.ts';
import { SlackError } from './slack-error.ts';
import type { Message, View, Workspace } from './workspace.ts';

/** Something with buttons in it: a message (ephemeral or not), or a view. A message with `blocks` is clicked as it
 * was when it was read, the way a person clicks on a page that has gone stale. */
export type Clickable = { channel: string; ts: string; blocks?: Fields[] } | { viewId: string };

export type ClickOptions = {
  /** Instead of the button's own value; an option's value for a menu. */
  value?: Choice;
  blockId?: string;
  /** What stands in the message's input fields, by block_id or action_id. */
  values?: Record<string, Choice>;
};

type Setup = {
  workspace: Workspace;
  dispatcher: Dispatcher;
  url: () => string;
  /** Whether `@name` in a command arrives as `<@id|name>` (`should_escape` in an app's manifest). */
  escapeCommands: boolean;
};

const SLACKBOT = 'USLACKBOT';

/** What people do in Slack, and what Slack then sends to the bot. */
export class Gestures {
  readonly #setup: Setup;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** Types a slash command. The answer in the acknowledgement is shown; so is a failure, in Slack's words. */
  async slash(user: string, channel: string, command: string, text: string): Promise<Delivery> {
    const { workspace } = this.#setup;
    const person = this.#person(user);
    const place = this.#channel(channel);
    const payload = {
      token: 'sandbox',
      team_id: person.teamId,
      team_domain: 'sandbox',
      channel_id: place.id,
      channel_name: place.kind === 'im' ? 'directmessage' : place.name,
      user_id: user,
      user_name: person.name,
      command,
      text: this.#setup.escapeCommands ? this.#named(text, (id, name) => `<@${id}|${name}>`) : text,
      api_app_id: APP,
      is_enterprise_install: 'false',
      response_url: this.#responseUrl(user, place.id, null),
      trigger_id: workspace.issueTrigger(user),
    };
    const delivery = await this.#setup.dispatcher.send(
      { kind: 'slash_commands', payload },
      `${command} ${text}`.trim(),
    );
    const to = { user, channel: place.id, source: null };
    if (delivery.error) this.#tell(to, `${command} failed with the error "${slackWord(delivery)}"`);
    else if (delivery.body) this.#show(to, delivery.body);
    return delivery;
  }

  /** Clicks a button, or chooses in a menu. Throws when there is no such thing to click. */
  async click(user: string, on: Clickable, actionId: string, options: ClickOptions = {}): Promise<Delivery> {
    const { workspace } = this.#setup;
    const view = 'viewId' in on ? this.#view(on.viewId) : null;
    const message = 'ts' in on ? this.#message(on.channel, on.ts) : null;
    const blocks = view ? listOf(view.spec.blocks) : ((('blocks' in on && on.blocks) || message?.blocks) ?? []);
    const found = findElement(blocks, actionId, options.blockId);
    if (!found)
      throw new Error(`There is nothing with the action_id "${actionId}" to click. There is: ${actionIds(blocks)}.`);
    const { block, element } = found;
    const blockId = textOf(block.block_id);
    const picked = chosen(element, options.value ?? null);
    if (view && element.type !== 'button') {
      view.values[blockId] = { ...view.values[blockId], [actionId]: picked };
      workspace.changed();
    }
    const action = {
      ...picked,
      action_id: actionId,
      block_id: blockId,
      action_ts: workspace.nextTs(),
      ...(element.text === undefined ? {} : { text: element.text }),
      ...(element.style === undefined ? {} : { style: element.style }),
      ...(element.placeholder === undefined ? {} : { placeholder: element.placeholder }),
    };
    const place = view
      ? { container: { type: 'view', view_id: view.id }, view: viewJson(view) }
      : message
        ? this.#messagePlace(user, message, blocks, options.values ?? {})
        : {};
    const payload = {
      ...this.#envelope('block_actions', user),
      ...place,
      trigger_id: workspace.issueTrigger(user),
      actions: [action],
    };
    const delivery = await this.#setup.dispatcher.send({ kind: 'interactive', payload }, `block_actions ${actionId}`);
    if (delivery.error && message) {
      this.#tell({ user, channel: message.channel, source: message }, `That did not work (${slackWord(delivery)}).`);
    } else if (delivery.error && view) {
      view.problem = `That did not work (${slackWord(delivery)}).`;
      workspace.changed();
    }
    return delivery;
  }

  /** Fills in a modal (by block_id or action_id; what is not named stays) and submits it. */
  async submitView(user: string, viewId: string, values: Record<string, Choice> = {}): Promise<Delivery> {
    const { workspace } = this.#setup;
    const view = this.#view(viewId);
    const blocks = listOf(view.spec.blocks);
    fill(blocks, view.values, values);
    view.errors = refusedFields(blocks, view.values);
    view.problem = null;
    workspace.changed();
    if (Object.keys(view.errors).length > 0) {
      return { status: 0, body: { response_action: 'errors', errors: { ...view.errors } }, ackMs: 0, error: 'refused' };
    }
    const payload = {
      ...this.#envelope('view_submission', user),
      trigger_id: workspace.issueTrigger(user),
      view: viewJson(view),
      response_urls: [],
    };
    const what = `view_submission ${textOf(view.spec.callback_id)}`;
    const delivery = await this.#setup.dispatcher.send({ kind: 'interactive', payload }, what);
    if (delivery.error) view.problem = 'We had some trouble connecting. Try again?';
    else answerView(workspace, user, view, fieldsOf(delivery.body));
    workspace.changed();
    return delivery;
  }

  /** Closes the modal on top (or all of them), and tells the bot when it asked to know. */
  async closeView(user: string, viewId: string, all = false): Promise<Delivery | null> {
    const { workspace } = this.#setup;
    const view = this.#view(viewId);
    workspace.setStack(user, all ? [] : workspace.stack(user).filter((one) => one.id !== viewId));
    if (view.spec.notify_on_close !== true) return null;
    const payload = { ...this.#envelope('view_closed', user), view: viewJson(view), is_cleared: all };
    return this.#setup.dispatcher.send(
      { kind: 'interactive', payload },
      `view_closed ${textOf(view.spec.callback_id)}`,
    );
  }

  /** Writes a message. One that names the bot (`@belay`) is also an `app_mention` for it. */
  async say(user: string, channel: string, text: string, threadTs: string | null = null) {
    const { workspace } = this.#setup;
    const person = this.#person(user);
    const place = this.#channel(channel);
    const written = this.#named(escapeText(text), (id) => `<@${id}>`);
    const message = workspace.post({ channel: place.id, user, text: written, threadTs });
    if (!written.includes(`<@${BOT_USER}>`) || place.kind === 'im') return { message, delivery: null };
    const event = {
      ...messageJson(workspace, message),
      type: 'app_mention',
      team: person.teamId,
      user_team: person.teamId,
      source_team: person.teamId,
      channel: place.id,
      event_ts: message.ts,
    };
    return { message, delivery: await this.#setup.dispatcher.event(event, `app_mention ${text}`) };
  }

  /** Opens the app's Home tab. */
  async openHome(user: string): Promise<Delivery> {
    const { workspace } = this.#setup;
    this.#person(user);
    const home = workspace.homes.get(user);
    const event = {
      type: 'app_home_opened',
      user,
      channel: workspace.openDirect([user]).channel.id,
      tab: 'home',
      event_ts: workspace.nextTs(),
      ...(home ? { view: viewJson(home) } : {}),
    };
    return this.#setup.dispatcher.event(event, 'app_home_opened');
  }

  /** Runs a global shortcut, or one on a message. */
  async shortcut(user: string, callbackId: string, on?: { channel: string; ts: string }): Promise<Delivery> {
    const { workspace } = this.#setup;
    const message = on ? this.#message(on.channel, on.ts) : null;
    const payload = {
      ...this.#envelope(message ? 'message_action' : 'shortcut', user),
      callback_id: callbackId,
      action_ts: workspace.nextTs(),
      trigger_id: workspace.issueTrigger(user),
      ...(message
        ? {
            channel: { id: message.channel, name: this.#channel(message.channel).name },
            message: messageJson(workspace, message),
            message_ts: message.ts,
            response_url: this.#responseUrl(user, message.channel, message),
          }
        : {}),
    };
    return this.#setup.dispatcher.send({ kind: 'interactive', payload }, `shortcut ${callbackId}`);
  }

  #envelope(type: string, user: string): Fields {
    const person = this.#person(user);
    return {
      type,
      team: { id: TEAM, domain: 'sandbox' },
      user: { id: user, username: person.name, name: person.name, team_id: person.teamId },
      api_app_id: APP,
      token: 'sandbox',
      enterprise: null,
      is_enterprise_install: false,
    };
  }

  #messagePlace(user: string, message: Message, blocks: Fields[], typed: Record<string, Choice>): Fields {
    const { workspace } = this.#setup;
    const channel = this.#channel(message.channel);
    const values: Record<string, Fields> = {};
    fill(blocks, values, typed);
    return {
      container: {
        type: 'message',
        message_ts: message.ts,
        channel_id: channel.id,
        is_ephemeral: message.onlyFor !== null,
        ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
      },
      channel: { id: channel.id, name: channel.kind === 'im' ? 'directmessage' : channel.name },
      // Of an ephemeral message Slack sends no content back.
      ...(message.onlyFor ? {} : { message: { ...messageJson(workspace, message), blocks } }),
      state: { values },
      response_url: this.#responseUrl(user, channel.id, message),
    };
  }

  /** Shows what a slash command was answered with; Slack's refusal of it, where it refuses. */
  #show(to: { user: string; channel: string; source: null }, body: unknown): void {
    try {
      respond(this.#setup.workspace, to, body);
    } catch (error) {
      if (!(error instanceof SlackError)) throw error;
      this.#tell(to, `The app's answer cannot be shown (${[error.code, ...error.messages].join(' ')}).`);
    }
  }

  #tell(to: { user: string; channel: string; source: Message | null }, text: string): void {
    const threadTs = to.source?.threadTs ?? null;
    this.#setup.workspace.post({ channel: to.channel, user: SLACKBOT, text, threadTs, onlyFor: to.user });
  }

  #responseUrl(user: string, channel: string, source: Message | null): string {
    return `${this.#setup.url()}/actions/${TEAM}/${this.#setup.workspace.issueResponse(user, channel, source)}`;
  }

  /** `@name` and `#channel` as Slack's client writes them; ids that are already written so stay. */
  #named(text: string, mention: (id: string, name: string) => string): string {
    const { members, channels } = this.#setup.workspace;
    return text
      .replaceAll(/&lt;(@[UW]\w+)&gt;/g, '<$1>')
      .replaceAll(/(^|\s)@([\w.-]+)/g, (all, before: string, name: string) => {
        const member = [...members.values()].find((one) => one.name === name.toLowerCase());
        return member ? `${before}${mention(member.id, member.name)}` : all;
      })
      .replaceAll(/(^|\s)#([\w-]+)/g, (all, before: string, name: string) => {
        const channel = [...channels.values()].find((one) => one.name === name && one.kind === 'channel');
        return channel ? `${before}<#${channel.id}|${channel.name}>` : all;
      });
  }

  #person(id: string): Member {
    const person = this.#setup.workspace.members.get(id);
    if (!person) throw new Error(`There is no member "${id}" in this workspace.`);
    return person;
  }

  #channel(id: string): Channel {
    const channel = this.#setup.workspace.channels.get(id);
    if (!channel) throw new Error(`There is no channel "${id}" in this workspace.`);
    return channel;
  }

  #message(channel: string, ts: string): Message {
    const message = this.#setup.workspace.find(channel, ts) ?? this.#setup.workspace.findEphemeral(channel, ts);
    if (!message) throw new Error(`There is no message ${ts} in ${channel}.`);
    return message;
  }

  #view(id: string): View {
    const view = this.#setup.workspace.view((one) => one.id === id);
    if (!view) throw new Error(`No view "${id}" is open.`);
    return view;
  }
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function slackWord(delivery: Delivery): string {
  return delivery.error === 'timeout' ? 'operation_timeout' : 'dispatch_failed';
}
