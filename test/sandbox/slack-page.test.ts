import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANA, BEN, BOT_USER, DEPLOYS } from '../../sandbox/slack/people.ts';
import type { SandboxSlack } from '../../sandbox/slack/slack.ts';
import { button, openSlack, plain, section } from './slack-world.ts';

const HOSTILE = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)>';

let slack: SandboxSlack;
const merged: string[] = [];
beforeEach(async () => {
  merged.length = 0;
  slack = await openSlack({
    links: [
      { title: 'GitHub', url: 'http://127.0.0.1:4001/' },
      { title: 'Evil', url: 'javascript:alert(1)' },
    ],
    fleetState: () => ({
      targets: [
        {
          name: 'production',
          requestsPerSecond: 50,
          failedPerSecond: 2.5,
          instances: [
            { name: 'web-1', version: 'v1', healthy: true },
            { name: 'web-2', version: 'v2', healthy: false },
          ],
        },
      ],
    }),
    merges: {
      list: () => [{ id: '7', title: 'A better price', description: 'shop', merged: merged.includes('7') }],
      merge: async (id) => merged.push(id),
    },
  });
});
afterEach(() => slack.stop());

const html = async (query = '') => (await fetch(`${slack.url}/${query}`)).text();
const send = (path: string, body: unknown) =>
  fetch(`${slack.url}/sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

describe('the page', () => {
  it('shows a message with its blocks, and buttons that say what they would do', async () => {
    const confirm = {
      title: plain('Ship?'),
      text: plain('To production.'),
      confirm: plain('Ship it'),
      deny: plain('No'),
    };
    const elements = [button('approve', { confirm, accessibility_label: 'Approve shop' })];
    slack.workspace.post({
      channel: DEPLOYS,
      user: BOT_USER,
      text: 'fallback',
      blocks: [section(`for <@${ANA}> and *now*`), { type: 'actions', block_id: 'gate', elements }],
    });
    const page = await html();
    expect(page).toContain('@ana');
    expect(page).toContain('<strong>');
    expect(page).toContain('data-action-id="approve"');
    expect(page).toContain('data-block-id="gate"');
    expect(page).toContain('aria-label="Approve shop"');
    expect(page).toContain('Ship it');
    expect(page).not.toContain('fallback');
  });

  it('draws verbatim text as Slack does: marked up, and every sign where it was written', async () => {
    const text = { type: 'mrkdwn', text: ':rocket: *bold* `[to &lt;stage&gt;] x`', verbatim: true };
    slack.workspace.post({ channel: DEPLOYS, user: BOT_USER, text: 'x', blocks: [{ type: 'section', text }] });
    const page = await html();
    expect(page).toContain('🚀');
    expect(page).toMatch(/<strong>(<span>)*bold/);
    expect(page).toContain('[to &lt;stage&gt;] x');
  });

  it('runs nothing that somebody wrote', async () => {
    await slack.say(ANA, DEPLOYS, HOSTILE);
    const elements = [button('a', { text: plain(HOSTILE.slice(0, 75)), value: HOSTILE, url: 'javascript:alert(3)' })];
    slack.workspace.post({
      channel: DEPLOYS,
      user: BOT_USER,
      text: HOSTILE,
      blocks: [
        section(`${HOSTILE} <javascript:alert(4)|click>`),
        { type: 'header', text: plain(HOSTILE) },
        { type: 'actions', block_id: HOSTILE, elements },
      ],
    });
    for (const page of [
      await html(),
      await html('?side=inspector'),
      await html(`?channel=${encodeURIComponent(HOSTILE)}`),
    ]) {
      expect(page).not.toContain('<script>alert');
      expect(page).not.toContain('<img src=x');
      expect(page).not.toMatch(/(href|data-url)="javascript:/i);
    }
    const policy = (await fetch(slack.url)).headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self'");
  });

  it('shows an ephemeral message and a modal to their person only', async () => {
    slack.workspace.post({ channel: DEPLOYS, user: BOT_USER, text: 'for ana only', onlyFor: ANA });
    expect(await html(`?as=${ANA}`)).toContain('for ana only');
    expect(await html(`?as=${BEN}`)).not.toContain('for ana only');
  });

  it('says state in words: what runs where, what failed, what is merged', async () => {
    const page = await html();
    expect(page).toContain('✓ healthy');
    expect(page).toContain('✕ unhealthy');
    expect(page).toContain('2.5 failed/s');
    expect(page).toContain('data-merge="7"');
    expect((await send('merge', { id: '7' })).status).toBe(200);
    expect(await html()).toContain('>merged<');
    expect(await (await fetch(`${slack.url}/sandbox/fleet`)).json()).toMatchObject({
      targets: [{ name: 'production' }],
    });
  });

  it('tells open pages at once that something has changed', async () => {
    const stopped = new AbortController();
    const response = await fetch(`${slack.url}/sandbox/events`, { signal: stopped.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    await slack.say(ANA, DEPLOYS, 'hello');
    const { value } = (await reader?.read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toContain('changed');
    stopped.abort();
    const parts = (await (await fetch(`${slack.url}/fragments`)).json()) as { content: string };
    expect(parts.content).toContain('hello');
  });

  it('can be driven from another process, with errors that say what is wrong', async () => {
    expect((await send('say', { user: ANA, channel: DEPLOYS, text: 'hi' })).status).toBe(200);
    const messages = await (await fetch(`${slack.url}/sandbox/messages?channel=${DEPLOYS}`)).json();
    expect(messages).toMatchObject([{ user: ANA, text: 'hi' }]);
    const wrong = await send('say', { user: 'U404', channel: DEPLOYS, text: 'hi' });
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { ok: false, error: 'There is no member "U404" in this workspace.' },
    ]);
    expect((await send('dance', {})).status).toBe(404);
  });
});
