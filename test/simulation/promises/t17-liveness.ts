import type { EffectKind } from '../../../src/core/effect.ts';
import { stageAt } from '../../../src/core/plan.ts';
import { isOver, type Rollout } from '../../../src/core/rollout.ts';
import { Violation } from './violation.ts';

export type OwedRow = { rollout_id: string; kind: string; body: string; generation: number };

type Owes = (kind: EffectKind, part?: Record<string, unknown>) => boolean;

/** T17: a rollout that is not over owes the effect that its phase waits for, or waits for a named person or its lane. */
export function checkLiveness(rollouts: Rollout[], owed: OwedRow[]): void {
  for (const rollout of rollouts) {
    const all = owed.filter((row) => row.rollout_id === rollout.id);
    const forgotten = rollout.environments.find((one) => one.isLeaving && !owes(all)('remove', { target: one.target }));
    if (forgotten) throw new Violation('T17', `${rollout.id} does not owe that ${forgotten.target} is removed`);
    const stays = rollout.environments.find((one) => !one.isLeaving);
    if (stays && isOver(rollout)) throw new Violation('T17', `${rollout.id} is over and keeps ${stays.target}`);
    if (isOver(rollout)) continue;
    const mine = all.filter((row) => row.generation === rollout.generation);
    if (!isMoving(rollout, owes(mine))) {
      throw new Violation('T17', `${rollout.id} is ${rollout.phase.is} and owes only ${mine.map((row) => row.kind)}`);
    }
  }
}

function owes(rows: OwedRow[]): Owes {
  return (kind, part = {}) =>
    rows.some((row) => {
      if (row.kind !== kind) return false;
      const wanted = Object.entries(part);
      if (wanted.length === 0) return true;
      const body = JSON.parse(row.body) as Record<string, unknown>;
      return wanted.every(([name, value]) => body[name] === value);
    });
}

function isMoving(rollout: Rollout, owes: Owes): boolean {
  const { phase } = rollout;
  switch (phase.is) {
    case 'building':
      return owes('watch-build') && owes('wake');
    case 'preparing':
      return phase.waitingFor.every((target) => owes('create', { target })) && owes('wake');
    case 'surveying':
      return phase.waitingFor.every((target) => owes('survey', { target })) && owes('wake');
    case 'clearing': {
      const { waitingFor } = phase.capacity;
      const waitsFor = [
        ...(phase.clearance === null ? [owes('clear')] : []),
        ...(phase.before === null ? [owes('measure-before')] : []),
        ...waitingFor.map((target) => owes('read-capacity', { target }) && owes('wake')),
      ];
      return waitsFor.length > 0 && waitsFor.every((one) => one);
    }
    case 'deploying':
      return phase.waitingFor.every((target) => owes('deploy', { target })) && owes('wake');
    case 'verifying':
      return phase.waitingFor.every((target) => owes('observe', { target })) && owes('wake');
    case 'checking':
      return (
        phase.running.length > 0 &&
        phase.running.every(({ target, tryNumber, check }) => {
          const timer = `check-deadline/${check}@${target}#${tryNumber}`;
          return owes('check', { target, tryNumber }) && owes('wake', { timer });
        })
      );
    case 'baking':
      return stageAt(rollout.plan, phase.at).signals.length > 0
        ? owes('measure', { round: phase.round }) && owes('wake', { timer: 'bake-deadline' })
        : owes('wake', { timer: `bake#${phase.round}` });
    case 'deciding':
      return phase.countdown === null || owes('wake', { timer: 'countdown' });
    case 'rolling-back':
      return (
        phase.waitingFor.every((target) => owes('roll-back', { target })) &&
        phase.verifying.every((target) => owes('observe', { target })) &&
        owes('wake')
      );
    case 'gated':
      return owes('wake');
    default:
      return true;
  }
}
