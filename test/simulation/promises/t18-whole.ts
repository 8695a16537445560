import { artifactAt } from '../../../src/core/placing.ts';
import { type Position, stageAt, stepAt } from '../../../src/core/plan.ts';
import type { Rollout } from '../../../src/core/rollout.ts';
import { touchedIn } from '../../../src/core/step.ts';
import type { Instance } from '../../../src/core/target.ts';
import { CONFIG, REGIONS } from '../simulated-service.ts';
import type { Universe } from '../universe.ts';
import { type ChangeOfState, hasMoved, nameOf, passedIn } from './change-of-state.ts';
import { Violation } from './violation.ts';

/** Steps that were read back whole since they were deployed last, by name. */
export type ReadBack = Set<string>;

/** T18: whatever follows a step's read-back follows because every instance was read back as wished, or left out by name. */
export function checkWhole(change: ChangeOfState, readBack: ReadBack): void {
  const { before, after } = change;
  if (!hasMoved(change) || !('at' in before.phase)) return;
  const { at } = before.phase;
  const name = nameOf(before, at);
  if (after.phase.is === 'deploying' || after.phase.is === 'verifying') readBack.delete(name);
  const passed = passedIn(change);
  const goesOn = after.phase.is === 'baking' || after.phase.is === 'checking' || passed !== null;
  if (before.phase.is === 'verifying' && goesOn) {
    for (const target of stepAt(before.plan, at).targets) checkTarget(change, at, target);
    checkCount(change, at);
    readBack.add(name);
  }
  const isSkipped = stepAt(before.plan, at).deploys === 'before' && before.phase.is !== 'baking';
  if (passed?.step === stepAt(before.plan, at).name && !isSkipped && !readBack.has(name)) {
    throw new Violation('T18', `${name} passed and was never read back`);
  }
}

function checkTarget({ before, universe }: ChangeOfState, at: Position, target: string): void {
  const step = stepAt(before.plan, at);
  const name = nameOf(before, at);
  const broken = (detail: string) => new Violation('T18', `${name} went on, and ${target} ${detail}`);
  const digest = artifactAt(before, at, target)?.digest ?? null;
  const instances = counted(before, universe, target);
  const odd = instances.filter((one) => !isWell(one, digest));
  const isWhole = step.share === 1 && step.count === null;
  const [stray] = isWhole ? odd : odd.filter((one) => !isAsBefore(one, before, target));
  if (stray) throw broken(`has ${stray.id} on ${stray.digest} (${stray.config}, ${stray.role})`);
  const left = leftBehind(instances, isWhole);
  if (left) throw broken(`still has ${left.id} as ${left.role}`);
  const usual = usualOf(target);
  const without = before.without.filter((one) => one.target === target).length;
  const wished = step.count === null ? Math.ceil(step.share * usual - 1e-9) : 1;
  const carriers = instances.filter((one) => isWell(one, digest) && one.role !== 'baseline').length;
  if (carriers < Math.min(usual, wished) - without) throw broken(`runs it on ${carriers} of ${wished} instances`);
  const most = step.count ?? Math.max(wished, Object.keys(REGIONS[target] ?? {}).length);
  const isNew = digest !== before.found[target];
  if (isNew && carriers > most) throw broken(`runs it on ${carriers} instances, and was to on ${most}`);
}

/** So many of all the targets together. */
function checkCount({ before, universe }: ChangeOfState, at: Position): void {
  const { count, targets } = stepAt(before.plan, at);
  if (count === null) return;
  const carriers = targets.flatMap((target) =>
    counted(before, universe, target).filter((one) => isWell(one, artifactAt(before, at, target)?.digest ?? null)),
  ).length;
  if (carriers < count - before.without.length) {
    throw new Violation('T18', `${nameOf(before, at)} went on with ${carriers} of ${count} instances`);
  }
}

/** T18: a rollback ends when every target that was touched was read back on what it goes back to, and nothing else is left there. */
export function checkTakenBack({ before, after, universe }: ChangeOfState): void {
  if (before.phase.is !== 'rolling-back' || after.phase.is !== 'rolled-back') return;
  const { at, to } = before.phase;
  const forgotten = touchedIn(before, at).find((target) => !to.some((one) => one.target === target));
  if (forgotten) throw new Violation('T18', `${before.id} was rolled back without ${forgotten}`);
  for (const { target, artifact } of to) {
    const excused = before.without.filter((one) => one.target === target).map((one) => one.id);
    const stray = readBackOf(before, universe, target).find(
      (one) =>
        !(isRunning(one, artifact.digest) && one.role === 'stable') &&
        !(excused.includes(one.id) && one.digest === null),
    );
    if (!stray) continue;
    throw new Violation('T18', `${before.id} was rolled back and ${stray.id} runs ${stray.digest} as ${stray.role}`);
  }
}

