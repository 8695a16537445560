import { checkFiles } from '../block-files.ts';
import { checkBlocks, withIds } from '../blocks.ts';
import { type Fields, fieldsOf, listOf, textOf } from '../fields.ts';
import { BOT_USER, type Channel } from '../people.ts';
import { messageJson } from '../shapes.ts';
import { SlackError } from '../slack-error.ts';
import type { Message, Workspace } from '../workspace.ts';
import { isOn, type Method, need } from './method.ts';

const MAX_TEXT = 40_000;
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** The channel that a call names: by id, by name, or by the person to write to directly. */
function channelOf(workspace: Workspace, found: string): Channel {
  const direct = workspace.members.get(found);
  if (direct && !direct.bot) return workspace.openDirect([found]).channel;
  const channel =
    workspace.channels.get(found) ?? [...workspace.channels.values()].find((one) => `#${one.name}` === found);
  if (!channel) throw new SlackError('channel_not_found');
  return channel;
}

function writableChannel(workspace: Workspace, found: string): Channel {
  const channel = channelOf(workspace, found);
  if (channel.archived) throw new SlackError('is_archived');
  if (!channel.members.includes(BOT_USER)) throw new SlackError('not_in_channel');
  return channel;
}

/** Text and blocks as Slack would keep them; throws what it would refuse them with. */
export function contentOf(workspace: Workspace, args: Fields): { text: string; blocks: Fields[] } {
  const text = textOf(args.text) || textOf(args.markdown_text);
  const blocks = args.blocks ?? [];
  const attachments = args.attachments ?? [];
  if (text.length > MAX_TEXT) throw new SlackError('msg_too_long');
  const problem = checkBlocks(blocks, 'message', '/blocks') ?? checkFiles(blocks, workspace, '/blocks');
  if (problem) throw new SlackError(problem.code, problem.messages);
  if (!text.trim() && listOf(blocks).length === 0 && listOf(attachments).length === 0) throw new SlackError('no_text');
  return { text, blocks: withIds(listOf(blocks), () => workspace.nextId('')) };
}

/** The root of the thread that a reply names. */
function rootOf(workspace: Workspace, channel: string, args: Fields): string | null {
  const ts = textOf(args.thread_ts);
  if (!ts) return null;
  const root = workspace.find(channel, ts);
  if (!root) throw new SlackError('thread_not_found');
  return root.threadTs ?? root.ts;
}

/**
 * The message that was posted under the same client_msg_id a short time ago. Slack remembers the id for longer than
 * the message lives, and says so.
 */
function postedBefore(workspace: Workspace, channel: string, clientMsgId: string): Message | null {
  const ts = workspace.postedAs(channel, clientMsgId);
  if (ts === null) return null;
  const message = workspace.find(channel, ts);
  if (!message) throw new SlackError('duplicate_message_not_found');
  return message;
}

function own(workspace: Workspace, args: Fields, refused: string): Message {
  const channel = channelOf(workspace, need(args, 'channel'));
  const message = workspace.find(channel.id, need(args, 'ts'));
  if (!message) throw new SlackError('message_not_found');
  if (message.user !== BOT_USER) throw new SlackError(refused);
  return message;
}

export const chat: Record<string, Method> = {
  'chat.postMessage': {
    scope: 'chat:write',
    needs: ['channel'],
    run: ({ args, workspace }) => {
      const channel = writableChannel(workspace, need(args, 'channel'));
      const clientMsgId = textOf(args.client_msg_id) || null;
      if (clientMsgId && !UUID.test(clientMsgId)) {
        throw new SlackError('invalid_arguments', ['[ERROR] client_msg_id must be a UUID']);
      }
      const content = contentOf(workspace, args);
      const threadTs = rootOf(workspace, channel.id, args);
      const before = clientMsgId ? postedBefore(workspace, channel.id, clientMsgId) : null;
      const message =
        before ??
        workspace.post({
          ...content,
          channel: channel.id,
          user: BOT_USER,
          threadTs,
          clientMsgId,
          broadcast: threadTs !== null && isOn(args.reply_broadcast),
          metadata: args.metadata === undefined ? null : fieldsOf(args.metadata),
        });
      return { channel: channel.id, ts: message.ts, message: messageJson(workspace, message) };
    },
  },
  'chat.update': {
    scope: 'chat:write',
    needs: ['channel', 'ts'],
    run: ({ args, workspace }) => {
      const message = own(workspace, args, 'cant_update_message');
      // What is left out stays: an update without `blocks` keeps the old ones, an empty list takes them away.
      const content = contentOf(workspace, {
        ...args,
        text: args.text ?? message.text,
        blocks: args.blocks ?? message.blocks,
      });
      workspace.edit(message, content);
      if (isOn(args.reply_broadcast) && message.threadTs) message.broadcast = true;
      if (args.metadata !== undefined) message.metadata = fieldsOf(args.metadata);
      return {
        channel: message.channel,
        ts: message.ts,
        text: message.text,
        message: messageJson(workspace, message),
      };
    },
  },
  'chat.delete': {
    scope: 'chat:write',
    needs: ['channel', 'ts'],
    run: ({ args, workspace }) => {
      const message = own(workspace, args, 'cant_delete_message');
      workspace.remove(message);
      return { channel: message.channel, ts: message.ts };
    },
  },
  'chat.postEphemeral': {
    scope: 'chat:write',
    needs: ['channel', 'user'],
    run: ({ args, workspace }) => {
      const channel = writableChannel(workspace, need(args, 'channel'));
      const user = need(args, 'user');
      if (!channel.members.includes(user)) throw new SlackError('user_not_in_channel');
      const content = contentOf(workspace, args);
      const threadTs = rootOf(workspace, channel.id, args);
      const message = workspace.post({ ...content, channel: channel.id, user: BOT_USER, threadTs, onlyFor: user });
      return { message_ts: message.ts };
    },
  },
  'chat.getPermalink': {
    scope: null,
    needs: ['channel', 'message_ts'],
    run: ({ args, workspace, url }) => {
      const channel = channelOf(workspace, need(args, 'channel'));
      const message = workspace.find(channel.id, need(args, 'message_ts'));
      if (!message) throw new SlackError('message_not_found');
      const thread = message.threadTs ? `?thread_ts=${message.threadTs}&cid=${channel.id}` : '';
      const permalink = `${url}/archives/${channel.id}/p${message.ts.replace('.', '')}${thread}`;
      return { channel: channel.id, permalink };
    },
  },
};
