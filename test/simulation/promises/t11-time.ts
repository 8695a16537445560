import { type Position, stageAt, stepAt } from '../../../src/core/plan.ts';
import type { Rollout } from '../../../src/core/rollout.ts';
import type { Universe } from '../universe.ts';
import { type ChangeOfState, hasMoved, nameOf, passedIn } from './change-of-state.ts';
import { Violation } from './violation.ts';

/** At this many intervals between two looks nobody watched the rest of the time. */
const WATCHED_INTERVALS = 1.5;
/** Corrections of the clock that are everyday do not count as setting it. */
const CLOCK_TOLERANCE_MS = 5000;

type Look = { awakeMs: number; disturbances: number; isBlind: boolean };

/** What the world's own clock said: when each step was looked at, and when each approval was given. */
export class Chronicle {
  #looks = new Map<string, Look>();
  #approvals = new Map<string, number>();

  note({ before, after, universe }: ChangeOfState): void {
    const { phase } = after;
    const moved = hasMoved({ before, after });
    if (phase.is === 'baking' && moved) this.#noteLook(after, 0, universe, false);
    if (before.phase.is === 'baking') {
      const isBlind = !moved && phase.is === 'baking' && phase.judgement?.verdict === 'error';
      const isLook = moved || (phase.is === 'baking' && phase.round > before.phase.round);
      if (isLook) this.#noteLook(before, before.phase.round + 1, universe, isBlind);
    }
    for (const one of after.approvals) {
      const key = `${after.id}/${one.by}/${one.atMs}`;
      if (!before.approvals.some((other) => other.by === one.by && other.atMs === one.atMs)) {
        this.#approvals.set(key, universe.clock.worldMs);
      }
    }
  }

  #noteLook({ id, generation }: Rollout, round: number, { clock }: Universe, isBlind: boolean): void {
    const { awakeMs, disturbances } = clock;
    this.#looks.set(`${id}/${generation}/${round}`, { awakeMs, disturbances, isBlind });
  }

  /** The time of a bake in which somebody watched. A clock that was set or a machine that slept gives one long interval at most. */
  watchedMs({ id, generation }: Rollout, rounds: number, everyMs: number): number {
    let watchedMs = 0;
    for (let round = 1; round <= rounds; round += 1) {
      const [last, look] = [round - 1, round].map((one) => this.#looks.get(`${id}/${generation}/${one}`));
      if (!last || !look || look.isBlind) continue;
      const longestMs = everyMs * WATCHED_INTERVALS;
      const isDisturbed = look.disturbances > last.disturbances;
      watchedMs += isDisturbed ? longestMs : Math.min(longestMs, look.awakeMs - last.awakeMs);
    }
    return watchedMs;
  }

  /** How old an approval is in the world, whatever the clock says. */
  ageMs(rollout: Rollout, by: string, atMs: number, worldMs: number): number {
    return worldMs - (this.#approvals.get(`${rollout.id}/${by}/${atMs}`) ?? worldMs);
  }
}

/** T11: no step passes before it was watched for its whole time. */
export function checkBake(change: ChangeOfState, chronicle: Chronicle): void {
  const { before } = change;
  if (before.phase.is !== 'baking' || !passedIn(change)) return;
  const { at, round } = before.phase;
  const { everyMs } = stepAt(before.plan, at).bake;
  const watchedMs = chronicle.watchedMs(before, round + 1, everyMs);
  const forMs = bakeMs(before, at);
  if (watchedMs >= forMs) return;
  throw new Violation(
    'T11',
    `${nameOf(before, at)} passed after ${watchedMs} ms of the ${forMs} ms it is to be watched`,
  );
}

/** Each wave that passed before divides the time by the stage's factor, down to its floor. */
function bakeMs(rollout: Rollout, at: Position): number {
  const { name, steps, speedUp } = stageAt(rollout.plan, at);
  const { bake, kind } = stepAt(rollout.plan, at);
  if (speedUp === null || kind !== 'wave') return bake.forMs;
  const earlier = steps.slice(0, at.step).filter((step) => step.kind === 'wave');
  const passed = earlier.filter((step) =>
    rollout.steps.some((one) => one.stage === name && one.step === step.name && one.ended === 'passed'),
  );
  let ms = bake.forMs;
  for (const _ of passed) ms /= speedUp.factor;
  return Math.min(bake.forMs, Math.max(speedUp.floorMs, Math.round(ms)));
}

/** T11: no clock that was set lets an approval count for longer than it lasts. */
export function checkApprovalAges(change: ChangeOfState, chronicle: Chronicle): void {
  const { before, after, universe } = change;
  if (!hasMoved(change) || before.phase.is !== 'clearing' || after.phase.is !== 'deploying') return;
  const stage = stageAt(after.plan, after.phase.at);
  if (!stage.isProtected || !stage.approvals) return;
  const { expireMs, required } = stage.approvals;
  const { worldMs } = universe.clock;
  const alive = after.approvals.filter(
    (one) => chronicle.ageMs(after, one.by, one.atMs, worldMs) <= expireMs + CLOCK_TOLERANCE_MS,
  );
  if (alive.length >= required) return;
  throw new Violation('T11', `${nameOf(after, after.phase.at)} was deployed on approvals that had expired`);
}