/** T18: those that a step goes on without were named by somebody, with a reason. */
export function checkLeftOut({ before, after }: ChangeOfState): void {
  for (const one of after.without) {
    if (one.by.trim() !== '' && one.because.trim() !== '') continue;
    throw new Violation('T18', `${before.id} goes on without ${one.id}, and nobody said why`);
  }
}

/** R3, T18: a step begins when what serves meanwhile can bear the load, or because somebody decided so and said why. */
export function checkCapacity(change: ChangeOfState): void {
  const { before, after, universe } = change;
  const perInstance = before.spec.traffic?.perInstance ?? null;
  if (before.phase.is !== 'clearing' || after.phase.is !== 'deploying' || perInstance === null) return;
  const { at, round } = before.phase;
  if (stageAt(before.plan, at).isEphemeral) return;
  const begun = before.begunShort.find((one) => isOfStep(one, before, at));
  if (begun) {
    universe.begunShort.add(`${after.id}/${after.generation}`);
    if (begun.by.trim() !== '' && begun.because.trim() !== '') return;
    throw new Violation('T18', `${nameOf(before, at)} began without enough capacity, and nobody said why`);
  }
  for (const target of stepAt(before.plan, at).targets) {
    const key = `${before.id}/${before.generation}/read-capacity/${target}#${round}`;
    const load = universe.health.looks.get(key)?.find((one) => one.signal === 'load');
    const during = universe.platform.capacities.get(key)?.servingDuring ?? 0;
    const isEnough = load?.is === 'good' && load.value !== null && during * perInstance >= load.value;
    if (isEnough) continue;
    throw new Violation('T18', `${nameOf(before, at)} began on ${target} with ${during} instances for ${load?.value}`);
  }
}

function isOfStep(one: { stage: string; step: string }, { plan }: Rollout, at: Position): boolean {
  return one.stage === stageAt(plan, at).name && one.step === stepAt(plan, at).name;
}

/** T18: what was made for one release is taken away by nobody else while that one needs it. */
export function checkEnvironments({ platform }: Universe, rollouts: Rollout[], from: number): void {
  const { environments } = platform.memory;
  for (const [index, { kind, key, target }] of environments.entries()) {
    if (kind !== 'remove' || index < from) continue;
    const made = environments.slice(0, index).findLast((one) => one.kind === 'create' && one.target === target);
    const owner = rollouts.find((one) => made?.key.startsWith(`${one.id}/`));
    if (!owner || key.startsWith(`${owner.id}/`)) continue;
    const isNeeded = owner.environments.some((one) => one.target === target && !one.isLeaving);
    if (isNeeded) throw new Violation('T18', `${key} took ${target} away from ${owner.id}`);
  }
}

function readBackOf({ id, generation }: Rollout, { platform }: Universe, target: string): Instance[] {
  const seen = platform.readBacks.get(`${id}/${generation}/observe/${target}@${target}`);
  if (!seen) throw new Violation('T18', `${id} went on and never read ${target} back`);
  return seen.instances.filter((one) => one.role !== 'idle');
}

/** Those that were read back, without those that somebody decided to go on without. */
function counted(rollout: Rollout, universe: Universe, target: string): Instance[] {
  const without = rollout.without.filter((one) => one.target === target).map((one) => one.id);
  return readBackOf(rollout, universe, target).filter((one) => !without.includes(one.id));
}

function isRunning(one: Instance, digest: string | null): boolean {
  return digest !== null && one.digest === digest && one.isHealthy;
}

function isWell(one: Instance, digest: string | null): boolean {
  return isRunning(one, digest) && one.config === CONFIG;
}

/** Untouched by a step that reaches only some: it can be read, and runs what it ran. A baseline runs what was good before. */
function isAsBefore({ digest, role }: Instance, { before, found }: Rollout, target: string): boolean {
  const old = role === 'baseline' ? before[target]?.digest : found[target];
  return digest !== null && (old == null || digest === old);
}

function leftBehind(instances: Instance[], isWhole: boolean): Instance | undefined {
  return isWhole ? instances.find((one) => one.role !== 'stable') : undefined;
}

function usualOf(target: string): number {
  return Object.values(REGIONS[target] ?? {}).reduce((sum, count) => sum + count, 0);
}
