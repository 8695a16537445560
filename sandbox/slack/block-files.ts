import type { BlockProblem } from './blocks.ts';
import { isFields, listOf, textOf } from './fields.ts';
import type { Workspace } from './workspace.ts';

const ID = /^[F][A-Z0-9]{8,}$/;
const SHOWABLE = ['image/png', 'image/jpeg', 'image/gif'];

/**
 * What Slack says of the files in image blocks: the id must have its form, and be of an image that was uploaded to the
 * end and looked through. Files are looked through after the call that ends their upload, so that one that is used at
 * once may be refused and be taken a moment later.
 */
export function checkFiles(blocks: unknown, workspace: Workspace, within: string): BlockProblem | null {
  const messages: string[] = [];
  const nowMs = workspace.clock.now();
  const visit = (value: unknown, at: string): void => {
    if (Array.isArray(value)) for (const [index, one] of value.entries()) visit(one, `${at}/${index}`);
    if (!isFields(value)) return;
    for (const [key, one] of Object.entries(value)) visit(one, `${at}/${key}`);
    if (value.type !== 'image' || !isFields(value.slack_file)) return;
    const { id, url } = value.slack_file;
    if (id === undefined ? url === undefined : url !== undefined) {
      messages.push(`[ERROR] must provide either id or url [json-pointer:${at}/slack_file]`);
    } else if (id !== undefined && !ID.test(textOf(id))) {
      messages.push(`[ERROR] input must match regex pattern: ${ID.source} [json-pointer:${at}/slack_file/id]`);
    } else if (!isReady(textOf(id))) {
      messages.push(`[ERROR] invalid slack file [json-pointer:${at}/slack_file]`);
    }
  };
  const isReady = (id: string) => {
    const file = workspace.files.get(id);
    return file?.readyAtMs != null && file.readyAtMs <= nowMs && SHOWABLE.includes(file.mimeType);
  };
  visit(listOf(blocks), within);
  return messages.length > 0 ? { code: 'invalid_blocks', messages } : null;
}
