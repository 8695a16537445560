import { setImmediate } from 'node:timers/promises';
import type { Effect } from '../../src/core/effect.ts';
import type { Event } from '../../src/core/event.ts';
import type { ServiceSpec } from '../../src/core/pipeline.ts';
import type { PhaseName, Rollout } from '../../src/core/rollout.ts';
import type { Clock } from '../../src/engine/clock.ts';
import { type CommandOptions, createCommands } from '../../src/engine/commands.ts';
import { createEngine, type EngineOptions } from '../../src/engine/engine.ts';
import type { Perform, Performed } from '../../src/engine/perform.ts';
import { punctualLedger } from '../../src/engine/punctual-ledger.ts';
import { answerTo, GOOD_WORLD, START_MS, type World } from '../support/given.ts';
import { actor, aRelease, aService, type PersonName } from '../support/service.ts';
import { memoryDatabase, memoryLedger, sha256 } from '../support/store.ts';

export type ManualClock = Clock & { advance(ms: number): void; set(byMs: number): void; waiting(): number };

/** Time that passes only when the test says so. */
export function manualClock(startMs = START_MS): ManualClock {
  let nowMs = startMs;
  let elapsedMs = 0;
  const waits = new Set<{ atMs: number; end: () => void }>();
  return {
    now: () => nowMs,
    elapsed: () => elapsedMs,
    wait: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const wait = {
          atMs: elapsedMs + ms,
          end() {
            waits.delete(wait);
            signal.removeEventListener('abort', wait.end);
            resolve();
          },
        };
        waits.add(wait);
        signal.addEventListener('abort', wait.end);
      }),
    advance(ms) {
      nowMs += ms;
      elapsedMs += ms;
      for (const wait of [...waits]) if (wait.atMs <= elapsedMs) wait.end();
    },
    set(byMs) {
      nowMs += byMs;
    },
    waiting: () => waits.size,
  };
}

/** Lets everything run that can run without time passing. */
export async function settled(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await setImmediate();
}

/** Performs every effect as a world would that is well unless told otherwise. */
export function performIn(world: Partial<World>, now: () => number): Perform {
  return async ({ due }, rollout): Promise<Performed> => {
    if (due.kind === 'project') return { is: 'done' };
    const answer = answerTo(rollout, { ...due, afterMs: 0 } as Effect, now(), { ...GOOD_WORLD, ...world });
    if (!answer) return { is: 'done' };
    const { atMs: _at, ...event } = answer;
    return { is: 'event', event: event as Extract<Performed, { is: 'event' }>['event'] };
  };
}

type Given = { world?: Partial<World>; service?: ServiceSpec; readFacts?: CommandOptions['readFacts'] };

/** The real engine over the real store, a clock that stands still, and a world that answers. */
export function aHouse(over: Partial<EngineOptions> & Given = {}) {
  const { world = {}, service = aService(), readFacts = async () => null, ...options } = over;
  const database = memoryDatabase();
  const clock = manualClock();
  const said: string[] = [];
  const log = {
    warn: (_facts: Record<string, unknown>, message: string) => said.push(message),
    error: (_facts: Record<string, unknown>, message: string) => said.push(message),
  };
  const ledger = options.ledger ?? punctualLedger(memoryLedger(database), clock, log);
  const engine = createEngine({ perform: performIn(world, clock.now), clock, log, ...options, ledger });
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `rollout-${String(ids).padStart(3, '0')}`;
  };
  const commands = createCommands({ ledger, engine, now: clock.now, newId, hash: sha256, readFacts });

  async function rollout(id = 'rollout-001'): Promise<Rollout> {
    const found = await ledger.rollout(id);
    if (!found) throw new Error(`no ${id}`);
    return found;
  }

  async function act(id: string, make: (generation: number) => Omit<Event, 'atMs'> & { type: Event['type'] }) {
    const { generation } = await rollout(id);
    return engine.submit(id, { atMs: clock.now(), ...make(generation) } as Event);
  }

  /** One tick; when nothing is due, time passes until something is. */
  async function step(): Promise<number> {
    const count = await engine.tick();
    if (count > 0) return count;
    const nextMs = await ledger.nextDueAtMs();
    if (nextMs === null) return 0;
    clock.advance(Math.max(0, nextMs - clock.now()));
    return engine.tick();
  }

  const house = {
    database,
    ledger,
    clock,
    engine,
    commands,
    service,
    said,
    rollout,
    act,
    step,
    approve: (id: string, name: PersonName = 'ben') =>
      act(id, (generation) => ({ type: 'approved', generation, actor: actor(name) })),
    merge: (...numbers: number[]) =>
      commands.recordMerges(service, { headSha: 'head', releases: numbers.map((n) => aRelease(n)) }),
    /** Works until the rollout is in this phase; Ben approves what waits. */
    async until(phase: PhaseName, id = 'rollout-001'): Promise<Rollout> {
      const seen: PhaseName[] = [];
      for (let turn = 0; turn < 300; turn += 1) {
        const now = await rollout(id);
        if (now.phase.is === phase) return now;
        if (seen.at(-1) !== now.phase.is) seen.push(now.phase.is);
        if (now.phase.is === 'gated') await house.approve(id);
        else await step();
      }
      throw new Error(`never ${phase}: ${seen}`);
    },
    /** Merges the n-th change and brings it to production. */
    async ship(n: number): Promise<Rollout> {
      const [made] = await house.merge(n);
      if (!made) throw new Error(`change ${n} is known`);
      return house.until('succeeded', made.id);
    },
    audited: () => database.raw.prepare('SELECT what FROM audit ORDER BY seq').pluck().all() as string[],
    owed: () => database.raw.prepare('SELECT key FROM owed ORDER BY key').pluck().all() as string[],
  };
  return house;
}
