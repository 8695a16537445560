import type { Recorded } from '../../src/core/drift.ts';
import type { DriftAct } from '../../src/core/drift-act.ts';
import { type DriftCase, type DriftEvent, driftStep, type Happened, newCase } from '../../src/core/drift-case.ts';
import type { Instance, Observation } from '../../src/core/target.ts';
import { actor, type PersonName } from './service.ts';

export const AT_MS = 1_700_000_000_000;

/** Version 1 runs on `eu`, recorded an hour ago. */
export function aRecord(over: Partial<Recorded> = {}): Recorded {
  return {
    stage: 'production',
    target: 'eu',
    artifact: { digest: 'sha256:v1', sha: '1'.repeat(40) },
    config: null,
    without: [],
    rolloutId: 'rollout-1',
    atMs: AT_MS - 3_600_000,
    ...over,
  };
}

export function anInstance(id: string, over: Partial<Instance> = {}): Instance {
  return {
    id,
    region: 'eu',
    digest: 'sha256:v1',
    config: null,
    role: 'stable',
    isHealthy: true,
    metricsUrl: null,
    ...over,
  };
}

export function anObservation(instances: Instance[]): Observation {
  return { target: 'eu', instances, weights: {}, generation: 1, config: null };
}

/** Four instances that run version 1, except what is said of them. */
export function four(over: Record<string, Partial<Instance>> = {}): Observation {
  return anObservation(['eu-1', 'eu-2', 'eu-3', 'eu-4'].map((id) => anInstance(id, over[id])));
}

export const OTHER = { 'eu-3': { digest: 'sha256:other' } };

/** What is known of `eu` after these events; each look is a minute after the one before. */
export function given(...events: (Observation | ((known: DriftCase, atMs: number) => DriftEvent | DriftCase))[]) {
  let known = newCase('shop', 'C0SHOP', aRecord());
  const happened: (Happened | null)[] = [];
  for (const [index, event] of events.entries()) {
    const atMs = AT_MS + index * 60_000;
    const made = typeof event === 'function' ? event(known, atMs) : looked(event, known.recorded, atMs);
    if ('service' in made) known = made;
    else {
      const step = driftStep(known, made);
      known = step.next;
      happened.push(step.happened);
    }
  }
  return { known, happened, atMs: AT_MS + events.length * 60_000 };
}

export function looked(observation: Observation, recorded = aRecord(), atMs = AT_MS, isTold = true): DriftEvent {
  return { type: 'looked', atMs, recorded, observation, isTold };
}

type Answer =
  | { act: 'fix'; rolloutId: string }
  | { act: 'accept'; because: string }
  | { act: 'ignore'; because: string; untilMs: number };

/** What this person answers to the drift as it is now. */
export function answer(known: DriftCase, name: PersonName, given: Answer, atMs = AT_MS + 600_000): DriftAct {
  return { ...given, actor: actor(name), atMs, number: known.number, generation: known.generation };
}
