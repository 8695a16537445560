import { copyOf, type Fields } from './fields.ts';
import { APP, BOT, BOT_USER, type Channel, type Group, type Member, TEAM } from './people.ts';
import type { Message, StoredFile, View, Workspace } from './workspace.ts';

/** The workspace's things in the shapes that Slack's API and payloads give them. */

export function userJson(member: Member, withLocale = false): Fields {
  return {
    id: member.id,
    team_id: member.teamId,
    name: member.name,
    real_name: member.realName,
    deleted: member.deleted,
    is_bot: member.bot,
    is_admin: false,
    is_owner: false,
    is_restricted: member.guest,
    is_ultra_restricted: false,
    is_stranger: member.stranger,
    is_app_user: false,
    tz: member.tz,
    updated: 0,
    profile: { display_name: member.name, real_name: member.realName, team: member.teamId },
    ...(withLocale ? { locale: member.locale } : {}),
  };
}

export function channelJson(channel: Channel, withCount = false): Fields {
  const direct = channel.kind === 'im';
  return {
    id: channel.id,
    ...(direct ? { user: channel.name } : { name: channel.name, name_normalized: channel.name }),
    is_channel: channel.kind === 'channel',
    is_group: channel.kind === 'private',
    is_im: direct,
    is_mpim: channel.kind === 'mpim',
    is_private: channel.kind !== 'channel',
    is_archived: channel.archived,
    is_member: channel.members.includes(BOT_USER),
    is_shared: channel.shared,
    is_ext_shared: channel.shared,
    is_org_shared: false,
    context_team_id: TEAM,
    created: 0,
    topic: { value: channel.topic, creator: '', last_set: 0 },
    purpose: { value: '', creator: '', last_set: 0 },
    ...(withCount ? { num_members: channel.members.length } : {}),
  };
}

export function groupJson(group: Group, withUsers: boolean): Fields {
  return {
    id: group.id,
    team_id: TEAM,
    is_usergroup: true,
    handle: group.handle,
    name: group.name,
    description: '',
    date_delete: group.disabled ? 1 : 0,
    user_count: group.members.length,
    ...(withUsers ? { users: [...group.members] } : {}),
  };
}

export function messageJson(workspace: Workspace, message: Message): Fields {
  const fromBot = message.user === BOT_USER;
  const replies = workspace.posted.filter(
    (other) => other.channel === message.channel && other.threadTs === message.ts,
  ).length;
  return {
    type: 'message',
    user: message.user,
    ts: message.ts,
    text: message.text,
    team: TEAM,
    ...(fromBot ? { bot_id: BOT, app_id: APP } : {}),
    ...(message.blocks.length > 0 ? { blocks: copyOf(message.blocks) } : {}),
    ...(message.threadTs ? { thread_ts: message.threadTs } : {}),
    ...(replies > 0 ? { thread_ts: message.ts, reply_count: replies } : {}),
    ...(message.broadcast ? { subtype: 'thread_broadcast' } : {}),
    ...(message.clientMsgId ? { client_msg_id: message.clientMsgId } : {}),
    ...(message.metadata ? { metadata: copyOf(message.metadata) } : {}),
    ...(message.editedTs ? { edited: { user: message.user, ts: message.editedTs } } : {}),
    ...(message.files.length > 0 ? { files: message.files.map(fileJson) } : {}),
    ...(message.onlyFor ? { is_ephemeral: true } : {}),
  };
}

export function fileJson(file: StoredFile): Fields {
  return { id: file.id, name: file.name, title: file.title, mimetype: file.mimeType, size: file.bytes.length };
}

export function viewJson(view: View): Fields {
  return {
    submit: null,
    close: null,
    callback_id: '',
    private_metadata: '',
    external_id: '',
    clear_on_close: false,
    notify_on_close: false,
    ...copyOf(view.spec),
    id: view.id,
    team_id: TEAM,
    app_id: APP,
    bot_id: BOT,
    app_installed_team_id: TEAM,
    hash: view.hash,
    root_view_id: view.rootId,
    previous_view_id: view.previousId,
    state: { values: copyOf(view.values) },
  };
}
