/**
 * How Slack can fail a call. The ones that end in `-after` do their work first: the message is posted, and the bot
 * never learns of it. A time-out keeps the connection open and silent; a reset cuts it.
 */
export type FaultKind =
  | 'rate-limited'
  | 'server-error'
  | 'timeout-before'
  | 'timeout-after'
  | 'reset-before'
  | 'reset-after'
  | 'outage';

export type Fault = {
  id: string;
  /** A Web API method, `response_url`, `upload`, or `*` for all of them. */
  method: string;
  kind: FaultKind;
  retryAfterSec: number;
  /** How many calls it still hits; null: until cleared. */
  left: number | null;
};

export type FaultRequest = { method?: string; kind: FaultKind; retryAfterSec?: number; count?: number | null };

const KINDS: readonly string[] = [
  'rate-limited',
  'server-error',
  'timeout-before',
  'timeout-after',
  'reset-before',
  'reset-after',
  'outage',
] satisfies FaultKind[];

export class Faults {
  #faults: Fault[] = [];
  #made = 0;
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Switches a fault on and returns its id. Throws on a kind or a count that does not exist. */
  add(request: FaultRequest): string {
    if (!KINDS.includes(request.kind)) {
      throw new Error(`Unknown fault "${String(request.kind)}". It is one of: ${KINDS.join(', ')}.`);
    }
    const count = request.count ?? null;
    if (count !== null && !(Number.isInteger(count) && count > 0)) {
      throw new Error(`A fault's count is a whole number above 0, or left out; found ${String(count)}.`);
    }
    this.#made += 1;
    const id = `fault-${this.#made}`;
    this.#faults.push({
      id,
      method: request.method ?? '*',
      kind: request.kind,
      retryAfterSec: request.retryAfterSec ?? 30,
      left: count,
    });
    this.#changed();
    return id;
  }

  /** Switches one off, or all. */
  clear(id?: string): void {
    this.#faults = id === undefined ? [] : this.#faults.filter((fault) => fault.id !== id);
    this.#changed();
  }

  list(): Fault[] {
    return this.#faults.map((fault) => ({ ...fault }));
  }

  /** The fault that hits this call, if any; counts it. The oldest that matches wins. */
  take(method: string): Fault | null {
    const hit = this.#faults.find((fault) => fault.method === '*' || fault.method === method);
    if (!hit) return null;
    if (hit.left !== null) {
      hit.left -= 1;
      if (hit.left === 0) this.#faults = this.#faults.filter((fault) => fault !== hit);
      this.#changed();
    }
    return { ...hit };
  }

  /** Whether nothing can be reached at all, the socket included. */
  get outage(): boolean {
    return this.#faults.some((fault) => fault.kind === 'outage' && fault.method === '*');
  }
}
