import type { PhaseName, Rollout } from '../../src/core/rollout.ts';
import type { ScenarioPace } from '../belay/three-regions.ts';
import type { FleetSettings } from '../fleet/fleet.ts';
import { THREE_REGIONS } from '../fleet/fleet.ts';
import { EIGHTH_SERVER, type ReleaseKind } from '../releases.ts';

/** One release to watch, in a company with three regions, and how it must end. */
export type Scenario = {
  name: string;
  does: string;
  kind: ReleaseKind;
  pace: ScenarioPace;
  fleet: Pick<FleetSettings, 'regions' | 'payments' | 'backgroundFailsEvery'>;
  ends: PhaseName;
  /** Which signal must have found it; null: none had to. */
  foundBy: string[] | null;
  /** What the person on call does when asked; null: nobody is asked. */
  decides: { choice: 'go-on-without'; because: string } | null;
  /** What else must be true of how it ended; a sentence when it is not. */
  wrong(rollout: Rollout): string | null;
};

const QUICK: ScenarioPace = { canaryBake: '8s', bake: '6s', floor: '3s' };
/** For a canary that must be found out: it ends when it is, and a slow machine needs longer for as many requests. */
const PATIENT: ScenarioPace = { ...QUICK, canaryBake: '2m' };

/** It was seen in the canary, and no wave began. */
function onlyCanary({ steps }: Rollout): string | null {
  const last = steps.at(-1);
  return last?.step === 'canary' ? null : `it got as far as ${last?.stage}/${last?.step}, further than the canary`;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'good',
    does: 'behaves well: the canary, then the region with the least traffic, then the two others together',
    kind: 'good',
    pace: QUICK,
    fleet: { regions: THREE_REGIONS, payments: { capacity: 60 } },
    ends: 'succeeded',
    foundBy: null,
    decides: null,
    wrong({ plan }) {
      const waves = plan.stages.at(-1)?.steps.filter((one) => one.kind === 'wave') ?? [];
      const order = waves.map((one) => one.targets.toSorted().join('+')).join(', ');
      return order === 'ap, eu+us' ? null : `the waves were ${order}, and not the one with the least traffic first`;
    },
  },
  {
    name: 'leak',
    does: 'keeps memory with each request, and gets slower and slower',
    kind: 'leaks',
    pace: PATIENT,
    fleet: { regions: THREE_REGIONS, payments: { capacity: 60 } },
    ends: 'rolled-back',
    foundBy: ['memory', 'latency'],
    decides: null,
    wrong: onlyCanary,
  },
  {
    name: 'sparse-errors',
    does: 'fails one request in a hundred where it was three in a thousand: nobody sees it by looking',
    kind: 'sparse',
    pace: PATIENT,
    fleet: {
      regions: {
        staging: { instances: 2, rps: 10 },
        eu: { instances: 4, rps: 120 },
        us: { instances: 4, rps: 80 },
        ap: { instances: 4, rps: 40 },
      },
      payments: { capacity: 200 },
      backgroundFailsEvery: 333,
    },
    ends: 'rolled-back',
    foundBy: ['error-rate'],
    decides: null,
    wrong: onlyCanary,
  },
  {
    name: 'one-region',
    does: 'fails in one region only, and well in the others',
    kind: 'one-region',
    pace: PATIENT,
    fleet: { regions: THREE_REGIONS, payments: { capacity: 60 } },
    ends: 'rolled-back',
    foundBy: ['errors', 'error-rate'],
    decides: null,
    wrong: onlyCanary,
  },
  {
    name: 'neighbour',
    does: 'is well itself and breaks a neighbour: it asks payments six times for each request',
    kind: 'neighbour',
    pace: PATIENT,
    fleet: { regions: THREE_REGIONS, payments: { capacity: 40 } },
    ends: 'rolled-back',
    foundBy: ['payments-errors'],
    decides: null,
    wrong: onlyCanary,
  },
  {
    name: 'eighth-server',
    does: `does not start on ${EIGHTH_SERVER}, and the platform does not notice: it is named, and Cho goes on without it`,
    kind: 'eighth-server',
    pace: QUICK,
    fleet: { regions: THREE_REGIONS, payments: { capacity: 60 } },
    ends: 'succeeded',
    foundBy: null,
    decides: { choice: 'go-on-without', because: 'its disk is full; it is replaced this afternoon' },
    wrong({ without }) {
      const left = without.map((one) => one.id).join();
      return left === EIGHTH_SERVER ? null : `it went on without ${left || 'nobody'}, and not without ${EIGHTH_SERVER}`;
    },
  },
];

export const SCENARIO_LIST = SCENARIOS.map(({ name, does }) => `  ${name.padEnd(14)} ${does}`).join('\n');
