import { copyOf, type Fields, textOf } from './fields.ts';
import type { Delivery, Letter, Line } from './line.ts';
import { APP, BOT_USER, TEAM } from './people.ts';
import type { RequestLog } from './request-log.ts';
import type { Workspace } from './workspace.ts';

type Setup = {
  workspace: Workspace;
  line: Line;
  log: RequestLog;
  /** How long Slack waits before it sends an event again that was not taken. */
  eventRetriesMs: readonly number[];
};

/** Sends to the bot, and remembers what was sent. */
export class Dispatcher {
  readonly #setup: Setup;
  readonly #retries = new Set<NodeJS.Timeout>();
  #last: { letter: Letter; what: string } | null = null;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** Sends one letter, and notes what came of it. */
  async send(letter: Letter, what: string): Promise<Delivery> {
    const { workspace, line, log } = this.#setup;
    this.#last = { letter: copyOf(letter), what };
    const atMs = workspace.clock.now();
    const delivery = await line.deliver(letter);
    const { status, body, ackMs, error } = delivery;
    log.add({ atMs, way: 'out', what, sent: letter.payload, answer: body, status, tookMs: ackMs, fault: error });
    workspace.changed();
    return delivery;
  }

  /** Sends an event; one that the bot does not take comes again, as Slack's do. */
  async event(event: Fields, what: string): Promise<Delivery> {
    const { workspace } = this.#setup;
    const payload = {
      token: 'sandbox',
      team_id: TEAM,
      api_app_id: APP,
      event,
      type: 'event_callback',
      event_id: workspace.nextId('Ev'),
      event_time: Math.floor(workspace.clock.now() / 1000),
      is_ext_shared_channel: workspace.channels.get(textOf(event.channel))?.shared ?? false,
      authorizations: [
        { enterprise_id: null, team_id: TEAM, user_id: BOT_USER, is_bot: true, is_enterprise_install: false },
      ],
    };
    const delivery = await this.send({ kind: 'events_api', payload }, what);
    if (delivery.error) this.#retry(payload, what, delivery, 0);
    return delivery;
  }

  /** Sends the last request once more, the same ids in it: what Slack does when it did not hear the answer. */
  async repeatLast(): Promise<Delivery> {
    if (!this.#last) throw new Error('Nothing was sent to the bot yet that could be repeated.');
    const { letter, what } = this.#last;
    return this.send({ ...letter, retry: { num: 1, reason: 'http_timeout' } }, what);
  }

  stop(): void {
    for (const retry of this.#retries) clearTimeout(retry);
  }

  #retry(payload: Fields, what: string, failed: Delivery, already: number): void {
    const waitMs = this.#setup.eventRetriesMs[already];
    if (waitMs === undefined || failed.error === 'not_connected') return;
    const retry = { num: already + 1, reason: failed.error === 'timeout' ? 'http_timeout' : 'http_error' };
    const timer = setTimeout(async () => {
      this.#retries.delete(timer);
      const delivery = await this.send({ kind: 'events_api', payload, retry }, what);
      if (delivery.error) this.#retry(payload, what, delivery, already + 1);
    }, waitMs);
    timer.unref();
    this.#retries.add(timer);
  }
}
