import { randomUUID } from 'node:crypto';
import { copyOf, type Fields } from './fields.ts';
import { BOT_USER, type Channel, type Group, type Member } from './people.ts';

export type Message = {
  channel: string;
  ts: string;
  /** The root's `ts` for a reply; null for what stands in the channel itself. */
  threadTs: string | null;
  user: string;
  text: string;
  blocks: Fields[];
  files: StoredFile[];
  /** The only person who sees it; null: everybody. */
  onlyFor: string | null;
  /** A reply that is shown in the channel, too. */
  broadcast: boolean;
  editedTs: string | null;
  /** How often it was edited. */
  edits: number;
  clientMsgId: string | null;
  metadata: Fields | null;
};

export type View = {
  id: string;
  user: string;
  hash: string;
  /** As it was sent: type, title, blocks with ids, private_metadata, … */
  spec: Fields;
  rootId: string;
  previousId: string | null;
  /** What was chosen and typed so far: block_id → action_id → value. */
  values: Record<string, Fields>;
  /** What the bot (or Slack itself) said is wrong with a field: block_id → words. */
  errors: Record<string, string>;
  /** What went wrong with the last submission as a whole. */
  problem: string | null;
};

export type StoredFile = {
  id: string;
  name: string;
  title: string;
  /** What a screen reader says of it; empty: nothing was given. */
  alt: string;
  bytes: Uint8Array;
  mimeType: string;
  /** How many bytes were announced; the address takes exactly those, once. */
  length: number;
  /** From when it may be shown, after Slack has looked through it; null: the upload was not completed. */
  readyAtMs: number | null;
};

type Trigger = { user: string; atMs: number; used: boolean };
/** What a response_url may still do. `source` is the message that was clicked, null for a slash command. */
export type ResponseUrl = { user: string; channel: string; source: Message | null; atMs: number; usesLeft: number };

export type Clock = { now(): number };

/** How long a client_msg_id is remembered. */
const SAME_POST_MS = 60 * 60_000;
const RESPONSE_USES = 5;
const RESPONSE_LIFE_MS = 30 * 60_000;

/** All that the workspace remembers, and what time does to it. Knows nothing of HTTP. */
export class Workspace {
  readonly members = new Map<string, Member>();
  readonly channels = new Map<string, Channel>();
  readonly groups = new Map<string, Group>();
  readonly files = new Map<string, StoredFile>();
  readonly posted: Message[] = [];
  readonly ephemerals: Message[] = [];
  /** Each person's open modals, the one on top last. */
  readonly stacks = new Map<string, View[]>();
  readonly homes = new Map<string, View>();
  readonly clock: Clock;
  /** How long Slack looks through a file before it can be shown. */
  readonly fileScanMs: number;
  readonly #triggerLifeMs: number;
  readonly #triggers = new Map<string, Trigger>();
  readonly #responses = new Map<string, ResponseUrl>();
  readonly #clientIds = new Map<string, { ts: string; atMs: number }>();
  readonly #listeners = new Set<() => void>();
  #lastTs = 0;
  #made = 0;

  constructor(setup: {
    members: Member[];
    channels: Channel[];
    groups: Group[];
    clock: Clock;
    triggerLifeMs: number;
    fileScanMs: number;
  }) {
    for (const member of setup.members) this.members.set(member.id, copyOf(member));
    for (const channel of setup.channels) this.channels.set(channel.id, copyOf(channel));
    for (const group of setup.groups) this.groups.set(group.id, copyOf(group));
    this.clock = setup.clock;
    this.fileScanMs = setup.fileScanMs;
    this.#triggerLifeMs = setup.triggerLifeMs;
  }

  /** Calls back after every change; returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** A short id that no other thing here has. */
  nextId(prefix: string): string {
    this.#made += 1;
    return `${prefix}${this.#made.toString(36).toUpperCase().padStart(8, '0')}`;
  }

  /** A time stamp that is also a message's id: never the same twice, always growing. */
  nextTs(): string {
    this.#lastTs = Math.max(this.#lastTs + 1, this.clock.now() * 1000);
    return `${Math.floor(this.#lastTs / 1_000_000)}.${String(this.#lastTs % 1_000_000).padStart(6, '0')}`;
  }

  /** The `ts` of what was posted here under this client_msg_id a short time ago, even if it was deleted since. */
  postedAs(channel: string, clientMsgId: string): string | null {
    const posted = this.#clientIds.get(`${channel} ${clientMsgId}`);
    return posted && this.clock.now() - posted.atMs <= SAME_POST_MS ? posted.ts : null;
  }

