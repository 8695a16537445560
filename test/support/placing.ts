import type { ServiceSpec, StageSpec, StepSpec } from '../../src/core/pipeline.ts';
import type { ChangeRequest } from '../../src/providers/provider.ts';

const strategy = { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 30_000 } as const;

/** A change in place, one instance after the other, with nothing beside it. */
export const PLAIN: Pick<ChangeRequest, 'instances' | 'strategy' | 'isCanary' | 'baseline'> = {
  instances: null,
  strategy,
  isCanary: false,
  baseline: null,
};

/** A step of the release alone. */
export const PLAIN_STEP = {
  isRegional: false,
  count: null,
  deploys: 'release',
  hasBaseline: false,
} as const satisfies Partial<StepSpec>;

/** A stage with nothing special about it. */
export const PLAIN_STAGE = {
  strategy,
  isolation: null,
  isEphemeral: false,
  checks: [],
  order: 'as-written',
  regionsAtOnce: [],
  speedUp: null,
  groups: {},
  onInconclusive: 'ask',
  onError: 'ask',
  capacityDeadlineMs: 1_800_000,
} satisfies Partial<StageSpec>;

/** Each target is a region of its name; nothing is known of its traffic. */
export function plainService(targets: string[]) {
  return {
    places: Object.fromEntries(targets.map((target) => [target, { region: target, country: null, ring: null }])),
    traffic: null,
    trafficCycleMs: null,
    neighbours: [],
    driftEveryMs: null,
  } satisfies Partial<ServiceSpec>;
}
