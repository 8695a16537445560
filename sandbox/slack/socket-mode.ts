import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { fieldsOf, isFields, textOf } from './fields.ts';
import type { Delivery, Letter, Line } from './line.ts';
import { APP } from './people.ts';
import { acceptSocket, type Socket } from './websocket.ts';

const PING_MS = 10_000;
const MOST_CONNECTIONS = 10;

/** Slack's side of Socket Mode: one-time addresses, hello, envelopes, acknowledgements, pings, disconnects. */
export class SocketMode implements Line {
  readonly #ackDeadlineMs: number;
  readonly #changed: () => void;
  readonly #tickets = new Set<string>();
  readonly #open: Socket[] = [];
  readonly #waiting = new Map<string, (body: unknown) => void>();
  readonly #pinging: NodeJS.Timeout;

  constructor(ackDeadlineMs: number, changed: () => void) {
    this.#ackDeadlineMs = ackDeadlineMs;
    this.#changed = changed;
    this.#pinging = setInterval(() => {
      for (const socket of this.#open) socket.ping();
    }, PING_MS);
    this.#pinging.unref();
  }

  get connections(): number {
    return this.#open.length;
  }

  /** A ticket for one connection. */
  issueTicket(): string {
    const ticket = randomUUID();
    this.#tickets.add(ticket);
    return ticket;
  }

  accept(ticket: string, request: IncomingMessage, wire: Duplex, head: Buffer): void {
    if (!this.#tickets.delete(ticket) || this.#open.length >= MOST_CONNECTIONS) {
      wire.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    const socket = acceptSocket(request, wire, head, {
      message: (text) => this.#heard(text),
      closed: () => {
        const at = socket ? this.#open.indexOf(socket) : -1;
        if (at >= 0) this.#open.splice(at, 1);
        this.#changed();
      },
    });
    if (!socket) return;
    this.#open.push(socket);
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: this.#open.length,
        connection_info: { app_id: APP },
        debug_info: { host: 'sandbox', approximate_connection_time: 18_060 },
      }),
    );
    socket.ping();
    this.#changed();
  }

  deliver(letter: Letter): Promise<Delivery> {
    const socket = this.#open.at(-1);
    if (!socket) return Promise.resolve({ status: 0, body: null, ackMs: 0, error: 'not_connected' });
    const startedMs = performance.now();
    const ackMs = () => Math.round(performance.now() - startedMs);
    const envelope_id = randomUUID();
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.#waiting.delete(envelope_id);
        resolve({ status: 0, body: null, ackMs: ackMs(), error: 'timeout' });
      }, this.#ackDeadlineMs);
      this.#waiting.set(envelope_id, (body) => {
        clearTimeout(late);
        resolve({ status: 200, body, ackMs: ackMs(), error: null });
      });
      socket.send(
        JSON.stringify({
          envelope_id,
          type: letter.kind,
          payload: letter.payload,
          accepts_response_payload: letter.kind !== 'events_api',
          ...(letter.retry ? { retry_attempt: letter.retry.num, retry_reason: letter.retry.reason } : {}),
        }),
      );
    });
  }

  /** Asks every connection to come again elsewhere, as Slack does when it recycles a host. */
  disconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled' = 'refresh_requested'): void {
    for (const socket of [...this.#open]) {
      socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'sandbox' } }));
    }
  }

  /** Cuts every connection without a word, as a network failure does. */
  cut(): void {
    for (const socket of [...this.#open]) socket.destroy();
  }

  stop(): void {
    clearInterval(this.#pinging);
    for (const socket of [...this.#open]) socket.close();
    this.cut();
  }

  #heard(text: string): void {
    const message = readJson(text);
    const id = textOf(message.envelope_id);
    const answered = this.#waiting.get(id);
    if (!answered) return;
    this.#waiting.delete(id);
    const payload = message.payload;
    answered(isFields(payload) && Object.keys(payload).length > 0 ? payload : '');
  }
}

function readJson(text: string): Record<string, unknown> {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {};
  }
}
