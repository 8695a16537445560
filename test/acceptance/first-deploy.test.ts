import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BEN, DAN, SHOP } from '../../sandbox/slack/people.ts';
import { press, startTown, type Town, toldTo } from './town.ts';

const TIMEOUT_MS = 120_000;
const SAID = 'Nothing runs on eu (eu) yet. Its first deploy takes all of it at once';

let town: Town;
beforeAll(async () => {
  town = await startTown({ slackMode: 'http', empty: ['eu'] });
}, TIMEOUT_MS);
afterAll(() => town?.stop());

it(
  'R1 R6 X6 a region on which nothing runs yet: both doors say so, its first deploy takes all of it, and is read back',
  async () => {
    const { sha, digest } = await town.merge();
    const plan = await promisify(execFile)(
      process.execPath,
      ['bin/belay', 'plan', `shop@${sha}`, '--config', town.configPath],
      { env: town.env },
    );
    expect(plan.stdout).toContain(SAID);
    await town.slack.slash(DAN, SHOP, '/deploy', 'plan shop');
    await town.slack.waitFor(() => (toldTo(town, DAN).includes(SAID) ? true : null), 30_000);
    await press(town, BEN, sha, 'approve');
    const rollout = await town.record.waitFor(
      (one) => one.release.sha === sha && one.phase.is === 'succeeded',
      'the release to be everywhere',
      60_000,
    );
    expect(rollout.steps.map((one) => `${one.step} ${one.ended}`)).toEqual([
      'all passed',
      'canary passed',
      'wave 1 passed',
      'wave 2 passed',
    ]);
    const changes = town.platform.changes.filter((one) => one.target !== 'staging');
    expect(changes.map(({ target, share }) => [target, share])).toEqual([
      ['us', 0.25],
      ['us', 1],
      ['eu', 1],
    ]);
    expect(town.platform.runs('eu')).toEqual(Array.from({ length: 4 }, () => digest));
    expect(town.platform.complaints).toEqual([]);
  },
  TIMEOUT_MS,
);
