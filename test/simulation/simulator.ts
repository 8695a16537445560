import { type DriftCase, isOpen } from '../../src/core/drift-case.ts';
import type { Choice, Event } from '../../src/core/event.ts';
import type { ServiceSpec } from '../../src/core/pipeline.ts';
import { isOver, type Rollout } from '../../src/core/rollout.ts';
import { createCommands } from '../../src/engine/commands.ts';
import { createDriftWatch, type DriftWatch } from '../../src/engine/drift.ts';
import { createDriftCommands } from '../../src/engine/drift-commands.ts';
import { createEngine, type Engine, type Outcome } from '../../src/engine/engine.ts';
import type { Ledger, LedgerWriter, Owed } from '../../src/engine/ledger.ts';
import type { Perform } from '../../src/engine/perform.ts';
import { punctualLedger } from '../../src/engine/punctual-ledger.ts';
import { createPerform, createPerformDrift } from '../../src/perform.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { createLedger } from '../../src/store/ledger.ts';
import { PLAIN } from '../support/placing.ts';
import { actor, type PersonName } from '../support/service.ts';
import { memoryDatabase, sha256 } from '../support/store.ts';
import { Invariants } from './invariants.ts';
import { asLoaded, asUnderstood, type PlantedBug } from './planted-bug.ts';
import { checkEnd } from './promises/end.ts';
import { all } from './promises/rows.ts';
import { Violation } from './promises/violation.ts';
import { type Random, seeded } from './random.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import { optionsOf, simulatedService } from './simulated-service.ts';
import { BEHAVIOURS, NEVER, Universe } from './universe.ts';

export type Run = {
  seed: number;
  steps: number;
  crashes: number;
  rollouts: number;
  ends: Record<string, number>;
  /** What happened somewhere on the way. */
  saw: string[];
};

const STEPS = 60;
/** A process that gets no processor for this long is awake and late: deadlines come before what they wait for. */
const LONGEST_STALL_MS = 5 * 60_000;
/** A leap of no more than this is no leap. */
const UNNOTICED_MS = 1000;
/** Telling somebody is tried again after five minutes; nothing else pauses for longer. */
const LONGEST_PAUSE_MS = 10 * 60_000;
/** So many steps more without faults of calls, while the world stays as it is: things are missing, and only some work. */
const FICKLE_STEPS = 60;
const STEPS_TO_END = 1000;

/**
 * Goal: no order of crashes, faults, clicks and clocks breaks a promise. Method: the real engine over the real store,
 * one seeded scheduler, a world that survives the process; every promise is checked after every step.
 * Throws Violation with how to run the seed again.
 */
export async function simulate(seed: number, bug: PlantedBug | null = null): Promise<Run> {
  const simulator = new Simulator(seed, bug);
  try {
    return await simulator.run();
  } catch (error) {
    if (error instanceof Violation) error.message += ` (run again: SEED=${seed} npm run simulate)`;
    throw error;
  } finally {
    simulator.close();
  }
}

class Simulator {
  #random: Random;
  #universe: Universe;
  #database: Database;
  #engine!: Engine;
  #commands!: ReturnType<typeof createCommands>;
  #drift!: { watch: DriftWatch; commands: ReturnType<typeof createDriftCommands> };
  #service: ServiceSpec;
  #invariants: Invariants;
  #seed: number;
  #bug: PlantedBug | null;
  #ids = 0;
  #crashes = 0;
  /** Where the next crash happens: after so many more awaits. */
  #fuse = Number.POSITIVE_INFINITY;
  #crashed = Promise.withResolvers<void>();
  /** What was acknowledged to somebody, and must be there for ever: approvals by rollout and person. */
  #acknowledged: { rollout: string; principal: string }[] = [];
  #acknowledgedMerges = new Set<string>();
  /** Which of the clock's disturbances the engine has seen. */
  #noticed = 0;
  /** How long the machine must have been awake before each timer ends. */
  #wakesAtMs = new Map<string, number>();
  /** How often people have answered a rollout since all is quiet. */
  #tries = new Map<string, number>();

  constructor(seed: number, bug: PlantedBug | null) {
    this.#seed = seed;
    this.#bug = bug;
    this.#random = seeded(seed);
    this.#universe = new Universe(this.#random, bug);
    this.#database = memoryDatabase();
    this.#invariants = new Invariants(this.#universe);
    this.#service = simulatedService(this.#random);
    this.#start();
  }

