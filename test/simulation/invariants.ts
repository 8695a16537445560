import type { EffectKind } from '../../src/core/effect.ts';
import { occupies } from '../../src/core/lane.ts';
import { isOver, type Rollout } from '../../src/core/rollout.ts';
import type { Database } from '../../src/store/database.ts';
import { keyOf } from '../support/service.ts';
import { digestOf, type Universe } from './universe.ts';

export class Violation extends Error {
  override name = 'Violation';
  readonly promise: string;
  constructor(promise: string, detail: string) {
    super(`${promise}: ${detail}`);
    this.promise = promise;
  }
}

/** Statements by database and text: the checks run after every step, and preparing costs more than running. */
const statements = new WeakMap<object, Map<string, ReturnType<Database['raw']['prepare']>>>();

export function all<Row>(database: Database, sql: string, ...values: unknown[]): Row[] {
  const known = statements.get(database.raw) ?? new Map();
  statements.set(database.raw, known);
  const statement = known.get(sql) ?? database.raw.prepare(sql);
  known.set(sql, statement);
  return statement.all(...values) as Row[];
}

type OwedRow = { rollout_id: string; kind: string; body: string; generation: number };

/** Checks every promise on the committed state and on what the world was asked. */
export function checkPromises(universe: Universe, database: Database, isAfterCrash: boolean): void {
  const rollouts = readRollouts(universe, database);
  const owed = all<OwedRow>(database, 'SELECT rollout_id, kind, body, generation FROM owed');
  checkLiveness(rollouts, owed);
  checkLanes(rollouts);
  checkChanges(universe, rollouts, database);
  checkEvidence(universe, rollouts);
  if (isAfterCrash) checkAudit(database);
}

/** The state of a rollout by id and text: most of them did not change since the last check. */
const parsed = new WeakMap<Universe, Map<string, Rollout>>();

export function readRollouts(universe: Universe, database: Database): Rollout[] {
  const known = parsed.get(universe) ?? new Map<string, Rollout>();
  parsed.set(universe, known);
  const rows = all<{ id: string; state: string }>(database, 'SELECT id, state FROM rollouts ORDER BY id');
  return rows.map((row) => {
    const rollout = known.get(row.state) ?? (JSON.parse(row.state) as Rollout);
    known.set(row.state, rollout);
    return rollout;
  });
}

/** T17: a rollout that is not over owes the effect that its phase waits for, or waits for a named person or its lane. */
export function checkLiveness(rollouts: Rollout[], owed: OwedRow[]): void {
  for (const rollout of rollouts) {
    if (isOver(rollout)) continue;
    const mine = owed.filter((row) => row.rollout_id === rollout.id && row.generation === rollout.generation);
    const owes = (kind: EffectKind, target?: string) =>
      mine.some((row) => row.kind === kind && (target === undefined || JSON.parse(row.body).target === target));
    if (!isMoving(rollout, owes)) {
      throw new Violation('T17', `${rollout.id} is ${rollout.phase.is} and owes only ${mine.map((row) => row.kind)}`);
    }
  }
}

function isMoving(rollout: Rollout, owes: (kind: EffectKind, target?: string) => boolean): boolean {
  const { phase } = rollout;
  switch (phase.is) {
    case 'building':
      return owes('watch-build') && owes('wake');
    case 'surveying':
      return phase.waitingFor.every((target) => owes('survey', target)) && owes('wake');
    case 'clearing':
      return owes('clear') || owes('measure-before');
    case 'deploying':
      return phase.waitingFor.every((target) => owes('deploy', target)) && owes('wake');
    case 'verifying':
      return phase.waitingFor.every((target) => owes('observe', target)) && owes('wake');
    case 'baking':
      return owes('measure') && owes('wake');
    case 'rolling-back':
      return (
        phase.waitingFor.every((target) => owes('roll-back', target)) &&
        phase.verifying.every((target) => owes('observe', target))
      );
    case 'gated':
      return owes('wake');
    default:
      return true;
  }
}

/** T6: one rollout at a time on a lane. */
function checkLanes(rollouts: Rollout[]): void {
  const busy = rollouts.filter(occupies);
  if (busy.length > 1) throw new Violation('T6', `${busy.map((one) => `${one.id} ${one.phase.is}`)} share a lane`);
}

const checkedAsked = new WeakMap<Universe, number>();

