import type { Comparison, Signal } from './signal.ts';

/** What a signal must be to pass, in short, for people: `≤ 1 %`, `≥ 200 req`, `0.5 to 2 s`, `passes`, `up to 10 % above`. */
export function formatLimit(signal: Pick<Signal, 'kind' | 'healthyWhen' | 'unit' | 'comparison'>): string {
  if (signal.kind === 'check') return 'passes';
  if (signal.kind === 'alert') return 'nothing new fires';
  if (signal.kind === 'compare' || signal.kind === 'rate') return besideBaseline(signal.comparison);
  const { min, max } = signal.healthyWhen;
  const unit = signal.unit === '' ? '' : ` ${signal.unit}`;
  if (min !== undefined && max !== undefined) return `${min} to ${max}${unit}`;
  if (max !== undefined) return `≤ ${max}${unit}`;
  if (min !== undefined) return `≥ ${min}${unit}`;
  return 'no limit';
}

function besideBaseline(comparison: Comparison | null): string {
  if (comparison === null) return 'no limit';
  // Not 28.999999999999996 %.
  const percent = `${Number((100 * comparison.tolerance).toPrecision(6))} %`;
  const way = { increase: 'above', decrease: 'below', either: 'from' }[comparison.direction];
  return `up to ${percent} ${way} the baseline`;
}
