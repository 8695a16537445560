import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { Ready } from '../cli/command.ts';
import { systemClock } from '../engine/clock.ts';

/** What the core and the engine are handed instead of reaching for it: time, ids, hashes. */
export const clock = systemClock;
export const newId = (): string => uuidv7();
export const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** One JSON object a line on standard output, without secrets. */
export function createLog(ready: Ready) {
  return pino({
    level: ready.settings.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['token', '*.token', 'authorization', '*.authorization', 'secret', '*.secret'],
      censor: '[secret]',
    },
  });
}
