import { countsByStep, sizesOf } from './core/assign.ts';
import type { PlanFacts, Read, TargetFacts } from './core/facts.ts';
import { shareOf, strategyKey } from './core/outlook.ts';
import { laneOf, type ServiceSpec } from './core/pipeline.ts';
import type { Observation, Strategy } from './core/target.ts';
import { readLoad } from './measure.ts';
import type { Edges } from './perform.ts';

/** What has not answered by then is not known: a plan waits no longer, and a merge is never lost by it. */
const DEADLINE_MS = 4_000;
/** A plan that is shown and the same plan a moment later are made by the same facts. */
const FRESH_MS = 10_000;

type Reach = Pick<Edges, 'now' | 'provider' | 'source'>;

export type ReadFacts = (service: ServiceSpec) => Promise<PlanFacts>;

/**
 * Reads what runs on each target of a service, how much is asked of it and how much would serve during each step. Never
 * rejects: what could not be read in time says why.
 */
export function createReadFacts(edges: Reach, deadlineMs: number = DEADLINE_MS): ReadFacts {
  const newest = new Map<string, { atMs: number; facts: Promise<PlanFacts> }>();
  return (service) => {
    const known = newest.get(laneOf(service));
    const atMs = edges.now();
    if (known && atMs - known.atMs >= 0 && atMs - known.atMs < FRESH_MS) return known.facts;
    const facts = readFacts(edges, service, deadlineMs);
    newest.set(laneOf(service), { atMs, facts });
    return facts;
  };
}

async function readFacts(edges: Reach, service: ServiceSpec, deadlineMs: number): Promise<PlanFacts> {
  const ends = AbortSignal.timeout(deadlineMs);
  const stages = service.stages.filter((stage) => !stage.isEphemeral);
  const targets = [...new Set(stages.flatMap((stage) => stage.steps.flatMap((step) => step.targets)))];
  const observed = await Promise.all(targets.map((target) => observe(edges, service, target, ends)));
  const seen = observed.flatMap(({ value }) => (value ? [value] : []));
  const sizes = sizesOf(seen);
  const wanted = stages.flatMap((stage) => {
    const counts = countsByStep(stage.steps, sizes);
    return stage.steps.flatMap((step, index) =>
      step.targets.map((target) => {
        const of = Object.values(sizes[target] ?? {}).reduce((sum, one) => sum + one, 0);
        return { target, strategy: stage.strategy, share: shareOf(stage, step, counts[target]?.[index], of) };
      }),
    );
  });
  const facts = await Promise.all(
    targets.map(async (target, index): Promise<[string, TargetFacts]> => {
      const seenHere = observed[index];
      const [load, capacity] = await Promise.all([
        readLoadOf(edges, service, target, ends),
        seenHere?.value ? readCapacity(edges, service, target, wanted, ends) : [],
      ]);
      const instances = sizes[target];
      const why = seenHere?.value === null ? seenHere.why : '';
      return [target, { instances: instances ? { value: instances } : { value: null, why }, load, capacity }];
    }),
  );
  return Object.fromEntries(facts);
}

function observe(edges: Reach, service: ServiceSpec, target: string, ends: AbortSignal): Promise<Read<Observation>> {
  return attempt(ends, () => {
    const { provider, options } = platformOf(edges, service);
    return provider.observe({ service: service.name, target, options: options(target) }, ends);
  });
}

async function readLoadOf(
  edges: Reach,
  service: ServiceSpec,
  target: string,
  ends: AbortSignal,
): Promise<Read<number> | null> {
  const { traffic } = service;
  if (!traffic) return null;
  const read = await attempt(ends, () =>
    readLoad(edges, traffic, { service: service.name, target, without: [] }, ends),
  );
  if (read.value === null) return read;
  const { value } = read;
  if (value.value === null) return { value: null, why: value.detail || value.missing };
  return Number.isFinite(value.value) && value.value >= 0
    ? { value: value.value }
    : { value: null, why: 'no number of requests a second' };
}

async function readCapacity(
  edges: Reach,
  service: ServiceSpec,
  target: string,
  wanted: { target: string; strategy: Strategy; share: number }[],
  ends: AbortSignal,
): Promise<TargetFacts['capacity']> {
  // Without knowing what one instance can bear, nothing follows from how many serve.
  if ((service.traffic?.perInstance ?? null) === null) return [];
  const here = wanted.filter((one) => one.target === target);
  const distinct = new Map(here.map((one) => [`${strategyKey(one.strategy)} ${one.share}`, one]));
  return Promise.all(
    [...distinct.values()].map(async ({ strategy, share }) => {
      const read = await attempt(ends, () => {
        const { provider, options } = platformOf(edges, service);
        const ref = { service: service.name, target, options: options(target) };
        return provider.capacity(ref, { share, strategy }, ends);
      });
      const servingDuring = read.value === null ? read : { value: read.value.servingDuring };
      return { strategy: strategyKey(strategy), share, servingDuring };
    }),
  );
}

function platformOf(edges: Reach, service: ServiceSpec) {
  const found = edges.provider(service.name);
  if (!found) throw new Error(`the provider ${service.provider} is not configured`);
  return found;
}

/** Also what does not heed the signal is waited for no longer than that. */
async function attempt<Value>(ends: AbortSignal, read: () => Promise<Value>): Promise<Read<Value>> {
  const late = Promise.withResolvers<Read<Value>>();
  const give = () => late.resolve({ value: null, why: 'no answer in time' });
  if (ends.aborted) give();
  ends.addEventListener('abort', give, { once: true });
  try {
    const answer = Promise.resolve()
      .then(read)
      .then((value): Read<Value> => ({ value }));
    // Whatever it says after it was given up is nobody's.
    answer.catch(() => {});
    return await Promise.race([answer, late.promise]);
  } catch (error) {
    return { value: null, why: error instanceof Error ? error.message : String(error) };
  } finally {
    ends.removeEventListener('abort', give);
  }
}
