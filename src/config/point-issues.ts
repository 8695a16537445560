import { formatDuration } from '../core/duration.ts';
import { FEWEST_SAMPLES } from '../core/judge/stats/difference.ts';
import { isJudgedIn } from '../core/pipeline.ts';
import { placesOf } from './places.ts';
import type { Issue, Path } from './problem.ts';
import { baselineOf } from './service.ts';
import type { ServiceFile } from './service-schema.ts';
import type { SignalFile } from './signal-schema.ts';
import { stepsOf } from './waves.ts';

/** How far apart a source's points are, over how long each is measured, and what to write if they overlap. */
export type Points = { apartMs: number; overMs: number; fix: string };

/**
 * Compares whose points count the same time twice, which looks like a difference where there is none, or of which no bake
 * can ever have enough. `pointsOf`: what the source of a signal says of its points when it is looked at that often.
 */
export function pointIssues(
  file: ServiceFile,
  pointsOf: (signal: SignalFile, everyMs: number) => Points | null,
): Issue[] {
  const places = placesOf(file);
  const bakes = file.stages.map((stage) => stepsOf(stage, places, file.trafficCycle ?? null));
  const issueOf = (signal: SignalFile, steps: (typeof bakes)[number], path: Path): Issue[] => {
    if (signal.kind !== 'compare') return [];
    const judged = steps.filter((step) => isJudgedIn({ baseline: baselineOf(signal) }, step));
    // One is enough: the others say the same.
    return judged.flatMap(({ bake }) => whyNotPoints(signal, bake, pointsOf, path)).slice(0, 1);
  };
  return [
    ...file.signals.flatMap((signal, index) => issueOf(signal, bakes.flat(), ['signals', index, 'query'])),
    ...file.stages.flatMap((stage, at) =>
      stage.signals.flatMap((signal, index) =>
        issueOf(signal, bakes[at] ?? [], ['stages', at, 'signals', index, 'query']),
      ),
    ),
  ];
}

function whyNotPoints(
  signal: SignalFile,
  bake: { everyMs: number; deadlineMs: number },
  pointsOf: (signal: SignalFile, everyMs: number) => Points | null,
  path: Path,
): Issue[] {
  const points = pointsOf(signal, bake.everyMs);
  if (points === null) return [];
  const { apartMs, overMs, fix } = points;
  if (overMs > apartMs) {
    const found = `points ${formatDuration(apartMs)} apart, each over ${formatDuration(overMs)}`;
    return [{ path, found, expected: 'points that do not overlap', hint: `write ${fix}` }];
  }
  const needed = Math.max(FEWEST_SAMPLES, signal.minSamples ?? 0);
  if ((needed - 1) * apartMs <= bake.deadlineMs) return [];
  const found = `points ${formatDuration(apartMs)} apart, where the bake's deadline is ${formatDuration(bake.deadlineMs)}`;
  const hint = overMs === apartMs ? 'look back over less, or watch for longer' : 'look more often, or watch for longer';
  return [{ path, found, expected: `time for ${needed} points`, hint }];
}
