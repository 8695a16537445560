import type { StageSpec, StepSpec } from './pipeline.ts';
import { mulberry32, shuffled } from './random.ts';
import { instancesFor, type Observation } from './target.ts';

/** Which instances of each target get the release, in which order, and how many of them by the end of each step. */
export type Assignment = Record<
  string /* target */,
  {
    order: string[];
    /** By the index of the step in its stage; cumulative. */
    upTo: number[];
  }
>;

/** How many instances each target has in each region. */
export type Sizes = Record<string /* target */, Record<string /* region */, number>>;

/**
 * At random with the seed, so that nobody chooses where a release is tried; and the same again for the same seed. Each
 * instance comes exactly once, one of an earlier step stays taken, every prefix holds the regions about as the target
 * does, and a canary touches each of them. Instances that are there for something else than users are left out.
 */
export function assign(stage: Pick<StageSpec, 'steps'>, observations: Observation[], seed: number): Assignment {
  const upTo = countsByStep(stage.steps, sizesOf(observations));
  return Object.fromEntries(
    observations.map((observation) => {
      const { target } = observation;
      const next = mulberry32(seedOf(`${seed}/${target}`));
      const byRegion = [...idsByRegion(observation)].sort(([a], [b]) => compare(a, b));
      const waiting = new Map(byRegion.map(([region, ids]) => [region, shuffled(ids.sort(), next)]));
      const order = regionsInTurn(regionSizes(observation), hasCanary(stage.steps, target)).flatMap(
        (region) => waiting.get(region)?.shift() ?? [],
      );
      return [target, { order, upTo: upTo[target] ?? [] }];
    }),
  );
}

/** The seed of a rollout, from its id: FNV-1a of its UTF-16 code units, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** What an observation says of the instances that a release is given to. */
export function sizesOf(observations: Observation[]): Sizes {
  return Object.fromEntries(observations.map((one) => [one.target, regionSizes(one)]));
}

/** How many instances of each target have the release by the end of each step, by the step's index. */
export function countsByStep(steps: StepSpec[], sizes: Sizes): Record<string, number[]> {
  const totals = Object.fromEntries(Object.entries(sizes).map(([target, byRegion]) => [target, sum(byRegion)]));
  const counts: Record<string, number[]> = Object.fromEntries(Object.keys(sizes).map((target) => [target, []]));
  for (const [index, step] of steps.entries()) {
    const before = Object.fromEntries(Object.entries(counts).map(([target, upTo]) => [target, upTo[index - 1] ?? 0]));
    const wanted = wantedBy(step, totals, before);
    for (const [target, upTo] of Object.entries(counts)) {
      const floor = step.kind === 'canary' && step.targets.includes(target) ? regionsWithInstances(sizes[target]) : 0;
      upTo.push(Math.max(before[target] ?? 0, wanted[target] ?? 0, floor));
    }
  }
  return counts;
}

/** The first `count` of a target's instances by region, as `assign` takes them. */
export function prefixByRegion(steps: StepSpec[], target: string, sizes: Sizes, count: number): Record<string, number> {
  const regions = regionsInTurn(sizes[target] ?? {}, hasCanary(steps, target)).slice(0, count);
  return lengths(Map.groupBy(regions, (region) => region));
}

/**
 * The region of the first instance, the second, …: the n-th of a region with `size` comes at (n - 1/2) / size of the way
 * (the sequence of Sainte-Laguë's divisors), so that each prefix is about in proportion. `oneOfEach`: every region comes
 * once before any comes again.
 */
function regionsInTurn(sizes: Record<string, number>, oneOfEach: boolean): string[] {
  return Object.entries(sizes)
    .flatMap(([region, size]) =>
      Array.from({ length: size }, (_, n) => ({ region, way: (n + 0.5) / size, isFirst: oneOfEach && n === 0 })),
    )
    .sort((a, b) => {
      if (a.isFirst !== b.isFirst) return a.isFirst ? -1 : 1;
      return a.way - b.way || compare(a.region, b.region);
    })
    .map((one) => one.region);
}

function wantedBy(
  step: StepSpec,
  totals: Record<string, number>,
  before: Record<string, number>,
): Record<string, number> {
  const targets = step.targets.filter((target) => (totals[target] ?? 0) > 0);
  if (step.count === null) {
    return Object.fromEntries(targets.map((target) => [target, instancesFor(step.share, totals[target] ?? 0)]));
  }
  const taken = targets.reduce((total, target) => total + (before[target] ?? 0), 0);
  const left = targets.map((target) => (totals[target] ?? 0) - (before[target] ?? 0));
  const more = largestRemainders(Math.max(0, step.count - taken), left);
  return Object.fromEntries(targets.map((target, index) => [target, (before[target] ?? 0) + (more[index] ?? 0)]));
}

/** `count` handed out in proportion to `sizes`, none getting more than its size: Hamilton's method of largest remainders. */
function largestRemainders(count: number, sizes: number[]): number[] {
  const total = sizes.reduce((all, one) => all + one, 0);
  if (count >= total) return sizes;
  const shares = sizes.map((size) => (count * size) / total);
  const given = shares.map(Math.floor);
  const missing = count - given.reduce((all, one) => all + one, 0);
  const first = shares
    .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
    .slice(0, missing);
  return given.map((one, index) => one + (first.some((other) => other.index === index) ? 1 : 0));
}

/**
 * Of those that serve users, a canary that an earlier release left behind included: without it the others would be the
 * whole target, and a part of them all of it. A map, because the names come from outside.
 */
function idsByRegion(observation: Observation): Map<string, string[]> {
  const serving = observation.instances.filter((one) => one.role === 'stable' || one.role === 'canary');
  const regionOf = new Map(serving.map((one) => [one.id, one.region]));
  return Map.groupBy(regionOf.keys(), (id) => regionOf.get(id) ?? '');
}

function regionSizes(observation: Observation): Record<string, number> {
  return lengths(idsByRegion(observation));
}

function lengths(groups: Map<string, unknown[]>): Record<string, number> {
  return Object.fromEntries([...groups].map(([name, members]) => [name, members.length]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function hasCanary(steps: StepSpec[], target: string): boolean {
  return steps.some((step) => step.kind === 'canary' && step.targets.includes(target));
}

function regionsWithInstances(byRegion: Record<string, number> | undefined): number {
  return Object.values(byRegion ?? {}).filter((size) => size > 0).length;
}

function sum(byRegion: Record<string, number>): number {
  return Object.values(byRegion).reduce((total, size) => total + size, 0);
}
