import { formatDuration } from '../core/duration.ts';
import type { Place } from '../core/pipeline.ts';
import { bakeSpec } from './bake.ts';
import { issuesAt, type Named, unknown } from './names.ts';
import { either, type Issue, type Path } from './problem.ts';
import type { BakeFile, WaveFile } from './rollout-schema.ts';
import type { ServiceFile, StageFile } from './service-schema.ts';
import { expand, wavesOf } from './waves.ts';

/** More than half of production is no small first step. */
const LARGEST_CANARY = 0.5;
/** What is looked at more often than this is only asked the same. */
const LEAST_EVERY_MS = 100;

/** How a release gets through a stage: what cannot be, and what would leave instances behind. */
export function rolloutIssues(stage: StageFile, file: ServiceFile, places: Record<string, Place>, path: Path): Issue[] {
  return [
    ...bakeIssues(stage.bake, null, [...path, 'bake']),
    ...kindIssues(stage, path),
    ...(stage.rollout
      ? [
          ...canaryIssues(stage, file, [...path, 'rollout', 'canary']),
          ...strategyIssues(stage, [...path, 'rollout']),
          ...waveIssues(stage, places, [...path, 'rollout', 'waves']),
          ...orderIssues(stage, file, [...path, 'rollout']),
        ]
      : []),
  ];
}

function bakeIssues(written: BakeFile, trafficCycleMs: number | null, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  const bake = bakeSpec(written, trafficCycleMs);
  if (bake.everyMs > bake.forMs) {
    const found = `${formatDuration(bake.everyMs)}, longer than the bake of ${formatDuration(bake.forMs)}`;
    refuse(['every'], found, 'at most for', 'it would never be judged in time');
  }
  if (bake.everyMs < LEAST_EVERY_MS) {
    refuse(['every'], `${bake.everyMs}ms`, 'at least 100ms', 'each look asks every source');
  }
  // The look at the very end of the bake comes a moment after it: without one more interval the deadline is first.
  if (bake.deadlineMs < bake.forMs + bake.everyMs) {
    const found = `${formatDuration(bake.deadlineMs)}, for a bake of ${formatDuration(bake.forMs)}`;
    refuse(['deadline'], found, 'at least for and one every', 'it could never pass');
  }
  return issues;
}

function kindIssues({ kind, environment, isolation, rollout, onDegraded }: StageFile, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  if (isolation === 'partial' && onDegraded === 'ask') {
    const hint = 'partial staging talks to production: what gets worse there is taken back at once';
    refuse(['onDegraded'], 'ask on partial staging', 'rollback', hint);
  }
  for (const key of ['canary', 'waves'] as const) {
    if (!rollout?.[key]) continue;
    const at = ['rollout', key];
    if (kind === 'upgrade-downgrade') {
      refuse(at, `${key} in an upgrade-downgrade test`, 'none', 'it goes up, down and up again on all of its targets');
    } else if (environment === 'ephemeral') {
      refuse(at, `${key} in an ephemeral environment`, 'none', 'nothing ran there before: it is deployed in one step');
    }
  }
  return issues;
}

function canaryIssues({ rollout }: StageFile, file: ServiceFile, path: Path): Issue[] {
  const canary = rollout?.canary;
  if (!canary) return [];
  const { issues, refuse } = issuesAt(path);
  const cycleMs = file.trafficCycle ?? null;
  if (canary.share > LARGEST_CANARY) {
    refuse(['share'], `${percent(canary.share)} of every target`, 'at most 50%', 'a canary is small: 5% to 10%');
  }
  if (cycleMs !== null && canary.bake.for !== undefined && canary.bake.for < cycleMs) {
    const found = `${formatDuration(canary.bake.for)}, less than a traffic cycle`;
    refuse(['bake', 'for'], found, `at least ${formatDuration(cycleMs)}`, 'it would miss some of what traffic does');
  }
  return [...issues, ...bakeIssues(canary.bake, cycleMs, [...path, 'bake'])];
}

function strategyIssues(stage: StageFile, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  const { strategy, canary } = stage.rollout ?? {};
  if (!strategy) return [];
  if (strategy.is === 'rolling' && strategy.maxSurge === 0 && strategy.maxUnavailable === 0) {
    const hint = 'one of them must be above 0 for anything to move';
    refuse(['strategy', 'rolling'], 'maxSurge 0 and maxUnavailable 0', 'one above 0', hint);
  }
  if (strategy.drainMs >= stage.deployDeadline) {
    const found = `${formatDuration(strategy.drainMs)}, no less than deployDeadline`;
    const expected = `less than ${formatDuration(stage.deployDeadline)}`;
    refuse(['strategy', strategy.is, 'drain'], found, expected, 'one connection that stays open would fail the deploy');
  }
  const isAtOnce = strategy.is === 'blue-green' || strategy.is === 'replace';
  if (isAtOnce && canary) {
    refuse(
      ['canary'],
      `a canary with ${strategy.is}`,
      'none',
      `${strategy.is} changes all instances of a target at once`,
    );
  }
  for (const [index, wave] of wavesOf(stage).entries()) {
    const at = ['waves', index];
    if (isAtOnce && isPartOf(wave)) {
      const hint = `${strategy.is} changes all instances of a target at once: choose whole targets`;
      refuse(at, `a part of a target with ${strategy.is}`, 'whole targets', hint);
    }
    if (strategy.is === 'weight' && typeof wave === 'object' && wave.count !== undefined) {
      refuse(at, 'a count with weight', 'a share', 'weight gives the release a share of the traffic');
    }
  }
  return issues;
}