  close(): void {
    if (this.#database.raw.open) this.#database.raw.close();
  }

  #start(): void {
    const universe = this.#universe;
    const commits = new GroupCommit(this.#database.writer);
    const { clock: time } = universe;
    const now = () => time.nowMs;
    const clock = { now, elapsed: () => elapsedOn(time, this.#bug), wait: () => NEVER };
    const log = { warn() {}, error() {} };
    const ledger = punctualLedger(this.#fused(createLedger(this.#database, commits)), clock, log);
    const perform = this.#watched((owed, ...more) => createPerform(universe.edges(owed.key))(owed, ...more));
    const performDrift = createPerformDrift(universe.edges('drift'));
    const engine = createEngine({ ledger, perform, performDrift, clock, log });
    const services = [this.#service];
    const common = { ledger, engine, now, newId: () => this.#newId(), hash: sha256 };
    const readFacts = async () => null;
    this.#engine = engine;
    this.#commands = createCommands({ ...common, readFacts });
    this.#drift = {
      watch: createDriftWatch({
        services,
        ledger,
        engine,
        clock,
        log,
        observe: (_, target) => universe.observe(target),
      }),
      commands: createDriftCommands({ ...common, services }),
    };
  }

  #newId(): string {
    this.#ids += 1;
    return `r${String(this.#ids).padStart(5, '0')}`;
  }

  /** One await of the process: the fuse may end here. */
  async #await<T>(run: () => Promise<T>): Promise<T> {
    this.#fuse -= 1;
    if (this.#fuse <= 0) {
      this.#crashed.resolve();
      return NEVER;
    }
    return run();
  }

  /** The ledger with a crash possible before, between and after every statement. */
  #fused(ledger: Ledger): Ledger {
    const write: Ledger['write'] = async (unit) => {
      if (this.#bug === 'acknowledge-before-commit') return this.#writeUnsafely(ledger, unit);
      const value = await this.#await(() => ledger.write((tx) => unit(this.#fusedWriter(tx))));
      return this.#await(async () => value);
    };
    return { ...ledger, write };
  }

  /** Planted: the answer leaves before the commit, which a crash then takes away. */
  async #writeUnsafely<T>(ledger: Ledger, unit: (tx: LedgerWriter) => Promise<T>): Promise<T> {
    const early = Promise.withResolvers<T>();
    void ledger
      .write(async (tx) => {
        const value = await unit(this.#fusedWriter(tx));
        early.resolve(value);
        // The disk is slower than the answer: whoever got it may see the process die before the commit.
        await new Promise((resolve) => setImmediate(resolve));
        return this.#await(async () => value);
      })
      .catch(early.reject);
    return early.promise;
  }

  #fusedWriter(tx: LedgerWriter): LedgerWriter {
    const owe: LedgerWriter['owe'] = async (rollout, effect, dueAtMs) => {
      if (this.#bug === 'result-before-intent' && effect.kind === 'deploy') {
        const provider = this.#universe.edges(effect.key).provider(rollout.service)?.provider;
        const { target, artifact, share, key } = effect;
        await provider
          ?.deploy(
            { service: 'shop', target, options: optionsOf(target), artifact, share, ...PLAIN, key, generation: 1 },
            NO_SIGNAL,
          )
          .catch(() => undefined);
      }
      const { awakeMs, disturbances } = this.#universe.clock;
      if (disturbances === this.#noticed) this.#wakesAtMs.set(effect.key, awakeMs + effect.afterMs);
      return this.#await(() => tx.owe(rollout, effect, dueAtMs));
    };
    return {
      ...tx,
      owe,
      rollout: async (id) => {
        const rollout = await tx.rollout(id);
        return rollout && asLoaded(this.#bug, rollout, this.#universe.clock.nowMs);
      },
      saveRollout: async (rollout) => {
        const before = await tx.rollout(rollout.id);
        if (before) this.#invariants.decided(before, rollout);
        return this.#await(() => tx.saveRollout(rollout));
      },
      audit: (entry, atMs) => this.#await(() => tx.audit(entry, atMs)),
      settle: (owed) => {
        if (owed.due.kind === 'wake') this.#checkAwake(owed.key);
        return this.#await(() => tx.settle(owed));
      },
    };
  }

  #watched(perform: Perform): Perform {
    return async (owed, rollout, signal) => {
      const { intents } = this.#universe.platform;
      intents.add(owed.key);
      const changed = this.#bug === 'key-changed-at-each-try' ? withKeyOfTry(owed) : owed;
      intents.add(changed.due.key);
      if (this.#bug === 'early-measurement-swallowed' && owed.due.kind === 'measure' && this.#random.chance(0.2)) {
        return { is: 'done' };
      }
      const performed = await this.#await(() => perform(changed, rollout, signal));
      return this.#await(async () => asUnderstood(this.#bug, performed, rollout));
    };
  }

  /** kill -9: the process is gone in the middle of whatever it did; the database keeps what was committed. */
  #crash(): void {
    this.#crashes += 1;
    // What happened to the clock and was not noticed before cannot be told any more.
    if (this.#universe.clock.disturbances > this.#noticed) this.#wakesAtMs.clear();
    this.#universe.life += 1;
    this.#universe.platform.forgetCallers();
    this.#fuse = Number.POSITIVE_INFINITY;
    this.#crashed = Promise.withResolvers<void>();
    if (this.#database.raw.inTransaction) this.#database.raw.exec('ROLLBACK');
    // The next process reads what was committed from the file; whatever the dead one still tries hits a closed database.
    const image = this.#database.raw.serialize();
    this.#database.raw.close();
    this.#database = openDatabase(image);
    // The recovered process holds the file alone: nobody else has a lease.
    this.#database.raw.exec('UPDATE owed SET lease_until_ms = NULL');
    this.#start();
    this.#checkAcknowledged();
    this.#invariants.check(this.#database, true);
  }

  /** T13: what was said to be accepted is there. */
  #checkAcknowledged(): void {
    const rows = this.#database.raw.prepare('SELECT rollout_id, principal FROM approvals').all() as {
      rollout_id: string;
      principal: string;
    }[];
    for (const one of this.#acknowledged) {
      if (!rows.some((row) => row.rollout_id === one.rollout && row.principal === one.principal)) {
        throw new Violation('T13', `the approval of ${one.principal} for ${one.rollout} was acknowledged and is lost`);
      }
    }
    const shas = this.#database.raw.prepare('SELECT sha FROM releases').all() as { sha: string }[];
    for (const sha of this.#acknowledgedMerges) {
      if (!shas.some((row) => row.sha === sha)) throw new Violation('T13', `the merge ${sha} was accepted and is lost`);
    }
  }

  /** T11: no timer ends, and nothing is chosen for people, before its time was awake. */
  #checkAwake(key: string): void {
    const earlyMs = (this.#wakesAtMs.get(key) ?? 0) - this.#universe.clock.awakeMs;
    if (earlyMs > UNNOTICED_MS) throw new Violation('T11', `${key} ended ${earlyMs} ms too early`);
  }

  /** T17: once the engine has looked at the clock, nothing but deadlines waits for long, however the clock was set. */
  #checkDue(): void {
    const { clock } = this.#universe;
    if (clock.disturbances > this.#noticed) return;
    const late = all<{ key: string }>(
      this.#database,
      "SELECT key FROM owed WHERE kind <> 'wake' AND due_at_ms > ?",
      clock.nowMs + LONGEST_PAUSE_MS,
    );
    if (late.length > 0) throw new Violation('T17', `${late.map((row) => row.key)} wait for a clock that was set back`);
  }

  /** Runs something of the process; answers null when the process died meanwhile. */
  async #alive<T>(run: () => Promise<T>): Promise<T | null> {
    const died = Symbol('died');
    const result = await Promise.race([run(), this.#crashed.promise.then(() => died)]);
    if (result !== died) return result as T;
    this.#crash();
    return null;
  }

  async run(): Promise<Run> {
    let steps = 0;
    for (; steps < STEPS; steps += 1) {
      await this.#step();
      this.#invariants.check(this.#database, false);
      this.#checkDue();
    }
    this.#universe.isFaulty = false;
    for (let left = FICKLE_STEPS; (await this.#quietStep()) && left > 0; left -= 1) {
      this.#invariants.check(this.#database, false);
      steps += 1;
      if (this.#random.chance(0.04)) await this.#universe.turn();
    }
    this.#universe.settle();
    for (let left = STEPS_TO_END; (await this.#quietStep()) && left > 0; left -= 1) {
      this.#invariants.check(this.#database, false);
      steps += 1;
    }
    const ephemeral = this.#service.stages.filter((one) => one.isEphemeral).flatMap((one) => one.steps);
    await checkEnd(this.#universe, this.#database, [...new Set(ephemeral.flatMap((one) => one.targets))]);
    return { seed: this.#seed, steps, crashes: this.#crashes, ...this.#ends(), saw: this.#saw() };
  }

  #saw(): string[] {
    const drifts = all<{ what: string }>(this.#database, "SELECT DISTINCT what FROM audit WHERE what LIKE 'drift %'");
    return [...this.#invariants.saw, ...drifts.map((row) => row.what)];
  }

  #ends(): Pick<Run, 'rollouts' | 'ends'> {
    const rows = this.#database.raw.prepare('SELECT phase FROM rollouts').all() as { phase: string }[];
    const ends: Record<string, number> = {};
    for (const row of rows) ends[row.phase] = (ends[row.phase] ?? 0) + 1;
    return { rollouts: rows.length, ends };
  }

  /** One random thing happens: time passes, somebody acts, the process dies. */
  async #step(): Promise<void> {
    const random = this.#random;
    if (random.chance(0.12)) this.#fuse = 1 + random.int(12);
    const roll = random.next();
    if (roll < 0.52) return this.#letTimePass();
    if (roll < 0.63) return this.#merge();
    if (roll < 0.8) return this.#someoneActs();
    if (roll < 0.84) return this.#rollbackOfTheService();
    if (roll < 0.88) return this.#lateCallArrives();
    if (roll < 0.92) return this.#universe.turn();
    if (roll < 0.95) return this.#watchForDrift();
    if (roll < 0.97) return this.#universe.clock.set(random.pick([-7_200_000, -60_000, 60_000, 3_600_000]));
    if (roll < 0.99) return this.#universe.clock.sleep(random.pick([20_000, 900_000]));
    if (random.chance(0.3)) this.#universe.leaves('bo');
  }

  async #letTimePass(): Promise<void> {
    const nextMs = this.#nextDueMs();
    if (nextMs === null) return;
    const { clock } = this.#universe;
    const { disturbances } = clock;
    // The engine looks at least once a second, whatever it believes to be due.
    if (disturbances > this.#noticed) clock.pass(this.#random.int(1000));
    // Everything that is due at that time and a little later: the order within is the engine's.
    else
      this.#passUntil(nextMs, this.#random.chance(0.06) ? this.#random.int(LONGEST_STALL_MS) : this.#random.int(3000));
    const done = await this.#alive(() => this.#engine.tick(1 + this.#random.int(16)));
    if (done !== null) this.#noticed = disturbances;
  }

  #passUntil(atMs: number, moreMs: number): void {
    const { clock } = this.#universe;
    clock.pass(Math.max(0, atMs - clock.nowMs) + moreMs);
  }

  async #watchForDrift(): Promise<void> {
    await this.#alive(() => this.#drift.watch.tick());
    for (const known of await this.#drifted()) {
      const { service, target, number, generation } = known;
      const name = this.#random.pick<PersonName>(['cho', 'ben', 'bo', 'eve']);
      const wish = { service, target, number, generation, actor: actor(name), because: 'seen' } as const;
      const act = this.#random.pick(['fix', 'fix', 'accept', 'ignore'] as const);
      const untilMs = this.#universe.clock.nowMs + 3_600_000;
      await this.#alive(() => this.#drift.commands.decide({ ...wish, act, untilMs }));
      await this.#mayDieNow();
    }
  }

  async #drifted(): Promise<DriftCase[]> {
    const rows = all<{ state: string }>(this.#database, 'SELECT state FROM drifts ORDER BY target');
    return rows.map((row) => JSON.parse(row.state) as DriftCase).filter(isOpen);
  }

  async #merge(): Promise<void> {
    const { commits } = this.#universe;
    if (commits.length < 6 && this.#random.chance(0.8)) {
      this.#universe.merge(this.#random.pick(BEHAVIOURS));
    }
    if (commits.length === 0) return;
    // A stale, a repeated or a late reading: any slice of the branch up to some commit.
    const to = this.#random.chance(0.7) ? commits.length : 1 + this.#random.int(commits.length);
    const from = this.#random.int(to);
    const releases = commits.slice(this.#random.chance(0.7) ? 0 : from, to).map((one) => one.release);
    const headSha = releases.at(-1)?.sha;
    if (!headSha) return;
    const made = await this.#alive(() => this.#commands.recordMerges(this.#service, { headSha, releases }));
    if (made) for (const release of releases) this.#acknowledgedMerges.add(release.sha);
    await this.#mayDieNow();
  }

  async #someoneActs(): Promise<void> {
    const open = (await this.#open()).filter((one) => one.phase.is !== 'building');
    if (open.length === 0) return;
    const rollout = this.#random.pick(open);
    const name = this.#random.pick<PersonName>(['ana', 'ben', 'ben', 'bo', 'cho', 'cho', 'dan', 'eve']);
    const event = this.#actOn(rollout, name);
    await this.#submit(rollout, event, name);
    // A double click, also by somebody else with the same old button.
    if (this.#random.chance(0.3)) {
      const second = this.#random.chance(0.5) ? name : 'cho';
      await this.#submit(rollout, 'actor' in event ? { ...event, actor: actor(second) } : event, second);
    }
    await this.#mayDieNow();
  }

  #actOn(rollout: Rollout, name: PersonName): Event {
    const common = { atMs: this.#universe.clock.nowMs, generation: rollout.generation, actor: actor(name) };
    const { phase } = rollout;
    if (phase.is === 'gated' && this.#random.chance(0.9)) {
      return this.#random.chance(0.92)
        ? { type: 'approved', ...common }
        : { type: 'rejected', ...common, because: 'not today' };
    }
    if ((phase.is === 'deciding' || phase.is === 'holding') && this.#random.chance(0.8)) {
      const choice = this.#random.pick(phase.choices);
      const because = this.#random.chance(0.9) ? 'seen, it is fine' : null;
      return { type: 'decided', ...common, choice, because };
    }
    const { atMs, actor: who } = common;
    if (this.#random.chance(0.2)) return { type: 'aborted', atMs, actor: who, because: 'stop' };
    if (this.#random.chance(0.2))
      return { type: 'rollback-requested', atMs, actor: who, because: 'looks bad', to: null };
    return { type: 'approved', ...common };
  }

  async #submit(rollout: Rollout, event: Event, name: PersonName): Promise<Outcome | null> {
    const outcome = await this.#alive(() => this.#engine.submit(rollout.id, event));
    if (outcome?.is === 'accepted' && event.type === 'approved') {
      this.#acknowledged.push({ rollout: rollout.id, principal: `slack:T1/U0${name.toUpperCase()}` });
    }
    if (outcome?.is === 'accepted' && name === 'eve') throw new Violation('T15', `a guest was allowed ${event.type}`);
    const mayAct = name === 'cho' || name === 'ben' || name === 'dan';
    if (event.type === 'rollback-requested' && mayAct && outcome?.is === 'refused') {
      const isBlocked = !['too-late', 'is-over'].includes(outcome.refusal.code);
      if (isBlocked) throw new Violation('T10', `a rollback was refused: ${outcome.refusal.code}`);
    }
    return outcome;
  }

  async #rollbackOfTheService(): Promise<void> {
    const command = { service: this.#service, stage: null, to: null, actor: actor('cho'), because: 'users complain' };
    const outcome = await this.#alive(() => this.#commands.rollback(command));
    if (outcome?.is !== 'refused') return;
    if (!['nothing-to-roll-back-to', 'too-late'].includes(outcome.refusal.code)) {
      throw new Violation('T10', `the rollback of the service was refused: ${outcome.refusal.code}`);
    }
  }

  async #lateCallArrives(): Promise<void> {
    const { late } = this.#universe.platform;
    const call = late.splice(this.#random.int(late.length || 1), 1)[0];
    await call?.().catch(() => undefined);
  }

  /** Straight after an answer left the process. */
  async #mayDieNow(): Promise<void> {
    if (this.#random.chance(0.1)) this.#crash();
  }

  async #open(): Promise<Rollout[]> {
    return this.#invariants.rollouts(this.#database).filter((one) => !isOver(one));
  }

  #nextDueMs(): number | null {
    return all<{ at: number | null }>(this.#database, 'SELECT min(due_at_ms) AS at FROM owed')[0]?.at ?? null;
  }

  /** Without faults: late calls arrive, people answer what they are asked, time passes. False: all is quiet. */
  async #quietStep(): Promise<boolean> {
    this.#fuse = Number.POSITIVE_INFINITY;
    const { platform, isFickle } = this.#universe;
    while (platform.late.length > 0 && (!isFickle || this.#random.chance(0.3))) await this.#lateCallArrives();
    for (const rollout of await this.#open()) await this.#answer(rollout);
    const nextMs = this.#nextDueMs();
    if (nextMs === null) return (await this.#open()).length > 0 || this.#repairDrift();
    this.#passUntil(nextMs, 0);
    await this.#engine.tick(32);
    return true;
  }

  /** What people do when they are asked and nothing else goes wrong: they approve, and take back what does not work. */
  async #answer(rollout: Rollout): Promise<void> {
    const { phase, generation } = rollout;
    const common = { atMs: this.#universe.clock.nowMs, generation };
    if (phase.is === 'gated') {
      for (const name of ['ben', 'cho'] as const) {
        await this.#submit(rollout, { type: 'approved', ...common, actor: actor(name) }, name);
      }
    }
    if (phase.is !== 'deciding' && phase.is !== 'holding') return;
    const tries = this.#tries.get(rollout.id) ?? 0;
    this.#tries.set(rollout.id, tries + 1);
    const because = 'enough';
    const decided = (choice: Choice): Event => ({ type: 'decided', ...common, actor: actor('cho'), choice, because });
    const choice = wayOut(phase.choices, tries);
    const way: Event = choice ? decided(choice) : { type: 'aborted', atMs: common.atMs, actor: actor('cho'), because };
    if (phase.is === 'deciding') await this.#submit(rollout, way, 'cho');
    // Nothing leads back and nothing leads on: the fix does, and what holds for it gives way.
    if (phase.is === 'holding') await this.#mergeTheFix();
  }

  async #mergeTheFix(): Promise<void> {
    const { commits } = this.#universe;
    if (commits.length < 12) this.#universe.merge('good');
    const releases = commits.map((one) => one.release);
    const headSha = releases.at(-1)?.sha;
    if (headSha) await this.#commands.recordMerges(this.#service, { headSha, releases });
  }

  /** When all is quiet, what drifted is put back. False: nothing has. */
  async #repairDrift(): Promise<boolean> {
    this.#universe.clock.pass(600_000);
    await this.#drift.watch.tick();
    for (const { service, target, number, generation } of await this.#drifted()) {
      const wish = { service, target, number, generation, actor: actor('cho') };
      await this.#drift.commands.decide({ ...wish, act: 'fix' });
    }
    return this.#nextDueMs() !== null;
  }
}

/** Back if that can be, or once more, or on in spite of it; null: away with it. Who was asked too often waits for the fix. */
function wayOut(choices: Choice[], tries: number): Choice | null {
  if (choices.includes('roll-back')) return 'roll-back';
  if (tries === 0) return 'retry';
  if (tries > 3) return 'hold';
  return (
    choices.find((one) => one === 'continue' || one === 'go-on-without' || one === 'begin-anyway') ??
    (tries > 2 ? null : 'retry')
  );
}

const NO_SIGNAL = new AbortController().signal;

function withKeyOfTry(owed: Owed): Owed {
  return owed.due.kind === 'deploy' || owed.due.kind === 'roll-back'
    ? { ...owed, due: { ...owed.due, key: `${owed.due.key}~${owed.attempts}` } }
    : owed;
}

/** The clock that nobody sets; planted, one that is set together with the other. */
function elapsedOn({ awakeMs, backMs, forwardMs }: SimulatedClock, bug: PlantedBug | null): number {
  if (bug === 'set-back-unnoticed') return awakeMs - backMs;
  return bug === 'set-forward-unnoticed' ? awakeMs + forwardMs : awakeMs;
}