  find(channel: string, ts: string): Message | null {
    return this.posted.find((message) => message.channel === channel && message.ts === ts) ?? null;
  }

  findEphemeral(channel: string, ts: string): Message | null {
    return this.ephemerals.find((message) => message.channel === channel && message.ts === ts) ?? null;
  }

  /** Puts a message into its channel, or before the only person who may see it. */
  post(draft: Partial<Message> & { channel: string; user: string }): Message {
    const message: Message = {
      threadTs: null,
      text: '',
      blocks: [],
      files: [],
      onlyFor: null,
      broadcast: false,
      clientMsgId: null,
      metadata: null,
      ...draft,
      ts: this.nextTs(),
      editedTs: null,
      edits: 0,
    };
    if (message.clientMsgId) {
      const posted = { ts: message.ts, atMs: this.clock.now() };
      this.#clientIds.set(`${message.channel} ${message.clientMsgId}`, posted);
    }
    (message.onlyFor ? this.ephemerals : this.posted).push(message);
    this.changed();
    return message;
  }

  edit(message: Message, change: Partial<Pick<Message, 'text' | 'blocks' | 'metadata'>>): void {
    Object.assign(message, change);
    message.editedTs = this.nextTs();
    message.edits += 1;
    this.changed();
  }

  remove(message: Message): void {
    for (const list of [this.posted, this.ephemerals]) {
      const at = list.indexOf(message);
      if (at >= 0) list.splice(at, 1);
    }
    this.changed();
  }

  /** The direct-message channel between the bot and these people, made when it is not there yet. */
  openDirect(people: string[]): { channel: Channel; isNew: boolean } {
    const members = [BOT_USER, ...people.toSorted()];
    const kind = people.length === 1 ? 'im' : 'mpim';
    const known = [...this.channels.values()].find(
      (channel) => channel.kind === kind && channel.members.join() === members.join(),
    );
    if (known) return { channel: known, isNew: false };
    const id = kind === 'im' ? `D${(people[0] ?? '').slice(1)}` : this.nextId('G');
    const name = kind === 'im' ? (people[0] ?? '') : `mpdm-${people.join('-')}`;
    const channel: Channel = { id, name, kind, topic: '', members, archived: false, shared: false };
    this.channels.set(id, channel);
    return { channel, isNew: true };
  }

  /** A trigger_id: good for one view, and for 3 seconds. */
  issueTrigger(user: string): string {
    const id = `${this.nextId('')}.${randomUUID()}`;
    this.#triggers.set(id, { user, atMs: this.clock.now(), used: false });
    return id;
  }

  /** Whose trigger this is, spending it; or Slack's code for why it cannot be used. */
  spendTrigger(id: string): { user: string } | { error: string } {
    const trigger = this.#triggers.get(id);
    if (!trigger) return { error: 'invalid_trigger_id' };
    if (trigger.used) return { error: 'exchanged_trigger_id' };
    if (this.clock.now() - trigger.atMs > this.#triggerLifeMs) return { error: 'expired_trigger_id' };
    trigger.used = true;
    return { user: trigger.user };
  }

  /** The secret end of a response_url: 5 uses in 30 minutes. */
  issueResponse(user: string, channel: string, source: Message | null): string {
    const id = `${this.clock.now()}/${randomUUID().replaceAll('-', '')}`;
    this.#responses.set(id, { user, channel, source, atMs: this.clock.now(), usesLeft: RESPONSE_USES });
    return id;
  }

  spendResponse(id: string): ResponseUrl | { error: 'expired_url' | 'used_url' } {
    const response = this.#responses.get(id);
    if (!response || this.clock.now() - response.atMs > RESPONSE_LIFE_MS) return { error: 'expired_url' };
    if (response.usesLeft === 0) return { error: 'used_url' };
    response.usesLeft -= 1;
    return response;
  }

  stack(user: string): View[] {
    return this.stacks.get(user) ?? [];
  }

  /** Any view that somebody has before them: a modal, or a home. */
  view(match: (view: View) => boolean): View | null {
    return [...[...this.stacks.values()].flat(), ...this.homes.values()].find(match) ?? null;
  }

  setStack(user: string, views: View[]): void {
    this.stacks.set(user, views);
    this.changed();
  }
}
