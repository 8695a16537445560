import { type Logger, LogLevel } from '@slack/bolt';

/** What the Slack edge needs of a logger. Structured: fields first, then the sentence. */
export type Log = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** Text without Slack's tokens and without what could be a response address. */
export function withoutSecrets(text: string): string {
  return text
    .slice(0, 2000)
    .replace(/\b(xox[a-z]|xapp|xoxe)[.-][A-Za-z0-9._-]+/g, '[token]')
    .replace(/(hooks\.slack(-gov)?\.com)\/\S+/g, '$1/[secret]')
    .replace(/wss?:\/\/\S+/g, '[socket]');
}

/** Bolt's own messages through Belay's logger. Its debug level prints whole payloads, so it is left out. */
export function boltLogger(log: Log): Logger {
  const join = (parts: unknown[]) =>
    withoutSecrets(parts.map((one) => (one instanceof Error ? one.message : String(one))).join(' '));
  return {
    debug: () => {},
    info: (...parts) => log.info({ from: 'bolt' }, join(parts)),
    warn: (...parts) => log.warn({ from: 'bolt' }, join(parts)),
    error: (...parts) => log.error({ from: 'bolt' }, join(parts)),
    setLevel: () => {},
    getLevel: () => LogLevel.INFO,
    setName: () => {},
  };
}
