import type { Json } from '../core/json.ts';
import type { Bound } from '../core/judge/signal.ts';
import { issuesAt, type Named, twice, unknown } from './names.ts';
import type { Issue, Path } from './problem.ts';
import { baselineOf, isCompared, lookedBackOn, neighboursOf } from './service.ts';
import type { ServiceFile } from './service-schema.ts';
import type { SignalFile } from './signal-schema.ts';
import { hasFreshBaseline } from './waves.ts';

/** The names of the sources of belay.yml, and of those that can be asked about earlier times. */
export type KnownSources = { sources: readonly string[]; remembering: readonly string[] };

const COMPARING = ['baseline', 'direction', 'tolerance', 'confidence', 'minEffect', 'spread'] as const;

/** Sources tell the time in whole seconds: a number would be older than this before it was looked at. */
const LEAST_MAX_AGE_MS = 1000;

/** What contradicts itself in the signals of a file, and in what they refer to. */
export function signalIssues(file: ServiceFile, known: KnownSources): Issue[] {
  const place = (at: Path) => (signal: SignalFile, index: number) => ({ signal, path: [...at, index] });
  const shared = file.signals.map(place(['signals']));
  const own = file.stages.map((stage, index) => stage.signals.map(place(['stages', index, 'signals'])));
  const names = (placed: typeof shared) => placed.map(({ signal, path }): Named => [[...path, 'name'], signal.name]);
  return [
    ...[...shared, ...own.flat()].flatMap(({ signal, path }) => [
      ...unknown([[...path, 'source'], signal.source], known.sources, 'one of the sources of belay.yml'),
      ...boundIssues(signal, path),
      ...comparisonIssues(signal, file, known, path),
      ...belongingIssues(signal, file, path),
    ]),
    ...twice(names(shared)),
    // A stage's own signal may not hide a shared one: it would weaken the stage without a word.
    ...own.flatMap((stage) => twice([...names(shared), ...names(stage)]).filter(({ path }) => path[0] === 'stages')),
    ...groupIssues(file),
  ];
}

function boundIssues(signal: SignalFile, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  if (isCompared(signal) || signal.kind === 'alert') {
    for (const key of ['healthyWhen', 'degradedWhen'] as const) {
      if (signal[key]) refuse([key], `bounds on a signal of the kind ${signal.kind}`, 'none', JUDGED_BY[signal.kind]);
    }
    return issues;
  }
  const healthy = signal.healthyWhen ?? (signal.kind === 'check' ? { min: 1 } : undefined);
  if (!healthy) refuse(['healthyWhen'], 'nothing', 'bounds', 'such as healthyWhen: {max: 0.01}');
  if (signal.kind === 'requests' && healthy && healthy.min === undefined) {
    refuse(['healthyWhen'], 'no min', 'the floor of traffic', 'such as healthyWhen: {min: 100}');
  }
  if (signal.kind === 'requests' && healthy?.min !== undefined && healthy.min <= 0) {
    refuse(['healthyWhen', 'min'], `${healthy.min}`, 'a floor above 0', 'no traffic at all would be enough');
  }
  if (signal.kind === 'check' && healthy && !(holds(healthy, 1) && !holds(healthy, 0))) {
    refuse(
      ['healthyWhen'],
      'bounds by which 0 is healthy, or 1 is not',
      'none',
      'of a check 1 has passed and 0 has failed',
    );
  }
  for (const key of ['healthyWhen', 'degradedWhen'] as const) {
    const { min, max } = signal[key] ?? {};
    if (min !== undefined && max !== undefined && min > max)
      refuse([key], `min ${min} above max ${max}`, 'min up to max');
  }
  const bad = signal.degradedWhen;
  if (healthy && bad) {
    const from = Math.max(healthy.min ?? Number.NEGATIVE_INFINITY, bad.min ?? Number.NEGATIVE_INFINITY);
    const to = Math.min(healthy.max ?? Number.POSITIVE_INFINITY, bad.max ?? Number.POSITIVE_INFINITY);
    if (from < to) refuse(['degradedWhen'], 'numbers that are healthy too', 'bounds outside healthyWhen');
  }
  return issues;
}

function holds({ min, max }: Bound, value: number): boolean {
  return value >= (min ?? value) && value <= (max ?? value);
}

const JUDGED_BY: Record<string, string> = {
  compare: 'it is held against its baseline: tolerance says how much worse is still none',
  rate: 'it is held against its baseline: tolerance says how much worse is still none',
  alert: 'it is healthy when nothing fires that did not fire before',
};

