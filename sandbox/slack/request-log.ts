import type { Fields } from './fields.ts';

/** One request, either way: `in` came from the bot, `out` went to it. */
export type Exchange = {
  n: number;
  atMs: number;
  way: 'in' | 'out';
  /** The API method, or what was sent to the bot (`/deploy plan shop`, `block_actions approve`). */
  what: string;
  sent: Fields;
  answer: unknown;
  status: number | null;
  tookMs: number;
  fault: string | null;
};

const KEPT = 5000;
const SECRET = /token|secret|authorization/i;

/** What was asked and answered, newest last; tokens are never kept. */
export class RequestLog {
  readonly #entries: Exchange[] = [];
  #made = 0;

  add(exchange: Omit<Exchange, 'n'>): void {
    this.#made += 1;
    this.#entries.push({ ...exchange, n: this.#made, sent: redacted(exchange.sent) });
    if (this.#entries.length > KEPT) this.#entries.shift();
  }

  all(): Exchange[] {
    return [...this.#entries];
  }

  /** The calls of one API method that had an effect or an answer, in order. */
  of(method: string): Exchange[] {
    return this.#entries.filter((entry) => entry.way === 'in' && entry.what === method);
  }

  count(method: string): number {
    return this.of(method).length;
  }
}

function redacted(sent: Fields): Fields {
  return Object.fromEntries(Object.entries(sent).map(([key, value]) => [key, SECRET.test(key) ? '[hidden]' : value]));
}