/** T1, T4, T6, T7: every change that the platform was asked for. */
function checkChanges(universe: Universe, rollouts: Rollout[], database: Database): void {
  if (universe.overlaps.length > 0) throw new Violation('T6', `two changes at once on ${universe.overlaps}`);
  const from = checkedAsked.get(universe) ?? 0;
  checkedAsked.set(universe, universe.asked.length);
  for (const asked of universe.asked.slice(from)) {
    if (!asked.wasIntended) throw new Violation('T4', `${asked.key} was issued before its intent was committed`);
    const [id] = asked.key.split('/');
    const rollout = rollouts.find((one) => one.id === id);
    if (!rollout) throw new Violation('T13', `${asked.key} belongs to no committed rollout`);
    const isDeploy = asked.key.includes('/deploy/');
    const stage = rollout.plan.stages.find((one) => one.steps.some((step) => step.targets.includes(asked.target)));
    if (isDeploy && stage?.isProtected) checkApproved(rollout, stage.approvals?.required ?? 1, database);
  }
  const byIntent = new Map<string, Set<string>>();
  for (const asked of universe.asked) {
    const [id, generation, kind, target] = asked.key.split('/');
    const round = asked.key.match(/#(\d+)$/)?.[1] ?? '';
    const intent = [id, generation, kind, target?.replace(/[#~].*$/, ''), round].join('/');
    byIntent.set(intent, (byIntent.get(intent) ?? new Set()).add(asked.key));
  }
  for (const [intent, keys] of byIntent) {
    if (keys.size > 1) throw new Violation('T4', `${intent} was issued under ${[...keys]}`);
  }
  const newest = new Map<string, number>();
  for (const change of universe.provider.changes) {
    const { target } = change;
    const order = Number(change.key.match(/\/(\d+)\//)?.[1] ?? 0);
    const stamp = `${change.key.split('/')[0]}/${target}`;
    if ((newest.get(stamp) ?? 0) > order) {
      throw new Violation('T6', `${change.key} took effect after a newer generation on ${target}`);
    }
    newest.set(stamp, order);
  }
}

/** T1: N distinct people who took no part approved this rollout's stage. */
function checkApproved(rollout: Rollout, required: number, database: Database): void {
  const rows = database.raw
    .prepare("SELECT DISTINCT principal FROM approvals WHERE rollout_id = ? AND verdict = 'approved'")
    .all(rollout.id) as { principal: string }[];
  if (rows.some((row) => row.principal === keyOf('ana')))
    throw new Violation('T1', 'the author approved her own change');
  if (rows.length < required)
    throw new Violation('T1', `${rollout.id} deployed with ${rows.length} of ${required} approvals`);
}

/** T9: a step passes only on healthy evidence; T7: what succeeded is never older than what succeeded before it. */
function checkEvidence(universe: Universe, rollouts: Rollout[]): void {
  for (const rollout of rollouts) {
    for (const step of rollout.steps) {
      if (step.ended === 'passed' && step.verdict !== 'healthy') {
        throw new Violation('T9', `${step.stage}/${step.step} of ${rollout.id} passed on ${step.verdict}`);
      }
      const seen = universe.looks.get(digestOf(rollout.release.sha)) ?? [];
      if (step.ended === 'passed' && !seen.includes('good')) {
        throw new Violation('T9', `${step.step} of ${rollout.id} passed and was never measured good`);
      }
    }
  }
  const shipped = rollouts
    .filter((one) => one.phase.is === 'succeeded' && one.kind === 'release')
    .sort((a, b) => (a.endedAtMs ?? 0) - (b.endedAtMs ?? 0) || (a.id < b.id ? -1 : 1));
  for (const [index, one] of shipped.entries()) {
    const before = shipped[index - 1];
    if (before && before.release.mergedAtMs > one.release.mergedAtMs && before.endedAtMs !== one.endedAtMs) {
      throw new Violation('T7', `${one.release.title} shipped after ${before.release.title}`);
    }
  }
}

/** T14: the chain of the audit has no gap. */
function checkAudit(database: Database): void {
  const rows = database.raw.prepare('SELECT seq, previous_hash, hash FROM audit ORDER BY seq').all() as {
    seq: number;
    previous_hash: string;
    hash: string;
  }[];
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    if (row.seq !== index + 1 || (before && row.previous_hash !== before.hash)) {
      throw new Violation('T14', `the audit breaks at row ${row.seq}`);
    }
  }
}

/** With the faults off: every rollout is over, and the fleet runs what is recorded. */
export async function checkEnd(universe: Universe, database: Database): Promise<void> {
  const open = database.raw.prepare('SELECT id, phase FROM rollouts WHERE is_over = 0').all();
  if (open.length > 0) throw new Violation('T17', `never ended: ${JSON.stringify(open)}`);
  const owed = database.raw.prepare('SELECT key FROM owed').all() as { key: string }[];
  if (owed.length > 0) throw new Violation('T12', `still owed at the end: ${owed.map((row) => row.key)}`);
  const placements = database.raw.prepare('SELECT target, digest FROM placements').all() as {
    target: string;
    digest: string;
  }[];
  const last = await universe.provider.observe(
    { service: 'shop', target: 'us', options: { regions: { us: 3 }, digest: 'sha256:first' } },
    new AbortController().signal,
  );
  const recorded = placements.find((one) => one.target === 'us')?.digest ?? 'sha256:first';
  const running = new Set(last.instances.map((one) => one.digest));
  if (running.size !== 1 || !running.has(recorded)) {
    throw new Violation('T5', `us runs ${[...running]} and ${recorded} is recorded`);
  }
}
