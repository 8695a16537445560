import { createHmac, randomUUID } from 'node:crypto';

export type Delivery = {
  id: string;
  event: string;
  payload: Record<string, unknown>;
  outcome: 'waiting' | 'delivered' | 'refused' | 'failed' | 'dropped' | 'held';
  /** What the receiver answered last. */
  status: number | null;
};

/** Sends signed webhooks, and loses, doubles or holds back the next ones when told so. Never tries again by itself. */
export class Deliveries {
  readonly log: Delivery[] = [];
  readonly #secret: string;
  readonly #stop = new AbortController();
  readonly #under = new Set<Promise<void>>();
  #url: string | null = null;
  #drop = 0;
  #duplicate = 0;
  #hold = 0;

  constructor(secret: string) {
    this.#secret = secret;
  }

  setUrl(url: string | null): void {
    this.#url = url;
  }

  dropNext(count: number): void {
    this.#drop += count;
  }

  duplicateNext(count: number): void {
    this.#duplicate += count;
  }

  holdNext(count: number): void {
    this.#hold += count;
  }

  /** Sends what was held back, the newest first. */
  async release(): Promise<void> {
    this.#hold = 0;
    for (const delivery of this.log.filter((one) => one.outcome === 'held').reverse()) await this.send(delivery);
  }

  /** What GitHub's "Redeliver" does: the same delivery with the same id. */
  async redeliver(id: string): Promise<void> {
    const delivery = this.log.find((one) => one.id === id);
    if (!delivery) throw new Error(`No delivery ${id}`);
    await this.send(delivery);
  }

  publish(event: string, payload: Record<string, unknown>): void {
    const delivery: Delivery = { id: randomUUID(), event, payload, outcome: 'waiting', status: null };
    this.log.push(delivery);
    if (this.#drop > 0) {
      this.#drop -= 1;
      delivery.outcome = 'dropped';
    } else if (this.#hold > 0) {
      this.#hold -= 1;
      delivery.outcome = 'held';
    } else {
      const times = this.#duplicate > 0 ? 2 : 1;
      this.#duplicate = Math.max(0, this.#duplicate - 1);
      for (let time = 0; time < times; time += 1) {
        const sending = this.send(delivery).finally(() => this.#under.delete(sending));
        this.#under.add(sending);
      }
    }
  }

  async send(delivery: Delivery): Promise<void> {
    if (this.#url === null) {
      delivery.outcome = 'dropped';
      return;
    }
    const body = JSON.stringify(delivery.payload);
    try {
      const answer = await fetch(this.#url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'GitHub-Hookshot/sandbox',
          'x-github-event': delivery.event,
          'x-github-delivery': delivery.id,
          'x-hub-signature-256': `sha256=${createHmac('sha256', this.#secret).update(body).digest('hex')}`,
        },
        body,
        // GitHub gives up after ten seconds.
        signal: AbortSignal.any([AbortSignal.timeout(10_000), this.#stop.signal]),
      });
      await answer.body?.cancel();
      delivery.status = answer.status;
      delivery.outcome = answer.ok ? 'delivered' : 'refused';
    } catch {
      delivery.outcome = 'failed';
    }
  }

  /** Waits until nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.settled();
  }
}
