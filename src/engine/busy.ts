import { occupies } from '../core/lane.ts';
import { laneOf, type ServiceSpec } from '../core/pipeline.ts';
import { stageAt } from '../core/plan.ts';
import type { Rollout } from '../core/rollout.ts';
import { touchedIn } from '../core/step.ts';
import type { LedgerReader } from './ledger.ts';

/** A rollout of the service has touched this target, or may at any moment: what runs there is its own business. */
export async function isBusy(
  from: Pick<LedgerReader, 'openRollouts'>,
  services: ServiceSpec[],
  service: string,
  target: string,
): Promise<boolean> {
  for (const lane of services.filter((one) => one.name === service).map(laneOf)) {
    if ((await from.openRollouts(lane)).some((one) => worksOn(one, target))) return true;
  }
  return false;
}

function worksOn(rollout: Rollout, target: string): boolean {
  const { phase } = rollout;
  if (!occupies(rollout) || !('at' in phase)) return false;
  // Nothing of the stage is touched before it was approved, and that may take hours.
  if (phase.is === 'gated' && touchedIn(rollout, phase.at).length === 0) return false;
  return stageAt(rollout.plan, phase.at).steps.some((step) => step.targets.includes(target));
}
