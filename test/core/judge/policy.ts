import type { Comparison } from '../../../src/core/judge/signal.ts';

/** A policy with no floors, so that the p value alone decides; tests say what they change. */
export function policy(changes: Partial<Comparison> = {}): Comparison {
  return { direction: 'either', tolerance: 0, confidence: 0.95, minEffect: 0.5, spread: 'observed', ...changes };
}
