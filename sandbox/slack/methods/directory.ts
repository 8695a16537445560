import { type Fields, textOf } from '../fields.ts';
import { APP, BOT, BOT_USER, type Channel, type Member, TEAM } from '../people.ts';
import { channelJson, groupJson, userJson } from '../shapes.ts';
import { SlackError } from '../slack-error.ts';
import type { Workspace } from '../workspace.ts';
import { isOn, type Method, need } from './method.ts';

function memberOf(workspace: Workspace, id: string): Member {
  const member = workspace.members.get(id);
  if (!member) throw new SlackError('user_not_found');
  return member;
}

function conversation(workspace: Workspace, args: Fields): Channel {
  const channel = workspace.channels.get(need(args, 'channel'));
  const visible = channel && (channel.kind === 'channel' || channel.members.includes(BOT_USER));
  if (!channel || !visible) throw new SlackError('channel_not_found');
  return channel;
}

/** One page of a list, and the cursor of the next. */
function page<T>(all: T[], args: Fields, most: number): { items: T[]; response_metadata: { next_cursor: string } } {
  const limit = args.limit === undefined ? most : Number(args.limit);
  if (!(Number.isInteger(limit) && limit > 0 && limit <= 1000)) throw new SlackError('invalid_limit');
  const cursor = textOf(args.cursor);
  const start = cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64url').toString('utf8').replace('from:', ''));
  if (!Number.isInteger(start) || start < 0) throw new SlackError('invalid_cursor');
  const end = start + limit;
  const next_cursor = end < all.length ? Buffer.from(`from:${end}`).toString('base64url') : '';
  return { items: all.slice(start, end), response_metadata: { next_cursor } };
}

const KINDS: Record<Channel['kind'], string> = {
  channel: 'public_channel',
  private: 'private_channel',
  im: 'im',
  mpim: 'mpim',
};

export const directory: Record<string, Method> = {
  'users.info': {
    scope: 'users:read',
    needs: ['user'],
    run: ({ args, workspace }) => ({
      user: userJson(memberOf(workspace, need(args, 'user')), isOn(args.include_locale)),
    }),
  },
  'users.list': {
    scope: 'users:read',
    run: ({ args, workspace }) => {
      const { items, response_metadata } = page([...workspace.members.values()], args, 1000);
      const members = items.map((member) => userJson(member, isOn(args.include_locale)));
      return { members, cache_ts: Math.floor(workspace.clock.now() / 1000), response_metadata };
    },
  },
  'usergroups.list': {
    scope: 'usergroups:read',
    run: ({ args, workspace }) => ({
      usergroups: [...workspace.groups.values()]
        .filter((group) => !group.disabled || isOn(args.include_disabled))
        .map((group) => groupJson(group, isOn(args.include_users))),
    }),
  },
  'usergroups.users.list': {
    scope: 'usergroups:read',
    needs: ['usergroup'],
    run: ({ args, workspace }) => {
      const group = workspace.groups.get(need(args, 'usergroup'));
      if (!group) throw new SlackError('no_such_subteam');
      if (group.disabled && !isOn(args.include_disabled)) throw new SlackError('subteam_disabled');
      return { users: [...group.members] };
    },
  },
  'conversations.info': {
    scope: 'channels:read',
    needs: ['channel'],
    run: ({ args, workspace }) => ({
      channel: channelJson(conversation(workspace, args), isOn(args.include_num_members)),
    }),
  },
  'conversations.list': {
    scope: 'channels:read',
    run: ({ args, workspace }) => {
      const kinds = (textOf(args.types) || 'public_channel').split(',').map((kind) => kind.trim());
      const all = [...workspace.channels.values()].filter(
        (channel) =>
          kinds.includes(KINDS[channel.kind]) &&
          !(channel.archived && isOn(args.exclude_archived)) &&
          (channel.kind === 'channel' || channel.members.includes(BOT_USER)),
      );
      const { items, response_metadata } = page(all, args, 100);
      return { channels: items.map((channel) => channelJson(channel, true)), response_metadata };
    },
  },
  'conversations.members': {
    scope: 'channels:read',
    needs: ['channel'],
    run: ({ args, workspace }) => {
      const { items, response_metadata } = page(conversation(workspace, args).members, args, 100);
      return { members: items, response_metadata };
    },
  },
  'conversations.open': {
    scope: 'im:write',
    run: ({ args, workspace }) => {
      const known = workspace.channels.get(textOf(args.channel));
      if (known) return { no_op: true, already_open: true, channel: { id: known.id } };
      const people = textOf(args.users).split(',').filter(Boolean);
      if (people.length === 0) throw new SlackError('users_list_not_supplied');
      if (people.length > 8) throw new SlackError('too_many_users');
      for (const id of people) {
        const member = memberOf(workspace, id);
        if (member.bot) throw new SlackError('cannot_dm_bot');
        if (member.deleted) throw new SlackError('user_disabled');
      }
      const { channel, isNew } = workspace.openDirect(people);
      const body = isOn(args.return_im) ? channelJson(channel) : { id: channel.id };
      return { channel: body, ...(isNew ? {} : { no_op: true, already_open: true }) };
    },
  },
  'bots.info': {
    scope: 'users:read',
    needs: ['bot'],
    run: ({ args }) => {
      if (need(args, 'bot') !== BOT) throw new SlackError('bot_not_found');
      return { bot: { id: BOT, app_id: APP, user_id: BOT_USER, name: 'belay', deleted: false, icons: {} } };
    },
  },
  'team.info': {
    scope: 'team:read',
    run: () => ({ team: { id: TEAM, name: 'Sandbox', domain: 'sandbox', email_domain: '', icon: {} } }),
  },
};
