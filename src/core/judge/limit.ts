import type { Signal } from './signal.ts';

/** What a signal must be to pass, in short, for people: `≤ 1 %`, `≥ 200 req`, `0.5 to 2 s`, `passes`. */
export function formatLimit(signal: Pick<Signal, 'kind' | 'healthyWhen' | 'unit'>): string {
  if (signal.kind === 'check') return 'passes';
  const { min, max } = signal.healthyWhen;
  const unit = signal.unit === '' ? '' : ` ${signal.unit}`;
  if (min !== undefined && max !== undefined) return `${min} to ${max}${unit}`;
  if (max !== undefined) return `≤ ${max}${unit}`;
  if (min !== undefined) return `≥ ${min}${unit}`;
  return 'no limit';
}
