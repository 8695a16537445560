import type { Rollout } from '../../src/core/rollout.ts';
import type { Database } from '../../src/store/database.ts';
import { type ChangeOfState, passedIn } from './promises/change-of-state.ts';
import { checkChanges, checkLosses } from './promises/changes.ts';
import { checkLanes, checkOrder } from './promises/order.ts';
import { all } from './promises/rows.ts';
import { type Befores, checkEvidence, noteBefore } from './promises/t9-evidence.ts';
import { Chronicle, checkApprovalAges, checkBake } from './promises/t11-time.ts';
import { checkAudit } from './promises/t14-audit.ts';
import { checkLiveness, type OwedRow } from './promises/t17-liveness.ts';
import {
  checkCapacity,
  checkEnvironments,
  checkLeftOut,
  checkTakenBack,
  checkWhole,
  type ReadBack,
} from './promises/t18-whole.ts';
import { Violation } from './promises/violation.ts';
import type { Universe } from './universe.ts';

/** Holds one universe against every promise: each decision when it is written, and all that is committed after every step. */
export class Invariants {
  #universe: Universe;
  #chronicle = new Chronicle();
  #befores: Befores = new Map();
  #readBack: ReadBack = new Set();
  /** Found inside a transaction, where throwing would only fail that transaction. */
  #found: Violation | null = null;
  #checked = { asked: 0, environments: 0, losses: 0 };
  /** The state of a rollout by text: most of them did not change since the last check. */
  #parsed = new Map<string, Rollout>();

  constructor(universe: Universe) {
    this.#universe = universe;
  }

  /** Everything that was decided somewhere on the way: phases, troubles, strategies that a step passed with. */
  readonly saw = new Set<string>();

  /** A decision is being written. */
  decided(before: Rollout, after: Rollout): void {
    const change: ChangeOfState = { before, after, universe: this.#universe };
    this.#note(change);
    this.#chronicle.note(change);
    noteBefore(change, this.#befores);
    try {
      checkEvidence(change, this.#befores);
      checkBake(change, this.#chronicle);
      checkApprovalAges(change, this.#chronicle);
      checkWhole(change, this.#readBack);
      checkTakenBack(change);
      checkLeftOut(change);
      checkCapacity(change);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#found ??= error;
    }
  }

  #note(change: ChangeOfState): void {
    const { after } = change;
    const { phase } = after;
    this.saw.add(phase.is);
    if ('trouble' in phase) this.saw.add(phase.trouble.code);
    if (after.without.length > 0) this.saw.add('gone on without');
    if (after.begunShort.length > 0) this.saw.add('begun short');
    const passed = passedIn(change);
    const stage = after.plan.stages.find((one) => one.name === passed?.stage);
    if (stage) this.saw.add(`passed by ${stage.strategy.is}`);
  }

  /** Checks what is committed and what the world was asked. */
  check(database: Database, isAfterCrash: boolean): void {
    if (this.#found) throw this.#found;
    const { platform } = this.#universe;
    const rollouts = this.rollouts(database);
    const owed = all<OwedRow>(database, 'SELECT rollout_id, kind, body, generation FROM owed');
    checkLiveness(rollouts, owed);
    checkLanes(rollouts);
    checkChanges(this.#universe, rollouts, database, this.#checked.asked);
    checkEnvironments(this.#universe, rollouts, this.#checked.environments);
    checkLosses(this.#universe, rollouts, this.#checked.losses);
    checkOrder(rollouts);
    if (isAfterCrash) checkAudit(database);
    this.#checked = {
      asked: platform.asked.length,
      environments: platform.memory.environments.length,
      losses: platform.losses.length,
    };
  }

  rollouts(database: Database): Rollout[] {
    const rows = all<{ state: string }>(database, 'SELECT state FROM rollouts ORDER BY id');
    return rows.map((row) => {
      const rollout = this.#parsed.get(row.state) ?? (JSON.parse(row.state) as Rollout);
      this.#parsed.set(row.state, rollout);
      return rollout;
    });
  }
}
