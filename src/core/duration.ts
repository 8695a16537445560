const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `10m`, `1h30m`, `2d` → milliseconds; null when it is not a duration. Zero is one, negative is not. */
export function parseDuration(text: string): number | null {
  if (!/^(\d{1,6}(ms|s|m|h|d)){1,5}$/.test(text)) return null;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    total += Number(digits) * (UNITS[unit ?? ''] ?? 0);
  return total;
}

/** The two largest units, for people: `1 h 30 min`, `45 s`, `2 d`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 && minutes < 10 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** A wait that somebody asked for: since when, and for how long, in milliseconds. */
export type Wait = { sinceMs: number; forMs: number };

/** How much of a wait is left. A clock that was set back behind its beginning ends it: asking too soon costs one refusal. */
export function leftOf(wait: Wait | undefined, nowMs: number): number {
  if (!wait || nowMs < wait.sinceMs) return 0;
  return Math.max(0, wait.sinceMs + wait.forMs - nowMs);
}
