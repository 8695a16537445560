import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Rollout } from '../src/core/rollout.ts';
import type { Clock } from '../src/engine/clock.ts';
import { createCommands } from '../src/engine/commands.ts';
import { createEngine } from '../src/engine/engine.ts';
import type { Ledger } from '../src/engine/ledger.ts';
import type { Perform } from '../src/engine/perform.ts';
import { createPerform, type Edges } from '../src/perform.ts';
import { createMemoryProvider } from '../src/providers/memory.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { GroupCommit } from '../src/store/group-commit.ts';
import { createLedger } from '../src/store/ledger.ts';
import { migrate } from '../src/store/migrate.ts';
import { aRelease, aService } from '../test/support/service.ts';
import { memoryDatabase, sha256 } from '../test/support/store.ts';

export const SILENT = { warn() {}, error() {}, info() {}, debug() {} };

/** A folder on the disk, not in memory: what is measured includes its fsync. */
export function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'belay-bench-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export type Store = AsyncDisposable & { database: Database; commits: GroupCommit; ledger: Ledger };

/** The real store over a file, with every migration applied. */
export function openStore(path: string): Store {
  const database = openDatabase(path);
  migrate(database.raw, Date.now());
  const commits = new GroupCommit(database.writer);
  const ledger = createLedger(database, commits);
  return { database, commits, ledger, [Symbol.asyncDispose]: () => database.close() };
}

/** Edges that answer at once and always well, but for what is said otherwise: what is left is Belay's own work. */
export function healthyEdges(now: () => number, others: Partial<Edges> = {}): Perform {
  const provider = createMemoryProvider();
  return createPerform({
    now: () => Date.now(),
    targetsOf: () => null,
    check: () => null,
    provider: () => ({ provider, options: () => ({ regions: { eu: 2 }, digest: 'sha256:first' }) }),
    source: () => ({
      measure: async ({ signal }) => ({ signal, link: null, value: 0.001, samples: 500, takenAtMs: now() }),
    }),
    github: {
      watchBuild: async (_repo, sha) => ({ is: 'built', digest: `sha256:${sha}`, url: null }),
      compare: async () => 'ahead',
      isOnBranch: async () => true,
    },
    people: {
      eligibleAmong: async (_rollout, keys) => keys,
      project: async () => ({ is: 'done' }),
      announce: async () => ({ is: 'done' }),
      page: async () => ({ is: 'done' }),
      projectDrift: async () => ({ is: 'done' }),
    },
    ...others,
  });
}

/** One rollout that Belay itself has driven up to a phase, for the benchmarks to multiply. */
export async function rolloutIn(phase: Rollout['phase']['is']): Promise<Rollout> {
  const database = memoryDatabase();
  const ledger = createLedger(database, new GroupCommit(database.writer));
  let nowMs = Date.now() - 3_600_000;
  const clock: Clock = { now: () => nowMs, elapsed: () => nowMs, wait: () => new Promise(() => {}) };
  const engine = createEngine({ ledger, perform: healthyEdges(clock.now), clock, log: SILENT });
  const commands = createCommands({
    ledger,
    engine,
    now: clock.now,
    newId: () => 'r1',
    hash: sha256,
    readFacts: async () => null,
  });
  const release = aRelease(1);
  await commands.recordMerges(aService(), { headSha: release.sha, releases: [release] });
  for (let step = 0; step < 1000; step += 1) {
    const rollout = await ledger.rollout('r1');
    if (rollout?.phase.is === phase) {
      await database.close();
      return rollout;
    }
    nowMs += 1000;
    await engine.tick();
  }
  throw new Error(`The rollout never came to ${phase}`);
}

/** The n-th copy: a service and a lane of its own, so that nothing waits for anything else. */
export function copyOf(rollout: Rollout, n: number): Rollout {
  const id = `r${String(n).padStart(6, '0')}`;
  const service = `shop-${n}`;
  const release = { ...rollout.release, id: `release-${id}`, service };
  return { ...rollout, id, service, lane: `${service}/code`, release, spec: { ...rollout.spec, name: service } };
}

/** Runs `count` pieces of work, `width` of them at a time. */
export async function atATime(width: number, count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}
