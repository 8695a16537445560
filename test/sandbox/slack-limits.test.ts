import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEPLOYS } from '../../sandbox/slack/people.ts';
import type { SandboxSlack } from '../../sandbox/slack/slack.ts';
import { button, clientOf, openSlack, plain, refusal, section } from './slack-world.ts';

let slack: SandboxSlack;
beforeAll(async () => {
  slack = await openSlack();
});
afterAll(() => slack.stop());

const fill = (length: number) => 'x'.repeat(length);
const actions = (...elements: unknown[]) => ({ type: 'actions', elements });
const select = (count: number) => ({
  type: 'static_select',
  action_id: 'pick',
  options: Array.from({ length: count }, (_, i) => ({ text: plain(`o${i}`), value: `v${i}` })),
});

/** Slack's answer to a message of these blocks: its code, or "ok". */
async function posting(...blocks: unknown[]): Promise<string> {
  const call = clientOf(slack).apiCall('chat.postMessage', { channel: DEPLOYS, text: 'words', blocks });
  return call.then(
    () => 'ok',
    async () => (await refusal(call)).error,
  );
}

describe('a message that the real Slack would refuse is refused here', () => {
  const limits: [string, unknown[], unknown[], string?][] = [
    ['50 blocks', Array(50).fill({ type: 'divider' }), Array(51).fill({ type: 'divider' })],
    ['3000 characters in a section', [section(fill(3000))], [section(fill(3001))]],
    ['150 in a header', [{ type: 'header', text: plain(fill(150)) }], [{ type: 'header', text: plain(fill(151)) }]],
    [
      '75 on a button',
      [actions(button('a', { text: plain(fill(75)) }))],
      [actions(button('a', { text: plain(fill(76)) }))],
    ],
    ['2000 in a value', [actions(button('a', { value: fill(2000) }))], [actions(button('a', { value: fill(2001) }))]],
    [
      '10 context elements',
      [{ type: 'context', elements: Array(10).fill(plain('x')) }],
      [{ type: 'context', elements: Array(11).fill(plain('x')) }],
    ],
    [
      '25 actions',
      [actions(...Array.from({ length: 25 }, (_, i) => button(`a${i}`)))],
      [actions(...Array.from({ length: 26 }, (_, i) => button(`a${i}`)))],
    ],
    ['100 options', [actions(select(100))], [actions(select(101))]],
    ['255 in an action_id', [actions(button(fill(255)))], [actions(button(fill(256)))]],
    ['255 in a block_id', [{ type: 'divider', block_id: fill(255) }], [{ type: 'divider', block_id: fill(256) }]],
    [
      'one action_id for each button of a block',
      [actions(button('a')), actions(button('a'))],
      [actions(button('a'), button('a'))],
    ],
    [
      'one block_id for each block',
      [
        { type: 'divider', block_id: 'a' },
        { type: 'divider', block_id: 'b' },
      ],
      [
        { type: 'divider', block_id: 'a' },
        { type: 'divider', block_id: 'a' },
      ],
    ],
    ['known blocks', [{ type: 'divider' }], [{ type: 'banner' }]],
    ['known fields', [section('x')], [{ ...section('x'), colour: 'red' }]],
    ['text that is not empty', [section('x')], [section('')]],
    [
      'a table of 100 rows',
      [{ type: 'table', rows: Array(100).fill([{ type: 'raw_text', text: 'x' }]) }],
      [{ type: 'table', rows: Array(101).fill([{ type: 'raw_text', text: 'x' }]) }],
    ],
    [
      '11,000 characters in all blocks',
      [section(fill(3000)), section(fill(3000)), section(fill(3000)), section(fill(2000))],
      [section(fill(3000)), section(fill(3000)), section(fill(3000)), section(fill(2001))],
      'msg_blocks_too_long',
    ],
    [
      'a confirm of 300 characters',
      [
        actions(
          button('a', {
            confirm: { title: plain('x'), text: plain(fill(300)), confirm: plain('y'), deny: plain('n') },
          }),
        ),
      ],
      [
        actions(
          button('a', {
            confirm: { title: plain('x'), text: plain(fill(301)), confirm: plain('y'), deny: plain('n') },
          }),
        ),
      ],
    ],
  ];
  it.each(limits)('%s', async (_name, within, beyond, code = 'invalid_blocks') => {
    expect(await posting(...within)).toBe('ok');
    expect(await posting(...beyond)).toBe(code);
  });

  it('says where the problem is', async () => {
    const call = clientOf(slack).chat.postMessage({ channel: DEPLOYS, text: 'x', blocks: [section(fill(3001))] });
    expect((await refusal(call)).messages).toEqual([
      '[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]',
    ]);
  });

  it('blocks that are not JSON', async () => {
    const call = clientOf(slack).apiCall('chat.postMessage', { channel: DEPLOYS, text: 'x', blocks: '[{' });
    expect((await refusal(call)).error).toBe('invalid_blocks_format');
  });
});
