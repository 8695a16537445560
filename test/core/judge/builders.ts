import type { Measurement, Signal } from '../../../src/core/judge/signal.ts';
import { policy } from './policy.ts';

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

/** A compared signal, with a policy that has no floors. */
export function compared(changes: Partial<Signal> = {}): Signal {
  return signal({
    kind: 'compare',
    baseline: { is: 'fresh' },
    comparison: policy({ direction: 'increase' }),
    healthyWhen: {},
    ...changes,
  });
}

/** A measurement with points, the last of which is its number. */
export function points(values: number[], name = 'errors'): Measurement {
  return {
    signal: name,
    link: null,
    samples: values.length,
    takenAtMs: NOW,
    value: values.at(-1) ?? 0,
    points: values,
  };
}

export function counts(failed: number, total: number, name = 'errors'): Measurement {
  return { signal: name, link: null, samples: total, takenAtMs: NOW, value: failed / total, counts: { failed, total } };
}

export function alerts(names: string[], name = 'errors'): Measurement {
  const firing = names.map((id) => ({ id, name: `alert ${id}`, sinceMs: NOW }));
  return { signal: name, link: null, samples: null, takenAtMs: NOW, value: names.length, alerts: firing };
}

export function gap(name = 'errors'): Measurement {
  return { signal: name, link: null, value: null, missing: 'unreachable', detail: 'ECONNREFUSED' };
}
