import { type Loads, unorderedTargets } from './arrange.ts';
import { countsByStep, prefixByRegion, type Sizes } from './assign.ts';
import type { PlanFacts } from './facts.ts';
import { canonical } from './json.ts';
import { isJudgedIn, type ServiceSpec, type StageSpec, type StepSpec } from './pipeline.ts';
import { spedUpMs } from './speed-up.ts';
import type { Strategy } from './target.ts';

/** How many of a target's instances run the release once a step is done, in all and in each region. */
export type Taken = { upTo: number; of: number; regions: { region: string; upTo: number; of: number }[] };

export type StepOutlook = {
  /** Since the first step of the plan began, when all goes well; deploying, approvals and waiting take no time here. */
  startsAtMs: number;
  bakeMs: number;
  /** By target; null: its instances are not known. */
  takes: { target: string; instances: Taken | null }[];
  /** Of all instances of the stage, once the step is done, 0 to 1; null: not known. */
  share: number | null;
  /** Where the load says how many are needed: whether so many serve while the step runs. */
  capacity: { target: string; servingDuring: number; needed: number }[];
};

export type StageOutlook = { stage: string; steps: StepOutlook[] };

/** What a plan could not take into account, and why. */
export type Unknown =
  | { code: 'not-asked' }
  /** No share can be taken of it and there is no way back: it is deployed as a whole by the step that takes all of it. */
  | { code: 'nothing-runs'; target: string; region: string }
  | { code: 'instances-unread' | 'load-unread' | 'capacity-unread'; target: string; why: string }
  /** The regional waves of the stage are as they were written, because these loads are not known. */
  | { code: 'order-unknown'; stage: string; targets: string[] };

/** What is known of a plan when it is made: counts, times, capacity. It binds nobody; the fleet is read again. */
export type Outlook = { stages: StageOutlook[]; unknown: Unknown[] };

/** Why a plan can never succeed, whatever the release does. */
export type Impossible =
  /** Even all the traffic of the step's targets until its deadline is less than the floor. */
  { code: 'floor-above-traffic'; stage: string; step: string; signal: string; floor: number; most: number };

/** A problem that the release has no part in: it was read of the targets. */
export function isImpossible(problem: { code: string }): problem is Impossible {
  return problem.code === 'floor-above-traffic';
}

/** The stages as they will go when all goes well, with what was read of the targets. */
export function outlookOf(service: ServiceSpec, stages: StageSpec[], facts: PlanFacts | null): Outlook {
  let startsAtMs = 0;
  const all = stages.map((stage): StageOutlook => {
    const sizes = sizesKnown(stage, facts);
    const counts = countsByStep(stage.steps, sizes);
    const perInstance = service.traffic?.perInstance ?? null;
    return {
      stage: stage.name,
      steps: stage.steps.map((step, index): StepOutlook => {
        const wavesBefore = stage.steps.slice(0, index).filter((one) => one.kind === 'wave').length;
        const bakeMs = spedUpMs(stage, step, wavesBefore);
        const at = startsAtMs;
        startsAtMs += bakeMs;
        return {
          startsAtMs: at,
          bakeMs,
          takes: step.targets.map((target) => ({ target, instances: takenOf(stage, sizes, counts, target, index) })),
          share: shareAfter(stage, sizes, counts, index),
          capacity: perInstance === null ? [] : capacityOf(stage, step, index, counts, sizes, facts, perInstance),
        };
      }),
    };
  });
  return { stages: all, unknown: unknownOf(service, stages, facts) };
}

/** The first reason why this can never succeed; null: none is known. */
export function impossibleIn(stages: StageSpec[], facts: PlanFacts): Impossible | null {
  for (const stage of stages) {
    if (stage.isEphemeral) continue;
    const floor = floorAboveTraffic(stage, facts);
    if (floor) return floor;
  }
  return null;
}

function floorAboveTraffic(stage: StageSpec, facts: PlanFacts): Impossible | null {
  const floors = stage.signals.filter((signal) => signal.kind === 'requests' && signal.neighbour === null);
  for (const step of stage.steps) {
    // Users come to a target once something runs there.
    const loads = step.targets.map((target) => (isEmpty(facts, target) ? null : (facts[target]?.load?.value ?? null)));
    if (loads.some((load) => load === null)) continue;
    const most = sum(loads.map((load) => load ?? 0)) * (step.bake.deadlineMs / 1000);
    for (const signal of floors.filter((one) => isJudgedIn(one, step))) {
      const floor = signal.healthyWhen.min ?? 0;
      if (floor <= most) continue;
      return { code: 'floor-above-traffic', stage: stage.name, step: step.name, signal: signal.name, floor, most };
    }
  }
  return null;
}

