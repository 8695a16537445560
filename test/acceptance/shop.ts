import type { InstanceState } from '../../sandbox/fleet/fleet-target.ts';
import { startWorld, type World, type WorldOptions } from '../../sandbox/world.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { cardsOf, threadOf } from './town.ts';

export type ShopOptions = {
  regions: NonNullable<NonNullable<WorldOptions['fleet']>['regions']>;
  /** The service file from `targets` on; `fleetUrl`: where `/fleet/targets/<name>/…` shows what users get. */
  rest: (fleetUrl: string) => string;
  /** More sources of belay.yml, each a line. */
  sources?: string[];
};

/** The sandbox's world with a shop that is rolled out in a way of the test's own. */
export function startShop({ regions, rest, sources = [] }: ShopOptions): Promise<World> {
  return startWorld({
    fleet: { regions },
    buildMs: 200,
    configure: ({ belay, shop }, { fleetUrl }) => ({
      belay: belay.replace('sources:\n', `sources:\n${sources.map((one) => `  ${one}\n`).join('')}`),
      shop: `${shop.slice(0, shop.indexOf('targets:\n'))}${rest(fleetUrl)}`,
    }),
  });
}

/** Share of failed requests, in percent, by its bounds. */
export function errorsSignal(healthyUpTo: number, degradedFrom: number): string {
  return `  - name: errors
    source: metrics
    query: { ratio: { of: http_requests_total, where: { code: '5*' }, over: http_requests_total }, window: 2s, times: 100 }
    healthyWhen: { max: ${healthyUpTo} }
    degradedWhen: { min: ${degradedFrom} }
    failures: 2
    of: 3
    unit: '%'
`;
}

export function instancesOf(world: World, target: string): InstanceState[] {
  return world.fleet.state().targets.find((one) => one.target === target)?.instances ?? [];
}

/** Which roles there are on a target, sorted: `canary stable stable`. */
export function rolesOf(world: World, target: string): string {
  return instancesOf(world, target)
    .map((one) => one.role)
    .toSorted()
    .join(' ');
}

export function failuresOf(world: World, target: string): number {
  return world.fleet.stats()[target]?.failed ?? 0;
}

/** How each step ended so far: `staging all passed`. */
export function endsOf({ steps }: Rollout): string[] {
  return steps.map(({ stage, step, ended }) => `${stage} ${step} ${ended}`);
}

/** Until these words stand on the rollout's card or in its thread. */
export function said(world: World, sha: string, words: RegExp): Promise<unknown> {
  const isSaid = () =>
    [...cardsOf(world, sha), ...threadOf(world, sha)].some((one) => words.test(JSON.stringify(one.blocks)));
  return world.slack.waitFor(isSaid);
}
