import type { Signal } from './signal.ts';

/**
 * What a source is asked for. `number`: one number now. `points`: numbers over a time. `counts`: failures and requests
 * since the step began. `alerts`: what fires.
 */
export type Want = 'number' | 'points' | 'counts' | 'alerts';

/** What each kind of signal is judged by. */
export const WANT: Record<Signal['kind'], Want> = {
  threshold: 'number',
  check: 'number',
  requests: 'number',
  compare: 'points',
  rate: 'counts',
  alert: 'alerts',
};