/** The share of a target that a step changes it to, as its provider is asked: counted, but by weight as it is written. */
export function shareOf(
  stage: Pick<StageSpec, 'strategy'>,
  step: StepSpec,
  taken: number | undefined,
  of: number | undefined,
): number {
  if (stage.strategy.is === 'weight' || !of || taken === undefined) return step.share;
  return Math.min(1, Math.max(taken, 1) / of);
}

/** A strategy as a text: the same for the same. */
export function strategyKey(strategy: Strategy): string {
  return canonical(strategy);
}

function capacityOf(
  stage: StageSpec,
  step: StepSpec,
  index: number,
  counts: Record<string, number[]>,
  sizes: Sizes,
  facts: PlanFacts | null,
  perInstance: number,
): StepOutlook['capacity'] {
  return step.targets.flatMap((target) => {
    const fact = facts?.[target];
    const load = fact?.load?.value ?? null;
    const share = shareOf(stage, step, counts[target]?.[index], sizeOf(sizes, target));
    const key = strategyKey(stage.strategy);
    const read = fact?.capacity.find((one) => one.strategy === key && one.share === share)?.servingDuring;
    if (load === null || !read || read.value === null || isEmpty(facts, target)) return [];
    return [{ target, servingDuring: read.value, needed: Math.ceil(load / perInstance - 1e-9) }];
  });
}

function takenOf(
  stage: StageSpec,
  sizes: Sizes,
  counts: Record<string, number[]>,
  target: string,
  index: number,
): Taken | null {
  const regions = sizes[target];
  const upTo = counts[target]?.[index];
  if (!regions || upTo === undefined) return null;
  const taken = prefixByRegion(stage.steps, target, sizes, upTo);
  return {
    upTo,
    of: sizeOf(sizes, target) ?? 0,
    regions: Object.entries(regions).map(([region, of]) => ({ region, upTo: taken[region] ?? 0, of })),
  };
}

function shareAfter(stage: StageSpec, sizes: Sizes, counts: Record<string, number[]>, index: number): number | null {
  const targets = targetsOf(stage);
  if (!targets.every((target) => Object.hasOwn(sizes, target))) return null;
  const all = sum(targets.map((target) => sizeOf(sizes, target) ?? 0));
  return all === 0 ? null : sum(targets.map((target) => counts[target]?.[index] ?? 0)) / all;
}

function unknownOf(service: ServiceSpec, stages: StageSpec[], facts: PlanFacts | null): Unknown[] {
  if (facts === null) return [{ code: 'not-asked' }];
  const targets = [...new Set(stages.filter((stage) => !stage.isEphemeral).flatMap(targetsOf))];
  const unread = targets.flatMap((target): Unknown[] => {
    const fact = facts[target];
    if (!fact) return [{ code: 'instances-unread', target, why: '' }];
    if (isEmpty(facts, target)) {
      return [{ code: 'nothing-runs', target, region: service.places[target]?.region ?? target }];
    }
    const capacity = fact.capacity.map((one) => one.servingDuring).find((one) => one.value === null);
    return [
      ...(fact.instances.value === null
        ? [{ code: 'instances-unread' as const, target, why: fact.instances.why }]
        : []),
      ...(fact.load?.value === null ? [{ code: 'load-unread' as const, target, why: fact.load.why }] : []),
      ...(capacity?.value === null ? [{ code: 'capacity-unread' as const, target, why: capacity.why }] : []),
    ];
  });
  const loads = loadsOf(facts);
  const unordered = stages
    .map((stage) => ({ stage, targets: unorderedTargets(stage, loads) }))
    .filter((one) => one.targets.length > 0 && service.traffic !== null)
    .map(({ stage, targets }): Unknown => ({ code: 'order-unknown', stage: stage.name, targets }));
  return [...unread, ...unordered];
}

/** Requests a second of the targets whose load could be read. */
export function loadsOf(facts: PlanFacts | null): Loads {
  return Object.fromEntries(
    Object.entries(facts ?? {}).flatMap(([target, { load }]) =>
      load && load.value !== null ? [[target, load.value]] : [],
    ),
  );
}

/** It was read, and nothing serves there. */
function isEmpty(facts: PlanFacts | null, target: string): boolean {
  const instances = facts?.[target]?.instances.value;
  return instances != null && sum(Object.values(instances)) === 0;
}

function sizesKnown(stage: StageSpec, facts: PlanFacts | null): Sizes {
  return Object.fromEntries(
    targetsOf(stage).flatMap((target) => {
      const instances = stage.isEphemeral ? null : facts?.[target]?.instances.value;
      return instances ? [[target, instances]] : [];
    }),
  );
}

function sizeOf(sizes: Sizes, target: string): number | undefined {
  const regions = sizes[target];
  return regions && sum(Object.values(regions));
}

function targetsOf(stage: StageSpec): string[] {
  return [...new Set(stage.steps.flatMap((step) => step.targets))];
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
