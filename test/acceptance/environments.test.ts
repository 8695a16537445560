import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ANA } from '../../sandbox/slack/people.ts';
import type { World } from '../../sandbox/world.ts';
import { endsOf, errorsSignal, startShop } from './shop.ts';
import { press } from './town.ts';

const CHECK = fileURLToPath(new URL('./check-program.ts', import.meta.url));

const rest = (fleetUrl: string) => `targets: { smoke: , staging: , eu: }
signals:
${errorsSignal(1, 5)}stages:
  - name: smoke
    targets: [smoke]
    environment: ephemeral
    checks:
      - { name: answers, kind: http, url: '${fleetUrl}/fleet/targets/{target}/healthz', json: { field: digest, equals: '{digest}' } }
      - { name: own, kind: command, run: ['${process.execPath}', '${CHECK}'], deadline: 3m }
      - { name: load, kind: load, url: '${fleetUrl}/fleet/targets/{target}/', rate: 10, for: 1s, timeoutMs: 20000, limits: { p95Ms: 15000 }, deadline: 1m }
    bake: { for: 1s, every: 500ms }
  - name: staging
    targets: [staging]
    bake: { for: 1s, every: 500ms }
  - name: production
    targets: [eu]
    bake: { for: 1s, every: 500ms }
`;

let world: World;
beforeAll(async () => {
  const regions = { staging: { instances: 1, rps: 10 }, eu: { instances: 1, rps: 10 } };
  world = await startShop({ regions, rest });
});
afterAll(() => world?.stop());

const hold = () => writeFile(join(world.folder, 'held'), '');
const letGo = () => rm(join(world.folder, 'held'));
const isThere = () => world.fleet.state().targets.some((one) => one.target === 'smoke');

/** Merges a good change, whose checks on the environment do not end until they are let go. */
async function heldInSmoke() {
  await hold();
  const merged = await world.merge('good');
  await world.record.waitFor(
    ({ release, phase }) => release.sha === merged.sha && phase.is === 'checking' && phase.outcomes.length === 2,
    'all checks of the environment but the held one to be done',
  );
  expect(isThere()).toBe(true);
  return merged;
}

/** Nothing is left: neither on the platform nor in what Belay still owes. */
async function isRemoved(sha: string): Promise<void> {
  await world.record.waitFor(
    ({ release, environments }) => release.sha === sha && environments.length === 0,
    'the environment to be removed',
  );
  expect(isThere()).toBe(false);
}

async function abort(sha: string): Promise<void> {
  await press(world, ANA, sha, 'abort');
  const form = await world.slack.waitFor(() => world.slack.views(ANA).at(-1));
  await world.slack.submitView(ANA, form.id, { reason: 'not today' });
  await world.waitForPhase(sha, 'aborted');
}

it('P1 P3 an environment is made for one release, checked by a request, a program and a load test, also across kill -9, and is gone when staging and production follow', async () => {
  const { sha, digest } = await heldInSmoke();
  await world.belay.restart('SIGKILL');
  await letGo();
  const rollout = await world.waitForPhase(sha, 'succeeded');
  expect(endsOf(rollout)).toEqual(['smoke all passed', 'staging all passed', 'production all passed']);
  const checks = rollout.steps[0]?.checks ?? [];
  expect(new Set(checks.map((one) => `${one.check} ${one.is}`))).toEqual(
    new Set(['answers passed', 'own passed', 'load passed']),
  );
  expect(checks.find((one) => one.check === 'load')?.measures).toContainEqual(
    expect.objectContaining({ name: 'p95 (ms)', limit: 'at most 15000', value: expect.any(Number) }),
  );
  await isRemoved(sha);
  for (const target of ['staging', 'eu']) expect(await world.runs(target)).toEqual([digest]);
});

it('P1 it is removed when somebody aborts the release in the middle', async () => {
  const { sha } = await heldInSmoke();
  await abort(sha);
  await isRemoved(sha);
  await letGo();
});

it('P1 it is removed after kill -9 too, when its removal was owed to a platform that did not answer', async () => {
  const { sha } = await heldInSmoke();
  world.fleet.faults.isApiDown = true;
  await abort(sha);
  await world.belay.kill('SIGKILL');
  world.fleet.faults.isApiDown = false;
  expect(isThere()).toBe(true);
  await world.belay.start();
  await isRemoved(sha);
  await letGo();
});
