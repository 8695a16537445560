import type { Comparison } from './signal.ts';

/**
 * How a signal is compared when its service file says nothing. Measured in `npm run bench -- --only judge`: with these, a
 * step of twenty signals that do not differ raises an alarm less than once in a hundred.
 */
export const USUAL_COMPARISON: Comparison = {
  direction: 'increase',
  tolerance: 0.1,
  confidence: 0.99,
  minEffect: 0.6,
  spread: 'observed',
};
