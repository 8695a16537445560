import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BEN, DAN, SHOP } from '../../sandbox/slack/people.ts';
import type { DriftCase } from '../../src/core/drift-case.ts';
import { press, startTown, type Town, toldTo } from './town.ts';

let town: Town;
beforeAll(async () => {
  town = await startTown({ slackMode: 'http', drift: '1s' });
});
afterAll(() => town?.stop());

/** What Belay has committed of a target, read from outside, whether it runs or not. */
function known(target: string): DriftCase | null {
  const database = new Database(town.databasePath, { readonly: true });
  try {
    const state = database.prepare('SELECT state FROM drifts WHERE target = ?').pluck().get(target) as
      | string
      | undefined;
    return state === undefined ? null : (JSON.parse(state) as DriftCase);
  } finally {
    database.close();
  }
}

const messages = () => town.slack.messages(SHOP).filter((one) => one.text.startsWith('shop on eu:'));

it('R6 T5 T12 something else comes to run on one instance: with Slack down and Belay killed in between it is said once, fixed with one click, and the message follows', async () => {
  const { sha, digest } = await town.merge();
  await press(town, BEN, sha, 'approve');
  await town.record.waitForPhase(sha, 'succeeded');

  const outage = town.slack.faults.add({ kind: 'outage' });
  town.platform.place('eu', 'sha256:by-hand', ['eu-3']);
  await town.slack.waitFor(() => known('eu')?.phase.is === 'open');
  await town.belay.kill('SIGKILL');
  town.slack.faults.clear(outage);
  await town.belay.start();
  const message = await town.slack.waitFor(() => messages()[0]);
  expect(JSON.stringify(message.blocks)).toContain('`eu-3` runs `by-hand`');

  await Promise.all([town.slack.click(DAN, message, 'drift:fix'), town.slack.click(BEN, message, 'drift:fix')]);
  await town.slack.waitFor(() => messages()[0]?.text.includes('no drift any more'));
  expect(town.platform.runs('eu')).toEqual(Array(4).fill(digest));
  expect(known('eu')?.phase).toMatchObject({ is: 'over', end: { is: 'fixed' } });
  expect(messages()).toHaveLength(1);
  expect(JSON.stringify(messages()[0]?.blocks)).not.toContain('"type":"actions"');
  const repairs = town.record.rollouts().filter((one) => one.kind === 'rollback');
  expect(repairs.map((one) => one.phase)).toMatchObject([{ is: 'rolled-back', to: [{ target: 'eu' }] }]);
  await town.slack.waitFor(() => /(Dan|Ben) did it/.test(`${toldTo(town, DAN)}${toldTo(town, BEN)}`));
  expect(town.platform.complaints).toEqual([]);
});
