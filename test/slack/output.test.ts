import { describe, expect, it } from 'vitest';
import { driftStep } from '../../src/core/drift-case.ts';
import { type PostedMessage, uuidOf } from '../../src/slack/messenger.ts';
import { createOutput } from '../../src/slack/output.ts';
import type { Extra } from '../../src/slack/views/card.ts';
import type { WebAnswer } from '../../src/slack/web.ts';
import { four, given as givenDrift, looked, OTHER } from '../support/drifted.ts';
import { phases } from '../support/phases.ts';
import { aRollout, CHANNEL, NOON_MS, PEOPLE } from '../support/rollout.ts';

const EXTRA: Extra = { people: PEOPLE, hosts: [], eta: null, nowMs: NOON_MS };

type Call = { method: string; args: Record<string, unknown> };

/** A workspace that keeps what is posted, by `client_msg_id` as Slack does; `fail` answers instead, after or before. */
function aWorkspace() {
  const calls: Call[] = [];
  const messages = new Map<string, { ts: string; id: string; blocks: unknown }>();
  const posted = new Map<string, PostedMessage>();
  let count = 0;
  const world = {
    calls,
    messages,
    posted,
    nowMs: NOON_MS,
    fail: (_call: Call): WebAnswer | null => null,
    failAfter: (_call: Call): WebAnswer | null => null,
  };
  const act = ({ method, args }: Call): WebAnswer => {
    if (method === 'chat.postMessage') {
      const id = String(args.client_msg_id);
      const twin = [...messages.values()].find((one) => one.id === id);
      const ts = twin?.ts ?? `17000000${count++}.000100`;
      if (!twin) messages.set(ts, { ts, id, blocks: args.blocks });
      return { is: 'ok', body: { ts, channel: args.channel } };
    }
    const message = messages.get(String(args.ts));
    if (!message) return { is: 'refused', error: 'message_not_found' };
    message.blocks = args.blocks;
    return { is: 'ok', body: { ts: message.ts, channel: args.channel } };
  };
  const output = createOutput({
    web: {
      call: async (method, args) => {
        const call = { method, args };
        calls.push(call);
        return world.fail(call) ?? ((answer) => world.failAfter(call) ?? answer)(act(call));
      },
    },
    posted: {
      get: async (key) => posted.get(key) ?? null,
      put: async (key, message) => {
        posted.set(key, message);
      },
    },
    clock: () => world.nowMs,
  });
  /** As the engine does: again when told to, until it is done. */
  const settle = async (run: () => ReturnType<typeof output.project>) => {
    for (let tries = 0; tries < 50; tries++) {
      const answer = await run();
      if (answer.is === 'done' || (answer.is === 'failed' && answer.isTerminal)) return answer;
      world.nowMs += answer.is === 'running' ? answer.retryAfterMs : 1000;
    }
    throw new Error('it never ends');
  };
  return { ...world, world, output, settle };
}

