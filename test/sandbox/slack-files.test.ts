import { afterEach, describe, expect, it } from 'vitest';
import { DEPLOYS } from '../../sandbox/slack/people.ts';
import type { SandboxSlack, SlackSetup } from '../../sandbox/slack/slack.ts';
import { clientOf, handClock, openSlack, refusal } from './slack-world.ts';

let slack: SandboxSlack | null = null;
async function open(setup: Partial<SlackSetup> = {}): Promise<SandboxSlack> {
  slack = await openSlack(setup);
  return slack;
}
afterEach(async () => {
  await slack?.stop();
  slack = null;
});

const BYTES = Buffer.from('not really a picture');

async function begin(here: SandboxSlack, more: Record<string, unknown> = {}) {
  const asked = { filename: 'signal.png', length: BYTES.length, ...more };
  const { upload_url = '', file_id = '' } = await clientOf(here).files.getUploadURLExternal(asked);
  return { upload_url, file_id };
}
const send = (url: string, body: Buffer = BYTES) => fetch(url, { method: 'POST', body: new Uint8Array(body) });
const end = (here: SandboxSlack, id: string, more: Record<string, unknown> = {}) =>
  clientOf(here).apiCall('files.completeUploadExternal', { files: [{ id, title: 'Errors' }], ...more });
const show = (here: SandboxSlack, file: Record<string, unknown>) =>
  clientOf(here).apiCall('chat.postMessage', {
    channel: DEPLOYS,
    text: 'Look',
    blocks: [{ type: 'image', slack_file: file, alt_text: 'Errors rose.' }],
  });

async function uploaded(here: SandboxSlack, more: Record<string, unknown> = {}): Promise<string> {
  const { upload_url, file_id } = await begin(here, more);
  await send(upload_url);
  await end(here, file_id);
  return file_id;
}

describe('H5 a file for a block', () => {
  it('is shown by its id, with its description, and by no message of its own', async () => {
    const here = await open();
    const id = await uploaded(here, { alt_txt: 'Errors of shop.' });
    expect(here.messages(DEPLOYS)).toEqual([]);
    await show(here, { id });
    expect(here.workspace.files.get(id)).toMatchObject({ alt: 'Errors of shop.', title: 'Errors' });
    const page = await (await fetch(`${here.url}/?channel=${DEPLOYS}`)).text();
    expect(page).toContain(`src="/files/${id}" alt="Errors rose."`);
    expect(Buffer.from(await (await fetch(`${here.url}/files/${id}`)).arrayBuffer())).toEqual(BYTES);
  });

  it('is refused in a block while unknown, not sent, not completed, no picture, or of another form', async () => {
    const here = await open();
    const bad = {
      error: 'invalid_blocks',
      messages: ['[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]'],
    };
    expect(await refusal(show(here, { id: 'F0UNKNOWN1' }))).toEqual(bad);
    const { upload_url, file_id } = await begin(here);
    expect(await refusal(show(here, { id: file_id }))).toEqual(bad);
    await send(upload_url);
    expect(await refusal(show(here, { id: file_id }))).toEqual(bad);
    expect(await refusal(show(here, { id: await uploaded(here, { filename: 'a.txt' }) }))).toEqual(bad);
    expect((await refusal(show(here, { id: 'nonsense' }))).messages[0]).toContain('must match regex pattern');
    expect((await refusal(show(here, {}))).messages[0]).toContain('either id or url');
    await end(here, file_id);
    await show(here, { id: file_id });
  });

  it('is refused until it was looked through, and in an edit as well', async () => {
    const clock = handClock();
    const here = await open({ clock, fileScanMs: 5000 });
    const id = await uploaded(here);
    const { ts = '' } = await clientOf(here).chat.postMessage({ channel: DEPLOYS, text: 'words' });
    const blocks = [{ type: 'image', slack_file: { id }, alt_text: 'Errors.' }];
    const edit = () => clientOf(here).apiCall('chat.update', { channel: DEPLOYS, ts, text: 'words', blocks });
    expect((await refusal(edit())).error).toBe('invalid_blocks');
    clock.pass(5000);
    expect(await edit()).toMatchObject({ ok: true });
  });
});

describe('an upload', () => {
  it('has an address for one file, once, of the size that was announced', async () => {
    const here = await open();
    const first = await begin(here);
    expect((await send(first.upload_url, Buffer.from('short'))).status).toBe(400);
    expect((await send(first.upload_url)).status).toBe(200);
    expect((await send(first.upload_url)).status).toBe(404);
    expect((await send(`${here.url}/upload/F0UNKNOWN1`)).status).toBe(404);
  });

  it('cannot be completed before it was sent, and needs a size and a short description', async () => {
    const here = await open();
    const { file_id } = await begin(here);
    expect((await refusal(end(here, file_id))).error).toBe('file_not_found');
    expect((await refusal(begin(here, { length: 0 }))).error).toBe('invalid_arguments');
    expect((await refusal(begin(here, { alt_txt: 'x'.repeat(1001) }))).error).toBe('alt_txt_too_large');
    const poor = await openSlack({ scopes: ['chat:write'] });
    expect((await refusal(begin(poor))).error).toBe('missing_scope');
    await poor.stop();
  });
});
