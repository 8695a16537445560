import type { Line } from './judge/series.ts';
import { isOver, type Phase, type Rollout } from './rollout.ts';

/** Small corrections of a clock are everyday; more than this is a jump. */
export const CLOCK_TOLERANCE_MS = 5000;

/**
 * The rollout after the clock of the machine went `byMs` further than time did (below 0: it was set back), as it would be
 * had the clock always gone so; itself, when nothing in it is counted by the clock. Approvals are void where it was set
 * back: they would last longer. What a person has left to decide stays as long as it was, and so does a wait for capacity.
 */
export function leapt(rollout: Rollout, byMs: number): Rollout {
  if (isOver(rollout)) return rollout;
  const phase = movedPhase(rollout.phase, byMs);
  const isVoid = byMs < -CLOCK_TOLERANCE_MS && rollout.approvals.length > 0;
  if (phase === rollout.phase && !isVoid) return rollout;
  const watchedFromMs = phase.is === 'baking' ? phase.sinceMs : rollout.watchedFromMs;
  return { ...rollout, phase, watchedFromMs, approvals: isVoid ? [] : rollout.approvals };
}

function movedPhase(phase: Phase, byMs: number): Phase {
  switch (phase.is) {
    case 'deciding':
      if (phase.countdown === null) return phase;
      return { ...phase, countdown: { ...phase.countdown, atMs: phase.countdown.atMs + byMs } };
    case 'clearing':
      return phase.shortSinceMs === null ? phase : { ...phase, shortSinceMs: phase.shortSinceMs + byMs };
    case 'baking': {
      // After a sleep or a clock set forward more is asked about, and that is true as well. Set back, nothing could be:
      // the step would begin ahead of now, and every number be older than the last one.
      if (byMs >= 0) return phase;
      const series = Object.entries(phase.memory.series).map(([signal, { now, baseline }]) => [
        signal,
        { now: movedLine(now, byMs), baseline: movedLine(baseline, byMs) },
      ]);
      const memory = { ...phase.memory, series: Object.fromEntries(series) };
      return { ...phase, sinceMs: phase.sinceMs + byMs, memory };
    }
    default:
      return phase;
  }
}

function movedLine(line: Line, byMs: number): Line {
  return line.takenAtMs === null ? line : { ...line, takenAtMs: line.takenAtMs + byMs };
}
