import type { Ready, RollbackAnswer, RollbackWish } from '../cli/command.ts';
import { nearest } from '../core/nearest.ts';
import { isImpossible } from '../core/outlook.ts';
import { isPlanProblem, type Plan, planOf } from '../core/plan.ts';
import { type Actor, principalKey } from '../core/principal.ts';
import { isOver } from '../core/rollout.ts';
import { createCommands } from '../engine/commands.ts';
import { createEngine, type Engine } from '../engine/engine.ts';
import type { Performed } from '../engine/perform.ts';
import { punctualLedger } from '../engine/punctual-ledger.ts';
import { resolveRef } from '../github/refs.ts';
import { createPerform, createPerformDrift, type Edges } from '../perform.ts';
import { createReadFacts } from '../plan-facts.ts';
import type { RefProblem } from '../slack/desk.ts';
import { openDatabase, StoreError } from '../store/database.ts';
import { GroupCommit } from '../store/group-commit.ts';
import { createLedger } from '../store/ledger.ts';
import { lockDatabase } from '../store/lock.ts';
import { migrationState } from '../store/migrate.ts';
import { createEdgesOf, createGithubOf, githubEdge } from './edges.ts';
import { clock, createLog, hash, newId } from './world.ts';

/** How long a rollback by the command line, with no Belay running, may take before the next start has to finish it. */
const HOST_ROLLBACK_MS = 15 * 60_000;

/** What a deploy would do, with facts read from GitHub now. Changes nothing and needs no database. */
export async function plan(
  ready: Ready,
  wish: { service: string; ref: string | null; upTo: string | null },
): Promise<Plan | RefProblem> {
  const { services } = ready.installation;
  const names = services.map((service) => service.name);
  const service = services.find((one) => one.name === wish.service);
  if (!service) {
    return { code: 'unknown-service', found: wish.service, nearest: nearest(wish.service, names), known: names };
  }
  const github = createGithubOf(ready);
  const lane = { ...service, service: service.name, newId };
  const release = await resolveRef(github, { ...lane, ref: wish.ref });
  if ('code' in release) return release;
  await using world = createEdgesOf(ready, github);
  const made = planOf(service, release, wish.upTo, hash, await createReadFacts(world)(service));
  if (!isPlanProblem(made) || isImpossible(made)) return made;
  const stages = service.stages.map((stage) => stage.name);
  const found = wish.upTo ?? '';
  return { code: 'unknown-stage', found, nearest: nearest(found, stages), known: stages };
}

/**
 * A rollback from the host, for when Slack is down. A running Belay carries it out at once; where none runs, this
 * process does, and ends when every instance was read back.
 */
export async function rollback(ready: Ready, wish: RollbackWish): Promise<RollbackAnswer> {
  const { installation } = ready;
  const { services } = installation;
  const names = services.map((service) => service.name);
  const service = services.find((one) => one.name === wish.service);
  if (!service) {
    const problem: RefProblem = {
      code: 'unknown-service',
      found: wish.service,
      nearest: nearest(wish.service, names),
      known: names,
    };
    return { is: 'unknown', problem };
  }
  const lock = tryLock(installation.database);
  const database = openDatabase(installation.database);
  try {
    if (migrationState(database.raw).pending.length > 0) {
      throw new StoreError(`${installation.database} lacks migrations: run belay migrate first`);
    }
    const log = createLog(ready);
    const shared = createLedger(database, new GroupCommit(database.writer));
    // Where Belay runs it is Belay who notices that the clock leapt, once.
    const ledger = lock ? punctualLedger(shared, clock, log) : shared;
    const nobody = async (): Promise<Performed> => ({
      is: 'failed',
      detail: 'Slack is told by the next start',
      retryAfterMs: 5_000,
    });
    const people: Edges['people'] = {
      eligibleAmong: async () => [],
      project: nobody,
      announce: nobody,
      page: nobody,
      projectDrift: nobody,
    };
    const github = createGithubOf(ready);
    await using world = createEdgesOf(ready, github);
    const edges: Edges = { ...world, github: githubEdge(github), people };
    const performDrift = createPerformDrift(edges);
    const engine = createEngine({ ledger, perform: createPerform(edges), performDrift, clock, log });
    const commands = createCommands({ ledger, engine, now: clock.now, newId, hash, readFacts: async () => null });
    const actor: Actor = {
      principal: { kind: 'host', user: wish.user },
      name: wish.user,
      standing: 'member',
      roles: [],
      githubId: null,
    };
    const { stage, to, because } = wish;
    const outcome = await commands.rollback({ service, stage, to, because, actor });
    if (outcome.is === 'refused') return { is: 'refused', refusal: outcome.refusal };
    const { id } = outcome.rollout;
    if (!lock) return { is: 'requested', id, isRunning: true };
    log.info(
      { by: principalKey(actor.principal), rollout: id },
      'no Belay runs here: the rollback is done by this command',
    );
    const isDone = await runUntilOver(engine, () => ledger.rollout(id));
    return isDone ? { is: 'done', id } : { is: 'requested', id, isRunning: false };
  } finally {
    await database.close();
    lock?.[Symbol.dispose]();
  }
}

function tryLock(path: string): Disposable | null {
  try {
    return lockDatabase(path);
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

async function runUntilOver(
  engine: Engine,
  read: () => Promise<Parameters<typeof isOver>[0] | null>,
): Promise<boolean> {
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  const untilMs = clock.now() + HOST_ROLLBACK_MS;
  let isDone = false;
  while (!isDone && clock.now() < untilMs) {
    await clock.wait(200, stop.signal);
    const rollout = await read();
    isDone = rollout !== null && isOver(rollout);
  }
  stop.abort();
  await running;
  return isDone;
}
