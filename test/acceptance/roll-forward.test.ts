import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHO, SHOP } from '../../sandbox/slack/people.ts';
import type { World } from '../../sandbox/world.ts';
import { endsOf, errorsSignal, startShop } from './shop.ts';
import { messageWith, press, threadOf } from './town.ts';

const CHECK = fileURLToPath(new URL('./check-program.ts', import.meta.url));

const REST = `targets: { staging: , eu: , us: }
signals:
${errorsSignal(1, 5)}stages:
  - name: staging
    targets: [staging]
    kind: upgrade-downgrade
    checks:
      - { name: own, kind: command, run: ['${process.execPath}', '${CHECK}'] }
    bake: { for: 1s, every: 500ms }
  - name: production
    targets: [eu, us]
    rollout: { waves: [regions] }
    bake: { for: 4s, every: 500ms }
    onDegraded: ask
    decide: { within: 10m }
`;

let world: World;
beforeAll(async () => {
  const region = { instances: 1, rps: 20 };
  world = await startShop({ regions: { staging: region, eu: region, us: region }, rest: () => REST });
});
afterAll(() => world?.stop());

it('P5 a release that works, from which one can go back, and that works again goes on to production', async () => {
  const { sha, digest } = await world.merge('good');
  const rollout = await world.waitForPhase(sha, 'succeeded');
  expect(endsOf(rollout)).toEqual([
    'staging upgrade passed',
    'staging downgrade passed',
    'staging upgrade again passed',
    'production wave 1 passed',
    'production wave 2 passed',
  ]);
  expect(rollout.release.isRollForwardOnly).toBe(false);
  for (const target of ['staging', 'eu', 'us']) expect(await world.runs(target)).toEqual([digest]);
});

it('P5 D6 one that cannot be gone back from is marked on staging; when its wave gets worse nobody is offered a way back, and Cho continues', async () => {
  const [ran] = await world.runs('staging');
  await writeFile(join(world.folder, 'refused'), ran ?? '');
  const { sha, digest } = await world.merge('good');
  for (const target of ['eu', 'us']) world.fleet.setBehaviour(digest, 'errors', target);
  const asked = await world.waitForPhase(sha, 'deciding');
  expect(endsOf(asked)).toEqual(['staging upgrade passed', 'staging downgrade failed', 'staging upgrade again passed']);
  expect(asked.release.isRollForwardOnly).toBe(true);
  expect(asked.phase).toMatchObject({
    trouble: { code: 'degraded', signals: ['errors'] },
    choices: ['hold', 'continue', 'retry'],
    countdown: null,
  });
  await world.slack.waitFor(() => messageWith(world, sha, 'decide:continue')?.threadTs);
  const shown = JSON.stringify([...world.slack.messages(SHOP), ...threadOf(world, sha)].map((one) => one.blocks));
  expect(shown).toContain('"action_id":"decide:hold"');
  expect(shown).not.toMatch(/"action_id":"(rollback|decide:roll-back)"/);

  for (const target of ['eu', 'us']) world.fleet.setBehaviour(digest, 'good', target);
  await press(world, CHO, sha, 'decide:continue');
  const form = await world.slack.waitFor(() => world.slack.views(CHO).at(-1));
  await world.slack.submitView(CHO, form.id, { reason: 'the cause is mended' });
  const rollout = await world.waitForPhase(sha, 'succeeded');
  expect(endsOf(rollout).slice(-2)).toEqual(['production wave 1 continued', 'production wave 2 passed']);
});
