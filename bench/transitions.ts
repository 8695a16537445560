import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { decide } from '../src/core/decide.ts';
import type { Event } from '../src/core/event.ts';
import type { Rollout } from '../src/core/rollout.ts';
import { systemClock } from '../src/engine/clock.ts';
import { createEngine } from '../src/engine/engine.ts';
import { migrate } from '../src/store/migrate.ts';
import { type Benchmark, interleaved, perSecond, type Size, show } from './measure.ts';
import { atATime, copyOf, openStore, rolloutIn, SILENT, temporaryFolder } from './world.ts';

const ROLLOUTS = 256;

/** A look at a baking step: the transition that a rollout makes most often. */
function look(rollout: Rollout, atMs: number): Event {
  const round = rollout.phase.is === 'baking' ? rollout.phase.round : 0;
  const measurements = [{ signal: 'errors', link: null, value: 0.001, samples: 500, takenAtMs: atMs }];
  return { type: 'measured', atMs, generation: rollout.generation, round, measurements, controls: [] };
}

export async function throughEngine(path: string, template: Rollout, count: number): Promise<number> {
  await using store = openStore(path);
  const engine = createEngine({
    ledger: store.ledger,
    perform: async () => ({ is: 'done' }),
    clock: systemClock,
    log: SILENT,
  });
  const rollouts = Array.from({ length: ROLLOUTS }, (_, n) => copyOf(template, n));
  await Promise.all(rollouts.map((one) => store.ledger.write((tx) => tx.saveRollout(one))));
  const atMs = Date.now();
  const startedMs = performance.now();
  await atATime(ROLLOUTS, count, async (index) => {
    const at = index % ROLLOUTS;
    const rollout = rollouts[at];
    if (!rollout) throw new Error('No such rollout');
    // Always the same time: the bake never ends, so that every transition is the same work.
    const outcome = await engine.submit(rollout.id, look(rollout, atMs));
    if (outcome?.is !== 'accepted' || outcome.rollout.phase.is !== 'baking') throw new Error('The look was not taken');
    rollouts[at] = outcome.rollout;
  });
  return perSecond(count, performance.now() - startedMs);
}

/** The rows that such a transition writes, and nothing else: no reading, no deciding, no hash. */
async function bare(path: string, template: Rollout, count: number): Promise<number> {
  const raw = new Sqlite(path);
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  migrate(raw, Date.now());
  const saveState = raw.prepare(
    `INSERT INTO rollouts (id, lane, service, kind, sha, phase, generation, is_over, created_at_ms, state)
     VALUES (?, ?, ?, 'release', ?, 'baking', ?, 0, ?, ?)
     ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, generation = excluded.generation, is_over = 0, state = excluded.state`,
  );
  const owe = raw.prepare(
    `INSERT INTO owed (key, rollout_id, generation, kind, body, due_at_ms, attempts, version)
     VALUES (?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (key) DO UPDATE SET version = owed.version + 1`,
  );
  const audit = raw.prepare(
    `INSERT INTO audit (seq, at_ms, rollout_id, actor, what, body, previous_hash, hash)
     VALUES (?, ?, ?, 'belay', 'measured', ?, ?, ?)`,
  );
  const saveLook = raw.prepare(
    `INSERT INTO looks (rollout_id, generation, round, stage, step, since_ms, at_ms, body)
     VALUES (?, ?, ?, 'staging', 'all', 0, 0, ?) ON CONFLICT (rollout_id, generation, round) DO NOTHING`,
  );
  const rollouts = Array.from({ length: ROLLOUTS }, (_, n) => copyOf(template, n));
  const signals = template.plan.stages[0]?.signals ?? [];
  const hash = '0'.repeat(64);
  let seq = 0;
  const write = (index: number) => {
    const rollout = rollouts[index % ROLLOUTS];
    if (!rollout) throw new Error('No such rollout');
    const { id, lane, service, generation } = rollout;
    const key = `${id}/${generation}/measure#${index}`;
    const effect = { kind: 'measure', key, generation, round: index, targets: ['staging'], signals, afterMs: 2000 };
    seq += 1;
    saveState.run(id, lane, service, rollout.release.sha, generation, rollout.createdAtMs, JSON.stringify(rollout));
    owe.run(key, id, generation, 'measure', JSON.stringify(effect), 0);
    owe.run(`${id}/project`, id, 0, 'project', JSON.stringify({ kind: 'project' }), 0);
    saveLook.run(id, generation, index, JSON.stringify([['errors', 0.001, null, 'healthy']]));
    audit.run(seq, 0, id, JSON.stringify({ event: 'measured', effects: [key] }), hash, hash);
  };
  let waiting: (() => void)[] = [];
  let pending: number[] = [];
  const commit = () => {
    const [indexes, settled] = [pending, waiting];
    pending = [];
    waiting = [];
    raw
      .transaction(() => {
        for (const index of indexes) write(index);
      })
      .immediate();
    for (const resolve of settled) resolve();
  };
  const startedMs = performance.now();
  await atATime(ROLLOUTS, count, (index) => {
    if (pending.length === 0) setImmediate(commit);
    pending.push(index);
    return new Promise<void>((resolve) => waiting.push(resolve));
  });
  const rate = perSecond(count, performance.now() - startedMs);
  raw.close();
  return rate;
}

async function run({ isQuick, rounds }: Size) {
  const count = isQuick ? 4000 : 6000;
  const fresh = await rolloutIn('baking');
  // After its first look the state holds a judgement, as it does from then on.
  const template = decide(fresh, look(fresh, Date.now())).rollout;
  using folder = temporaryFolder();
  const file = () => join(folder.path, `${randomUUID()}.db`);
  const contest = await interleaved(rounds, [
    () => throughEngine(file(), template, count),
    () => bare(file(), template, count),
  ]);
  const [engine = 0, yardstick = 0] = contest.medians;
  const ratio = contest.ratio(0, 1);
  return [
    {
      what: 'Durable transitions (a look at a baking step), 256 rollouts at once',
      belay: show.rate(engine),
      beside: `bare better-sqlite3 ${show.rate(yardstick)}`,
      ratio,
      goal: '≥ 0.5',
      isMet: ratio >= 0.5,
      notes: [
        'Both: synchronous=FULL on a disk, up to 256 transitions in one commit, the same five rows each ' +
          '(state, next look, projection, what was seen, audit).',
        'Belay besides: reading the state, judging, deciding, and the hash chain of the audit.',
      ],
    },
  ];
}

export const transitions: Benchmark = { name: 'transitions', run };
