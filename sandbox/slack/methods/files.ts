import { checkBlocks, withIds } from '../blocks.ts';
import { type Fields, listOf, textOf } from '../fields.ts';
import { BOT_USER } from '../people.ts';
import { fileJson } from '../shapes.ts';
import { SlackError } from '../slack-error.ts';
import type { StoredFile } from '../workspace.ts';
import { type Method, need } from './method.ts';

const MIME: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  txt: 'text/plain',
  json: 'application/json',
};

/** Only types that a browser shows without running anything; all else is bytes to download. */
function mimeOf(name: string): string {
  return MIME[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}

export const files: Record<string, Method> = {
  'files.getUploadURLExternal': {
    scope: 'files:write',
    needs: ['filename', 'length'],
    run: ({ args, workspace, url }) => {
      const length = Number(args.length);
      if (!(Number.isInteger(length) && length > 0)) {
        throw new SlackError('invalid_arguments', ['[ERROR] length must be a positive integer']);
      }
      const name = need(args, 'filename');
      const id = workspace.nextId('F');
      workspace.files.set(id, { id, name, title: name, bytes: new Uint8Array(), mimeType: mimeOf(name) });
      return { upload_url: `${url}/upload/${id}`, file_id: id };
    },
  },
  'files.completeUploadExternal': {
    scope: 'files:write',
    needs: ['files'],
    run: ({ args, workspace }) => {
      const asked = listOf(args.files);
      if (asked.length === 0) throw new SlackError('invalid_arguments', ['[ERROR] missing required field: files']);
      const done = asked.map((one): StoredFile => {
        const file = workspace.files.get(textOf(one.id));
        if (!file || file.bytes.length === 0) throw new SlackError('file_not_found');
        file.title = textOf(one.title) || file.name;
        return file;
      });
      share(args, done, workspace);
      return { files: done.map(fileJson) };
    },
  },
};

/** Without a channel the file stays private, for a block to show it by its id. */
function share(args: Fields, done: StoredFile[], workspace: Parameters<Method['run']>[0]['workspace']): void {
  const id = textOf(args.channel_id);
  if (!id) return;
  const channel = workspace.channels.get(id);
  if (!channel) throw new SlackError('channel_not_found');
  if (!channel.members.includes(BOT_USER)) throw new SlackError('not_in_channel');
  const blocks = args.blocks ?? [];
  const problem = checkBlocks(blocks, 'message', '/blocks');
  if (problem) throw new SlackError(problem.code, problem.messages);
  const threadTs = textOf(args.thread_ts) || null;
  if (threadTs && !workspace.find(id, threadTs)) throw new SlackError('thread_not_found');
  workspace.post({
    channel: id,
    user: BOT_USER,
    threadTs,
    text: textOf(args.initial_comment),
    blocks: withIds(listOf(blocks), () => workspace.nextId('')),
    files: done,
  });
}