function isPartOf(wave: WaveFile): boolean {
  return typeof wave === 'number' || (typeof wave === 'object' && (wave.share ?? wave.count) !== undefined);
}

function waveIssues(stage: StageFile, places: Record<string, Place>, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  const isWritten = stage.rollout?.waves !== undefined;
  if (stage.kind === 'upgrade-downgrade' || !isWritten) return [];
  const choices = stage.targets.map((target) => places[target]).filter((place) => place !== undefined);
  const { waves, reach } = expand(stage, places);
  for (const { index, parts, adds } of waves) {
    const written = wavesOf(stage)[index];
    const choice = typeof written === 'object' ? written : null;
    const named: Issue[] = [];
    for (const key of ['region', 'country', 'ring'] as const) {
      const known = [...new Set(choices.map((place) => place[key]).filter((one) => one !== null))];
      if (choice?.[key] === undefined) continue;
      named.push(...unknown([[...path, index, key], choice[key]], known, `a ${key} of this stage's targets`));
    }
    for (const [t, target] of (choice?.targets ?? []).entries()) {
      const one: Named = [[...path, index, 'targets', t], target];
      named.push(...unknown(one, stage.targets, "one of this stage's targets"));
    }
    issues.push(...named);
    if (choice?.share !== undefined && choice.count !== undefined) {
      refuse([index], 'a share and a count', 'one of them');
    } else if (choice && Object.keys(choice).length === 0) {
      refuse([index], 'nothing', 'targets, region, country, ring, share or count', 'or write rest');
    } else if (named.length === 0 && parts.length === 0) {
      const isChoice = choice !== null;
      const hint = isChoice ? 'no target is all of that at once' : 'earlier waves have taken everything: remove it';
      refuse([index], 'a wave of no target', 'at least one target', hint);
    } else if (named.length === 0 && !adds) {
      const hint = 'shares and counts are cumulative: each wave must be more than those before it';
      refuse([index], 'a wave that adds nothing', 'more than before', hint);
    }
  }
  const behind = [...reach].filter(([, share]) => share < 1).map(([target]) => target);
  if (behind.length > 0 && issues.length === 0) {
    const found = `waves that leave instances of ${either(behind).replace(/ or (\S+)$/, ' and $1')} on the old version`;
    refuse([], found, 'waves that reach every instance', 'end with rest, or with regions');
  }
  return issues;
}

function orderIssues(stage: StageFile, file: ServiceFile, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  const { order, regionsAtOnce, speedUp, canary } = stage.rollout ?? {};
  const isRegional = wavesOf(stage).includes('regions');
  const hint = 'only the waves of `regions` are put in an order and taken together';
  if (order === 'least-traffic-first') {
    if (!file.traffic) {
      const how = 'such as traffic: {source: metrics, query: …}';
      refuse(['order'], 'least-traffic-first without traffic', 'traffic to go by', how);
    }
    if (!isRegional) refuse(['order'], 'least-traffic-first without regional waves', 'waves: [regions]', hint);
  }
  if ([regionsAtOnce].flat().some((many) => (many ?? 1) > 1) && !isRegional) {
    refuse(['regionsAtOnce'], 'regions at once without regional waves', 'waves: [regions]', hint);
  }
  if (speedUp) {
    const { forMs, everyMs } = bakeSpec(stage.bake);
    if (speedUp.floor < everyMs) {
      const found = `${formatDuration(speedUp.floor)}, less than one bake.every`;
      const expected = `at least ${formatDuration(everyMs)}`;
      refuse(['speedUp', 'floor'], found, expected, 'nothing passes before it was looked at');
    }
    if (speedUp.floor >= forMs) {
      const found = `${formatDuration(speedUp.floor)}, no shorter than the bake`;
      refuse(['speedUp', 'floor'], found, `less than ${formatDuration(forMs)}`, 'nothing would ever get faster');
    }
    if (!canary && !stage.rollout?.waves) refuse(['speedUp'], 'one step', 'waves', 'there is nothing to speed up');
  }
  if (canary?.baseline === 'fresh' && !hasFreshBaselineSignal(stage, file)) {
    const how = 'add a signal with baseline: fresh, or say baseline: none';
    refuse(['canary', 'baseline'], 'a fresh baseline that nothing is held against', 'a signal that uses it', how);
  }
  return issues;
}

function hasFreshBaselineSignal(stage: StageFile, file: ServiceFile): boolean {
  return [...file.signals, ...stage.signals].some((signal) => signal.baseline === 'fresh');
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`;
}
