import type { Measurement, Signal } from '../../../src/core/judge/signal.ts';

export const NOW = 1_700_000_000_000;

export function signal(changes: Partial<Signal> = {}): Signal {
  return {
    name: 'errors',
    kind: 'threshold',
    source: 'metrics',
    query: {},
    healthyWhen: { max: 1 },
    degradedWhen: null,
    role: 'critical',
    weight: 1,
    neighbour: null,
    baseline: null,
    comparison: null,
    group: null,
    failures: 1,
    of: 1,
    minSamples: 0,
    maxAgeMs: 60_000,
    unit: '%',
    ...changes,
  };
}

export function number(
  value: number,
  changes: { signal?: string; samples?: number | null; takenAtMs?: number } = {},
): Measurement {
  return { signal: 'errors', link: null, samples: 100, takenAtMs: NOW, ...changes, value };
}

export function gap(name = 'errors'): Measurement {
  return { signal: name, link: null, value: null, missing: 'unreachable', detail: 'ECONNREFUSED' };
}
