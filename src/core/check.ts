import type { Json } from './json.ts';

/** What must pass before a step counts, and how long and how often it may be tried. */
export type CheckSpec = {
  name: string;
  /** A kind of check, and what it is asked: opaque here, checked by the kind's own schema. */
  kind: string;
  options: Json;
  /** One try that has not ended by then has failed. */
  deadlineMs: number;
  /** How often a failed try is repeated; a pass after a failed try is said to be flaky. */
  retries: number;
};