function comparisonIssues(signal: SignalFile, file: ServiceFile, known: KnownSources, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  if (!isCompared(signal)) {
    for (const key of COMPARING.filter((one) => signal[one] !== undefined)) {
      refuse([key], `${key} on a signal of the kind ${signal.kind}`, 'none', 'only compare and rate have a baseline');
    }
    return issues;
  }
  const baseline = baselineOf(signal);
  const where = ['baseline'];
  if (baseline.is === 'fresh' || baseline.is === 'current') {
    if (signal.neighbour !== undefined) {
      const hint = 'a neighbour does not change with the step: compare it with last-good or earlier: [7]';
      refuse(where, `${baseline.is} for a neighbour`, 'last-good or earlier', hint);
    }
    const [first, stage] = path;
    const stages = first === 'stages' ? file.stages.filter((_, index) => index === stage) : file.stages;
    if (baseline.is === 'fresh' && !stages.some(hasFreshBaseline)) {
      const hint = 'such as rollout: {canary: {share: 10%, baseline: fresh}}';
      refuse(where, 'fresh, where no canary starts a fresh baseline', 'a canary with baseline: fresh', hint);
    }
    return issues;
  }
  if (known.sources.includes(signal.source) && !known.remembering.includes(signal.source)) {
    const hint = `${signal.source} cannot be asked about earlier times: use fresh or current`;
    refuse(where, baseline.is, 'a source that remembers', hint);
  }
  if (baseline.is === 'earlier' && namesVersion(signal.query)) {
    const hint = 'other versions ran on those days: ask for the whole service';
    refuse(['query'], '$version in a query that is asked about earlier days', 'no version', hint);
  }
  return issues;
}

function namesVersion(query: unknown): boolean {
  return /\$(version|before)\b/.test(JSON.stringify((query ?? null) as Json));
}

function belongingIssues(signal: SignalFile, file: ServiceFile, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  const { failures, of } = lookedBackOn(signal);
  if (failures > of) {
    refuse(['failures'], `${failures} of ${of}`, `at most ${of}`, 'it could never count');
  }
  if (signal.maxAge < LEAST_MAX_AGE_MS) {
    const hint = 'a look takes longer, and every number would be too old: 2m suits most sources';
    refuse(['maxAge'], `${signal.maxAge}ms`, 'at least 1s', hint);
  }
  if (signal.weight !== undefined && signal.role !== 'scored') {
    refuse(['weight'], `a weight on a ${signal.role} signal`, 'none', 'only scored signals have one: role: scored');
  }
  if (signal.neighbour !== undefined) {
    const neighbours = neighboursOf(file).map((one) => one.service);
    issues.push(...unknown([[...path, 'neighbour'], signal.neighbour], neighbours, 'one of the neighbours'));
    if (signal.kind === 'requests') {
      refuse(['kind'], 'a floor of traffic on a neighbour', 'one of this service', "its traffic is not this step's");
    }
  }
  if (signal.group !== undefined && signal.role !== 'scored') {
    refuse(['group'], `a group of a ${signal.role} signal`, 'none', 'only scored signals count in one: role: scored');
  }
  if (signal.group !== undefined) {
    issues.push(...unknown([[...path, 'group'], signal.group], Object.keys(file.groups), 'one of the groups'));
  }
  return issues;
}

function groupIssues(file: ServiceFile): Issue[] {
  const { issues, refuse } = issuesAt([]);
  const sum = Object.values(file.groups).reduce((total, weight) => total + weight, 0);
  if (sum > 100) {
    const hint = 'lower some of them: each is what the group counts of the score, out of 100';
    refuse(['groups'], `weights of ${Number(sum.toFixed(3))} in all`, 'at most 100', hint);
  }
  const signals = [...file.signals, ...file.stages.flatMap((stage) => stage.signals)];
  for (const group of Object.keys(file.groups).filter((one) => !signals.some((signal) => signal.group === one))) {
    refuse(
      ['groups', group],
      'a group of no signal',
      'a scored signal with it',
      `add group: ${group} to one, or remove it`,
    );
  }
  const neighbours = (['upstream', 'downstream'] as const).flatMap((side) =>
    file.neighbours[side].map((service, index): Named => [['neighbours', side, index], service]),
  );
  for (const [path, service] of neighbours) {
    if (service === file.service) refuse(path, 'this service itself', 'another service');
  }
  return [...issues, ...twice(neighbours)];
}
