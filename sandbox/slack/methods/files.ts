import { checkFiles } from '../block-files.ts';
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

/** Far more than anything that is shown here. */
const MAX_BYTES = 1024 * 1024 * 1024;
const MAX_ALT = 1000;

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
      if (length > MAX_BYTES) throw new SlackError('file_upload_size_restricted');
      const alt = textOf(args.alt_txt);
      if (alt.length > MAX_ALT) throw new SlackError('alt_txt_too_large');
      const name = need(args, 'filename');
      const id = workspace.nextId('F');
      const mimeType = mimeOf(name);
      const bytes = new Uint8Array();
      workspace.files.set(id, { id, name, title: name, alt, bytes, mimeType, length, readyAtMs: null });
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
        return file;
      });
      share(args, done, workspace);
      for (const [index, file] of done.entries()) {
        file.title = textOf(asked[index]?.title) || file.name;
        file.readyAtMs ??= workspace.clock.now() + workspace.fileScanMs;
      }
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
  const problem = checkBlocks(blocks, 'message', '/blocks') ?? checkFiles(blocks, workspace, '/blocks');
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
