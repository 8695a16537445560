import { SocketModeReceiver } from '@slack/bolt';
import { boltLogger, type Log, withoutSecrets } from './log.ts';
import { clientRules } from './web.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** An open connection; in an object, because a promise that is returned would be awaited. */
type Holder = { ended: Promise<void> };

/** What no reconnect can heal: the first start fails with it, so that it is seen. */
const HOPELESS = /invalid_auth|not_authed|account_inactive|token_revoked|not_allowed_token_type|missing_scope/;

export type Socket = { receiver: SocketModeReceiver; start(): Promise<void>; stop(): Promise<void> };

/**
 * Socket Mode that is looked after: Bolt's own reconnect ends in an unhandled rejection when it fails for good, so it
 * is switched off, and the connection is opened again here, with a growing pause, until it is stopped.
 */
export function createSocket(parts: { appToken: string; apiUrl: string | null; log: Log }): Socket {
  const { log } = parts;
  const receiver = new SocketModeReceiver({
    appToken: parts.appToken,
    autoReconnectEnabled: false,
    logger: boltLogger(log),
    installerOptions: { clientOptions: clientRules(parts.apiUrl) },
  });
  const stopping = new AbortController();
  const isStopped = () => stopping.signal.aborted;
  let supervising: Promise<void> = Promise.resolve();

  async function open(): Promise<Holder> {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    receiver.client.once('disconnected', resolve);
    try {
      await receiver.start();
    } catch (error) {
      receiver.client.off('disconnected', resolve);
      throw new Error(withoutSecrets(error instanceof Error ? error.message : 'the connection was closed'));
    }
    log.info({}, 'Connected to Slack by Socket Mode');
    return { ended };
  }

  async function supervise(first: Holder | null): Promise<void> {
    let holder = first;
    let waitMs = FIRST_WAIT_MS;
    while (!isStopped()) {
      if (holder) {
        await holder.ended;
        waitMs = FIRST_WAIT_MS;
        if (isStopped()) return;
        log.warn({}, 'Slack closed the Socket Mode connection; opening another');
      } else {
        await pause(waitMs, stopping.signal);
        waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
      }
      holder = await tryConnect();
    }
  }

  async function tryConnect(): Promise<Holder | null> {
    if (isStopped()) return null;
    try {
      return await open();
    } catch (error) {
      log.error(
        { error: error instanceof Error ? error.message : 'unknown' },
        'Slack cannot be reached by Socket Mode',
      );
      return null;
    }
  }

  return {
    receiver,
    start: async () => {
      let first: Holder | null = null;
      try {
        first = await open();
      } catch (error) {
        const message = error instanceof Error ? error.message : '';
        if (HOPELESS.test(message)) throw new Error(`Slack refused the app token: ${message}`);
        log.error({ error: message }, 'Slack cannot be reached yet; trying again');
      }
      supervising = supervise(first);
    },
    stop: async () => {
      stopping.abort();
      const ended = receiver.client.disconnect().then(() => supervising);
      await Promise.race([ended, pause(2_000, null)]);
    },
  };
}

/** Ends early, without an error, when `signal` aborts; never keeps the process alive. */
function pause(ms: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms).unref();
    const stop = () => {
      clearTimeout(timer);
      resolve();
    };
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