describe('T12 the projection', () => {
  it('posts the card first, the rest into its thread, with nothing unfurled', async () => {
    const { world, output, settle } = aWorkspace();
    expect(await settle(() => output.project(aRollout(), EXTRA))).toEqual({ is: 'done' });
    const [card, ...rest] = world.calls;
    expect(card?.args).toMatchObject({ channel: CHANNEL, unfurl_links: false, unfurl_media: false, parse: 'none' });
    expect(card?.args.thread_ts).toBeUndefined();
    expect(rest.map((one) => one.args.thread_ts)).toEqual(rest.map(() => world.posted.get('ro-1/card')?.ts));
    expect([...world.posted.keys()]).toEqual([
      'ro-1/card',
      'ro-1/stage:staging',
      'ro-1/approval:prod',
      'ro-1/stage:prod',
    ]);
  });

  it('calls Slack for what changed and nothing else', async () => {
    const { world, output, settle } = aWorkspace();
    await settle(() => output.project(aRollout(), EXTRA));
    world.calls.length = 0;
    expect(await output.project(aRollout(), EXTRA)).toEqual({ is: 'done' });
    expect(world.calls).toEqual([]);
    await settle(() => output.project(aRollout({ phase: phases()[5] as never }), EXTRA));
    expect(world.calls.every((one) => one.method === 'chat.update')).toBe(true);
  });

  it('T4 posts nothing twice when the answer is lost after Slack has posted', async () => {
    const { world, output, settle } = aWorkspace();
    let lost = 0;
    world.failAfter = () => (lost++ % 2 === 0 ? { is: 'unknown', detail: 'timed out' } : null);
    await settle(() => output.project(aRollout(), EXTRA));
    expect(world.messages.size).toBe(4);
  });

  it('posts nothing twice when it is asked for twice at once', async () => {
    const { world, output } = aWorkspace();
    await Promise.all([output.project(aRollout(), EXTRA), output.project(aRollout(), EXTRA)]);
    expect(world.messages.size).toBe(4);
    expect(world.calls).toHaveLength(4);
  });

  it('T4 a post whose answer was lost keeps its old text in Slack, so the newest is edited into it', async () => {
    const { world, output, settle } = aWorkspace();
    world.failAfter = () => ({ is: 'unknown', detail: 'no answer' });
    expect((await output.project(aRollout(), EXTRA)).is).toBe('failed');
    world.failAfter = () => null;
    const done = aRollout({ phase: { is: 'succeeded', atMs: NOON_MS } });
    await settle(() => output.project(done, EXTRA));
    expect(world.messages.size).toBe(world.posted.size);
    const card = world.messages.get(world.posted.get('ro-1/card')?.ts ?? '');
    expect(JSON.stringify(card?.blocks)).toContain('Done');
  });

  it('T4 what Slack refused to take for now is posted later, and not edited after that', async () => {
    const { world, output, settle } = aWorkspace();
    world.fail = () => ({ is: 'limited', retryAfterMs: 1000 });
    expect((await output.project(aRollout(), EXTRA)).is).toBe('running');
    world.fail = () => null;
    world.nowMs += 1000;
    await settle(() => output.project(aRollout(), EXTRA));
    expect(world.calls.map((one) => one.method)).not.toContain('chat.update');
  });

  it('tries again after an outage and ends with the newest state', async () => {
    const { world, output, settle } = aWorkspace();
    world.fail = () => ({ is: 'unknown', detail: 'Slack answered HTTP 500' });
    expect(await output.project(aRollout(), EXTRA)).toEqual({
      is: 'failed',
      isTerminal: false,
      detail: 'Slack answered HTTP 500',
    });
    world.fail = () => null;
    const done = aRollout({ phase: { is: 'succeeded', atMs: NOON_MS } });
    await settle(() => output.project(done, EXTRA));
    expect(JSON.stringify([...world.messages.values()][0]?.blocks)).toContain('*Done*');
  });

  it('waits as long as a 429 says, for that method only', async () => {
    const { world, output, settle } = aWorkspace();
    await settle(() => output.project(aRollout(), EXTRA));
    world.nowMs += 60_000;
    world.fail = ({ method }) => (method === 'chat.update' ? { is: 'limited', retryAfterMs: 30_000 } : null);
    const next = aRollout({ phase: phases()[5] as never });
    expect(await output.project(next, EXTRA)).toEqual({ is: 'running', retryAfterMs: 30_000 });
    world.calls.length = 0;
    world.nowMs += 10_000;
    expect(await output.project(next, EXTRA)).toEqual({ is: 'running', retryAfterMs: 20_000 });
    expect(world.calls).toEqual([]);
    const announced = await output.announce('ro-1/8/announce', next, 'waiting', next.phase, EXTRA);
    expect(announced).toEqual({ is: 'done' });
  });

  it('keeps to about one post a second in a channel, after a small burst', async () => {
    const { world, output } = aWorkspace();
    for (const id of ['a', 'b', 'c']) await output.project(aRollout({ id }), EXTRA);
    expect(world.calls).toHaveLength(5);
    expect(await output.project(aRollout({ id: 'b' }), EXTRA)).toEqual({ is: 'running', retryAfterMs: 1000 });
    expect(await output.project(aRollout({ id: 'elsewhere', channel: 'C0WEB' }), EXTRA)).toEqual({ is: 'done' });
  });

  it('posts anew what somebody deleted', async () => {
    const { world, output, settle } = aWorkspace();
    await settle(() => output.project(aRollout(), EXTRA));
    const lost = world.posted.get('ro-1/card')?.ts ?? '';
    world.messages.delete(lost);
    world.nowMs += 60_000;
    await settle(() => output.project(aRollout({ phase: phases()[5] as never }), EXTRA));
    const ts = world.posted.get('ro-1/card')?.ts ?? '';
    expect(ts).not.toBe(lost);
    expect(world.messages.has(ts)).toBe(true);
  });

  it('posts the card anew when its thread is gone before anything in the card has changed', async () => {
    const { world, output, settle } = aWorkspace();
    await settle(() => output.project(aRollout({ phase: phases()[0] as never, steps: [] }), EXTRA));
    const lost = world.posted.get('ro-1/card')?.ts ?? '';
    world.messages.delete(lost);
    world.nowMs += 60_000;
    world.fail = ({ args }) => (args.thread_ts === lost ? { is: 'refused', error: 'thread_not_found' } : null);
    const phase = phases()[0] as never;
    const key = 'ro-1/7/announce';
    await settle(async () => {
      const answer = await output.announce(key, aRollout({ phase, steps: [] }), 'waiting', phase, EXTRA);
      await output.project(aRollout({ phase, steps: [] }), EXTRA);
      return answer;
    });
    expect(world.posted.get('ro-1/card')?.ts).not.toBe(lost);
    expect(world.calls.at(-1)?.args.thread_ts).toBe(world.posted.get('ro-1/card')?.ts);
  });

  it('says clearly what somebody has to change, and does not try that again', async () => {
    const { world, output } = aWorkspace();
    world.fail = () => ({ is: 'refused', error: 'channel_not_found' });
    expect(await output.project(aRollout(), EXTRA)).toMatchObject({
      is: 'failed',
      isTerminal: true,
      detail: expect.stringContaining('invite'),
    });
  });

  it('finds its way when Slack remembers an id whose message it lost', async () => {
    const { world, output, settle } = aWorkspace();
    const first = uuidOf('ro-1/card');
    world.fail = ({ args }) =>
      args.client_msg_id === first ? { is: 'refused', error: 'duplicate_message_not_found' } : null;
    expect(await settle(() => output.project(aRollout(), EXTRA))).toEqual({ is: 'done' });
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('X1 announcements and pages', () => {
  it('are said once, broadcast from the thread, after the card', async () => {
    const { world, output } = aWorkspace();
    const rollout = aRollout();
    for (let twice = 0; twice < 2; twice++) {
      expect(await output.announce('ro-1/7/announce/waiting', rollout, 'waiting', rollout.phase, EXTRA)).toEqual({
        is: 'done',
      });
      world.nowMs += 10_000;
    }
    const broadcasts = world.calls.filter((one) => one.args.reply_broadcast === true);
    expect(broadcasts).toHaveLength(1);
    expect(broadcasts[0]?.args.thread_ts).toBe(world.posted.get('ro-1/card')?.ts);
  });

  it('D3 mention the person on call', async () => {
    const { world, output } = aWorkspace();
    const rollout = aRollout({ phase: phases()[8] as never });
    const page = { who: 'slack:T0HOME/U0BEN', phase: rollout.phase, round: 0 };
    for (let tries = 0; tries < 3; tries++) {
      await output.page('ro-1/7/page', rollout, page, EXTRA);
      world.nowMs += 10_000;
    }
    expect(String(world.calls.at(-1)?.args.text)).toContain('<@U0BEN>');
  });
});

describe('R6 T12 the message of a drift', () => {
  const SOURCE = { is: 'release', by: null } as const;
  const open = givenDrift(four(OTHER)).known;
  const gone = givenDrift(four(OTHER), four()).known;
  const ignored = { ...open, phase: { ...open.phase, is: 'ignored', untilMs: 1, by: 'Ana', because: 'x', atMs: 0 } };
  const again = driftStep(ignored as never, { type: 'expired', atMs: NOON_MS }).next;

  it('is posted once and edited from then on', async () => {
    const { world, output, settle } = aWorkspace();
    for (const known of [open, open, gone]) await settle(() => output.projectDrift(known, SOURCE));
    expect(world.calls.map((one) => one.method)).toEqual(['chat.postMessage', 'chat.update']);
    expect(world.calls[0]?.args).toMatchObject({ channel: 'C0SHOP', unfurl_links: false });
    expect(JSON.stringify([...world.messages.values()])).toContain('No drift any more');
    expect([...world.posted.keys()]).toEqual(['drift:shop/eu#1/card']);
  });

  it('T4 is one message when Slack was down, when an answer was lost, and when it is asked for twice at once', async () => {
    const { world, output, settle } = aWorkspace();
    world.fail = () => ({ is: 'unknown', detail: 'HTTP 500' });
    expect((await output.projectDrift(open, SOURCE)).is).toBe('failed');
    world.fail = () => null;
    let lost = 0;
    world.failAfter = () => (lost++ === 0 ? { is: 'unknown', detail: 'timed out' } : null);
    const both = () => Promise.all([output.projectDrift(gone, SOURCE), output.projectDrift(gone, SOURCE)]);
    await settle(async () => (await both())[1]);
    expect(world.messages.size).toBe(1);
    expect(JSON.stringify([...world.messages.values()])).toContain('No drift any more');
  });

  it('of a later drift of the same target is another one', async () => {
    const { world, output, settle } = aWorkspace();
    const next = driftStep(gone, looked(four(OTHER), gone.recorded, NOON_MS + 1e9)).next;
    for (const known of [open, gone, next]) await settle(() => output.projectDrift(known, SOURCE));
    expect(world.messages.size).toBe(2);
  });

  it('gets a word in its thread, broadcast once, when a time that somebody has set is over', async () => {
    const { world, output, settle } = aWorkspace();
    await settle(() => output.projectDrift(open, SOURCE));
    for (let twice = 0; twice < 2; twice += 1) await settle(() => output.projectDrift(again, SOURCE));
    const replies = world.calls.filter((one) => one.args.reply_broadcast === true);
    expect(replies).toHaveLength(1);
    expect(replies[0]?.args.thread_ts).toBe(world.posted.get('drift:shop/eu#1/card')?.ts);
  });
});
