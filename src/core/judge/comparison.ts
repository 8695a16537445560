import type { Comparison, Signal } from './signal.ts';

/**
 * How a signal is compared when its service file says nothing. A critical one decides alone and is adjusted for no other, so
 * it has to be surer. Measured over whole bakes in `npm run bench -- --only judge`.
 */
export function usualComparison(role: Signal['role']): Comparison {
  return {
    direction: 'increase',
    tolerance: 0.1,
    confidence: role === 'critical' ? 0.998 : 0.99,
    minEffect: 0.6,
    spread: 'observed',
  };
}
