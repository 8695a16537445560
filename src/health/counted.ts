import type { Failure } from './instances.ts';
import { follow, type Growth, growthOf, type Look, type Track } from './window.ts';

/** What was read of one counted thing: which, and its counters now. */
export type Counted = { key: string; look: Look };

/** Counters times queries; what was not looked at for longest is forgotten first. */
const MAX_TRACKS = 10_000;

export type Growths = (
  asked: { windowMs: number; shortestMs: number; signal: AbortSignal },
  read: () => Promise<{ ok: true; all: Counted[] } | Failure>,
) => Promise<{ ok: true; growths: Growth[] } | Failure>;

/**
 * How much counters grew within a window, from looks that are remembered by key. One look counts nothing: what is seen
 * for the first time is looked at twice, `shortestMs` apart.
 */
export function createGrowths(): Growths {
  const tracks = new Map<string, Track>();

  function remember({ key, look }: Counted, windowMs: number): Growth {
    const track = follow(tracks.get(key), look, windowMs);
    // Deleted and set: the map's order is then by last use, and the first is the one to forget.
    tracks.delete(key);
    tracks.set(key, track);
    for (const old of tracks.keys()) {
      if (tracks.size <= MAX_TRACKS) break;
      tracks.delete(old);
    }
    return growthOf(track);
  }

  return async ({ windowMs, shortestMs, signal }, read) => {
    const isLong = (one: Growth) => one.spanMs >= shortestMs;
    for (const isLast of [false, true]) {
      const seen = await read();
      if (!seen.ok) return seen;
      const growths = seen.all.map((one) => remember(one, windowMs));
      if (growths.every(isLong)) return { ok: true, growths };
      if (!isLast) await pause(shortestMs, signal);
    }
    return { ok: false, missing: 'no-data', detail: 'an instance was not watched for long enough yet' };
  };
}

/** Ends early, quietly, when the signal aborts: the look that follows then fails by itself. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
