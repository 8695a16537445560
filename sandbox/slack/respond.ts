import { type Fields, fieldsOf, textOf } from './fields.ts';
import { contentOf } from './methods/chat.ts';
import { BOT_USER } from './people.ts';
import type { Message, Workspace } from './workspace.ts';

/**
 * What a body does that came through a response_url, or in the acknowledgement of a slash command: answers the person
 * alone or the channel, replaces or deletes the message that was clicked. Throws SlackError on what Slack refuses.
 */
export function respond(
  workspace: Workspace,
  to: { user: string; channel: string; source: Message | null },
  body: unknown,
): void {
  const args: Fields = typeof body === 'string' ? { text: body } : fieldsOf(body);
  const source = to.source;
  if (args.delete_original === true) {
    if (source) workspace.remove(source);
    return;
  }
  const content = contentOf(workspace, args);
  if (args.replace_original === true && source) {
    workspace.edit(source, content);
    return;
  }
  const open = args.response_type === 'in_channel';
  const threadTs = textOf(args.thread_ts) || null;
  workspace.post({ ...content, channel: to.channel, user: BOT_USER, threadTs, onlyFor: open ? null : to.user });
}
