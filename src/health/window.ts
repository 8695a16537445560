import type { Counts } from './tally.ts';

/** One look at one instance's counters. `startedAt`: when its process started, as it says itself; null: it does not. */
export type Look = { atMs: number; startedAt: number | null; counts: Counts };

/**
 * What is remembered of one instance's counters: the newest look, and by time how much had been counted since the first
 * one. Restarts are already taken out, so that the growth between any two marks is a subtraction.
 */
export type Track = { last: Look; marks: { atMs: number; totals: Counts }[] };

export type Growth = { counts: Counts; spanMs: number; endMs: number };

const MAX_MARKS = 120;
/** Not looked at for a window and this much more: what was counted since then is no longer about now. */
export const FORGET_AFTER_MS = 15 * 60_000;

/** A new look joins the track; one that is older than the last (a clock was set back), or far later, starts it anew. */
export function follow(track: Track | undefined, look: Look, windowMs: number): Track {
  const previous = track?.marks.at(-1);
  const gapMs = track === undefined ? 0 : look.atMs - track.last.atMs;
  if (track === undefined || previous === undefined || gapMs < 0 || gapMs > windowMs + FORGET_AFTER_MS) {
    return { last: look, marks: [{ atMs: look.atMs, totals: zeros(look.counts) }] };
  }
  if (gapMs === 0) return track;
  const totals = { ...previous.totals };
  const isReset = hasRestarted(track.last, look);
  for (const [name, count] of Object.entries(look.counts)) {
    totals[name] = (totals[name] ?? 0) + (isReset ? count : count - (track.last.counts[name] ?? 0));
  }
  return { last: look, marks: keep([...track.marks, { atMs: look.atMs, totals }], look.atMs - windowMs) };
}

/** How much was counted since the newest mark that is at least a window old, or since the oldest when none is. */
export function growthOf(track: Track): Growth {
  const [base] = track.marks;
  const end = track.marks.at(-1);
  if (end === undefined || base === undefined) return { counts: {}, spanMs: 0, endMs: track.last.atMs };
  const counts = Object.entries(end.totals).map(([name, total]): [string, number] => [
    name,
    total - (base.totals[name] ?? 0),
  ]);
  return { counts: Object.fromEntries(counts), spanMs: end.atMs - base.atMs, endMs: end.atMs };
}

/** Its process says so, or a counter went down or away, which a counter never does. */
function hasRestarted(before: Look, now: Look): boolean {
  if (before.startedAt !== null && now.startedAt !== null && before.startedAt !== now.startedAt) return true;
  return Object.entries(before.counts).some(([name, count]) => (now.counts[name] ?? 0) < count);
}

/** Forgets what no window needs; marks between two others may go without changing what was counted. */
function keep(marks: Track['marks'], sinceMs: number): Track['marks'] {
  const base = Math.max(
    0,
    marks.findLastIndex((mark) => mark.atMs <= sinceMs),
  );
  const needed = marks.slice(base);
  if (needed.length <= MAX_MARKS) return needed;
  return needed.filter((_, at) => at % 2 === 0 || at === needed.length - 1);
}

function zeros(counts: Counts): Counts {
  return Object.fromEntries(Object.keys(counts).map((name) => [name, 0]));
}
