import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BEN, SHOP } from '../../sandbox/slack/people.ts';
import { isOver } from '../../src/core/rollout.ts';
import { verifyAudit } from '../../src/store/audit.ts';
import { openDatabase } from '../../src/store/database.ts';
import { cardsOf, type Merged, messageWith, startTown, type Town, threadOf } from './town.ts';

/*
 * Goal: kill -9 changes nothing about how a rollout ends, and nothing that the world was told is told twice or lost.
 * Method: releases, one after the other, every third of them bad, while the real process is killed up to 50 times at moments
 * that look random, every fifth time while it starts. The moments come from a seed; what is under way at that time does not.
 * Most of the time goes into starting it again: a slow machine kills less often, and never takes longer for it.
 */
const KILLS = 50;
const FEWEST_KILLS = 20;
const LONG_ENOUGH_MS = 150_000;
const SEED = Number(process.env.BELAY_TEST_SEED ?? 1);
const TIMEOUT_MS = 900_000;

type Shipped = Merged & { isBad: boolean; isAcknowledged: boolean };

let town: Town;
beforeAll(async () => {
  town = await startTown({ slackMode: 'http', poll: '1s', workMs: 60 });
  // A process that is killed leaves no compiled program to the next one; one that ends does.
  await town.belay.restart('SIGTERM');
}, TIMEOUT_MS);
afterAll(() => town?.stop());

/** Park and Miller's generator: the same numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

async function killAgainAndAgain(next: () => number): Promise<void> {
  const enoughAtMs = performance.now() + LONG_ENOUGH_MS;
  // What a start takes here and now: a life that is shorter on a slow machine would be over before anything was done.
  let startMs = 900;
  const start = async () => {
    const beganMs = performance.now();
    await town.belay.start();
    startMs = Math.max(900, performance.now() - beganMs);
  };
  for (let kill = 1; kill <= KILLS; kill += 1) {
    if (kill > FEWEST_KILLS && performance.now() > enoughAtMs) break;
    if (kill % 5 === 0) {
      const starting = town.belay.start().catch(() => 'killed');
      await sleep(next() * startMs);
      if (town.belay.isRunning()) await town.belay.kill('SIGKILL');
      await starting;
      if (town.belay.isRunning()) await town.belay.kill('SIGKILL');
    } else {
      if (!town.belay.isRunning()) await start();
      await sleep((next() * startMs) / 2);
      await town.belay.kill('SIGKILL');
    }
  }
  await town.belay.start();
}

/** One release to its end; Ben clicks until Belay has acknowledged it. */
async function ship(isBad: boolean): Promise<Shipped> {
  const merged = { ...(await town.merge({ isBad })), isBad, isAcknowledged: false };
  for (;;) {
    const rollout = town.record.rollout(merged.sha);
    if (rollout && isOver(rollout)) return merged;
    const card = merged.isAcknowledged ? null : messageWith(town, merged.sha, 'approve');
    if (rollout?.phase.is === 'gated' && card) {
      const { error } = await town.slack.click(BEN, card, 'approve');
      merged.isAcknowledged ||= error === null;
    }
    await sleep(30);
  }
}

function rows<Row>(query: string): Row[] {
  const database = new Database(town.databasePath, { readonly: true });
  try {
    return database.prepare(query).all() as Row[];
  } finally {
    database.close();
  }
}

const shipped: Shipped[] = [];
const seeded = `seed ${SEED}`;

it(
  `T5 killed again and again, every rollout ends as it would have without`,
  async () => {
    let isKilling = true;
    const killing = killAgainAndAgain(numbers(SEED)).finally(() => {
      isKilling = false;
    });
    let good = town.initialDigest;
    while (isKilling) {
      const release = await ship(shipped.length % 3 === 2);
      shipped.push(release);
      if (!release.isBad) good = release.digest;
      const rollout = town.record.rollout(release.sha);
      const steps = rollout?.steps.map(({ step, ended }) => `${step} ${ended}`);
      expect([rollout?.phase.is, steps], seeded).toEqual(
        release.isBad
          ? ['rolled-back', ['all passed', 'canary degraded']]
          : ['succeeded', ['all passed', 'canary passed', 'wave 1 passed', 'wave 2 passed']],
      );
      for (const target of ['us', 'eu']) expect(town.platform.runs(target), seeded).toEqual(Array(4).fill(good));
    }
    await killing;
    expect(town.record.rollouts(), seeded).toHaveLength(shipped.length);
  },
  TIMEOUT_MS,
);

it('T4 T6 the platform was never asked for the same change under two keys, nor by an older generation', () => {
  expect(town.platform.complaints, seeded).toEqual([]);
  const changes = town.platform.changes.map(
    ({ key, kind, target, share }) => `${key.split('/')[0]} ${kind} ${target} ${share}`,
  );
  expect(changes.toSorted(), seeded).toEqual([...new Set(changes)].toSorted());
  // Staging, the canary on two targets, and two waves; of a bad one two rollbacks instead of the waves.
  expect(changes, seeded).toHaveLength(shipped.length * 5);
});

it('T3 T13 an approval that was acknowledged is there, once', () => {
  const approvals = rows<{ sha: string; n: number }>(
    "SELECT sha, count(*) AS n FROM approvals JOIN rollouts ON rollouts.id = rollout_id WHERE verdict = 'approved' GROUP BY sha",
  );
  // An approval that was committed may have lost its answer to a kill: it is there all the same, or nothing had shipped.
  expect(
    shipped.some((one) => one.isAcknowledged),
    seeded,
  ).toBe(true);
  for (const { sha } of shipped) {
    expect(
      approvals.find((one) => one.sha === sha),
      seeded,
    ).toEqual({ sha, n: 1 });
  }
});

it(
  'T12 X1 no message of Slack’s is lost or doubled',
  async () => {
    const owed = "SELECT key FROM owed WHERE kind IN ('project', 'announce', 'page')";
    await expect.poll(() => rows(owed), { timeout: 300_000, interval: 200, message: seeded }).toEqual([]);
    const posted = rows<{ ts: string }>('SELECT ts FROM posted').map((row) => row.ts);
    const shown = town.slack.workspace.posted.map((one) => one.ts);
    expect(shown.toSorted(), seeded).toEqual(posted.toSorted());
    for (const { sha, isBad } of shipped) {
      expect(cardsOf(town, sha), seeded).toHaveLength(1);
      const ends = isBad ? ['rolling back', 'rolled back'] : ['done'];
      expect(cardsOf(town, sha)[0]?.text, seeded).toContain(ends.at(-1));
      const broadcast = threadOf(town, sha).filter((one) => one.broadcast);
      expect(
        broadcast.map((one) => one.text),
        seeded,
      ).toEqual(['waits for', ...ends].map((words) => expect.stringContaining(words)));
    }
    expect(new Set(town.slack.messages(SHOP).map((one) => one.clientMsgId)).size).toBe(
      town.slack.messages(SHOP).length,
    );
  },
  TIMEOUT_MS,
);

it('T14 the audit’s chain is whole, and nothing was given up', async () => {
  const database = openDatabase(town.databasePath);
  try {
    expect((await verifyAudit(database.reader)).problems, seeded).toEqual([]);
  } finally {
    await database.close();
  }
  expect(rows("SELECT body FROM audit WHERE what = 'gave-up'"), seeded).toEqual([]);
});
