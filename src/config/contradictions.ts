import { nearest } from '../core/nearest.ts';
import type { Person } from '../core/pipeline.ts';
import { describe, type Issue, type Path, suggestion } from './problem.ts';
import { bakeSpec, wavesOf } from './service.ts';
import type { ServiceFile, SignalFile, StageFile } from './service-schema.ts';

/** The names that a service file may refer to. */
export type Known = { people: readonly Person[]; providers: readonly string[]; sources: readonly string[] };

/** Everything in a well-formed service file that contradicts itself or the installation. Each line would fail in production. */
export function contradictions(file: ServiceFile, known: Known): Issue[] {
  return [
    ...peopleIssues(file, known.people),
    ...unknown([['provider'], file.provider], known.providers, 'one of the providers of belay.yml'),
    ...signalIssues(file, known.sources),
    ...file.stages.flatMap((stage, index) => stageIssues(stage, file, known.people, ['stages', index])),
    ...twice(file.stages.map((stage, index) => [['stages', index, 'name'], stage.name])),
    ...targetIssues(file),
  ];
}

type Named = [path: Path, name: string];

/** Names that appear again further down. */
export function twice(names: Named[]): Issue[] {
  return names
    .filter(([, name], index) => names.findIndex(([, other]) => other === name) < index)
    .map(([path, name]) => ({
      path,
      found: `${describe(name)} a second time`,
      expected: 'each name once',
      hint: 'rename or remove one of them',
    }));
}

function unknown([path, name]: Named, known: readonly string[], expected: string): Issue[] {
  if (known.includes(name)) return [];
  return [{ path, found: describe(name), expected, hint: suggestion(nearest(name, known), known) }];
}

function peopleIssues(file: ServiceFile, people: readonly Person[]): Issue[] {
  const known = people.map((person) => person.name);
  const named: Named[] = Object.entries(file.roles).flatMap(([role, names]) =>
    names.map((name, index): Named => [['roles', role, index], name]),
  );
  return [...named, [['onCall'], file.onCall] satisfies Named].flatMap((one) =>
    unknown(one, known, 'one of the people of belay.yml'),
  );
}

function signalIssues(file: ServiceFile, sources: readonly string[]): Issue[] {
  const place = (at: Path) => (signal: SignalFile, index: number) => ({ signal, path: [...at, index] });
  const shared = file.signals.map(place(['signals']));
  const own = file.stages.map((stage, index) => stage.signals.map(place(['stages', index, 'signals'])));
  const names = (placed: typeof shared) => placed.map(({ signal, path }): Named => [[...path, 'name'], signal.name]);
  return [
    ...[...shared, ...own.flat()].flatMap(({ signal, path }) => [
      ...unknown([[...path, 'source'], signal.source], sources, 'one of the sources of belay.yml'),
      ...boundIssues(signal, path),
    ]),
    ...twice(names(shared)),
    // A stage's own signal may not hide a shared one: it would weaken the stage without a word.
    ...own.flatMap((stage) => twice([...names(shared), ...names(stage)]).filter(({ path }) => path[0] === 'stages')),
  ];
}

function boundIssues(signal: SignalFile, path: Path): Issue[] {
  const issues: Issue[] = [];
  const refuse = (key: string, found: string, expected: string, hint: string | null = null) =>
    issues.push({ path: [...path, key], found, expected, hint });
  const healthy = signal.healthyWhen ?? (signal.kind === 'check' ? { min: 1 } : undefined);
  if (!healthy) refuse('healthyWhen', 'nothing', 'bounds', 'such as healthyWhen: {max: 0.01}');
  if (signal.kind === 'requests' && healthy && healthy.min === undefined) {
    refuse('healthyWhen', 'no min', 'the floor of traffic', 'such as healthyWhen: {min: 100}');
  }
  for (const key of ['healthyWhen', 'degradedWhen'] as const) {
    const { min, max } = signal[key] ?? {};
    if (min !== undefined && max !== undefined && min > max)
      refuse(key, `min ${min} above max ${max}`, 'min up to max');
  }
  const bad = signal.degradedWhen;
  if (healthy && bad) {
    const from = Math.max(healthy.min ?? Number.NEGATIVE_INFINITY, bad.min ?? Number.NEGATIVE_INFINITY);
    const to = Math.min(healthy.max ?? Number.POSITIVE_INFINITY, bad.max ?? Number.POSITIVE_INFINITY);
    if (from < to) refuse('degradedWhen', 'numbers that are healthy too', 'bounds outside healthyWhen');
  }
  if (signal.of !== undefined && signal.failures > signal.of) {
    refuse('failures', `${signal.failures} of ${signal.of}`, `at most ${signal.of}`, 'it could never count');
  }
  if (signal.weight !== undefined && signal.role !== 'scored') {
    refuse('weight', `a weight on a ${signal.role} signal`, 'none', 'only scored signals have one: role: scored');
  }
  return issues;
}

function stageIssues(stage: StageFile, file: ServiceFile, people: readonly Person[], path: Path): Issue[] {
  const issues: Issue[] = [];
  const refuse = (key: string, found: string, expected: string, hint: string | null = null) =>
    issues.push({ path: [...path, key], found, expected, hint });

  if (stage.targets && stage.waves) refuse('waves', 'targets and waves', 'one of them', 'waves name their targets');
  if (!stage.targets && !stage.waves) refuse('targets', 'nothing', 'targets or waves', 'say where this stage deploys');

  const evidence = [...file.signals, ...stage.signals].filter((signal) => signal.kind !== 'requests');
  if (stage.protected && !evidence.some((signal) => signal.role === 'critical')) {
    refuse('signals', 'no critical signal', 'a critical threshold or check', 'without evidence it could never pass');
  } else if (!evidence.some((signal) => signal.role !== 'observe')) {
    refuse('signals', 'no signal that decides', 'a critical or scored one', 'without evidence it could never pass');
  }
  issues.push(...approvalIssues(stage, file, people, path), ...bakeIssues(stage.bake, [...path, 'bake']));
  if (stage.canary) issues.push(...bakeIssues(stage.canary.bake, [...path, 'canary', 'bake']));
  return issues;
}

function approvalIssues(stage: StageFile, file: ServiceFile, people: readonly Person[], at: Path): Issue[] {
  const path = [...at, 'approvals'];
  if (!stage.protected) {
    if (!stage.approvals) return [];
    return [
      { path, found: 'approvals on an open stage', expected: 'none', hint: 'add protected: true, or remove them' },
    ];
  }
  if (!stage.approvals) {
    const hint = 'such as approvals: {required: 1, expire: 4h}';
    return [{ path, found: 'nothing', expected: 'how many must approve a protected stage', hint }];
  }
  if (file.roles.approvers.length === 0) {
    const hint = 'an empty list is nobody: name people under roles.approvers';
    return [{ path: ['roles', 'approvers'], found: 'nobody', expected: `approvers for ${stage.name}`, hint }];
  }
  const named = new Set([...file.roles.approvers, ...file.roles.onCall, file.onCall]);
  const eligible = people.filter((person) => named.has(person.name) && person.githubId !== null).length;
  const { required } = stage.approvals;
  if (required <= eligible) return [];
  const hint = 'approvers and on-call count, each with a github account in belay.yml';
  const expected = `at most ${eligible}, the people who could approve`;
  return [{ path: [...path, 'required'], found: `${required}`, expected, hint }];
}

function bakeIssues(written: StageFile['bake'], path: Path): Issue[] {
  const bake = bakeSpec(written);
  const issues: Issue[] = [];
  if (bake.everyMs > bake.forMs) {
    const found = 'a longer time than bake.for';
    issues.push({ path: [...path, 'every'], found, expected: 'at most for', hint: 'it would never be judged in time' });
  }
  if (bake.deadlineMs < bake.forMs) {
    const found = 'a shorter time than bake.for';
    issues.push({ path: [...path, 'deadline'], found, expected: 'at least for', hint: 'it could never pass' });
  }
  return issues;
}

function targetIssues(file: ServiceFile): Issue[] {
  const known = Object.keys(file.targets);
  const issues: Issue[] = [];
  const protectedTargets = new Set(file.stages.filter((one) => one.protected).flatMap((one) => wavesOf(one).flat()));
  for (const [index, stage] of file.stages.entries()) {
    const at = ['stages', index];
    const named: Named[] = stage.waves
      ? stage.waves.flatMap((wave, w) => wave.map((name, t): Named => [[...at, 'waves', w, t], name]))
      : (stage.targets ?? []).map((name, t): Named => [[...at, 'targets', t], name]);
    issues.push(...twice(named), ...named.flatMap((one) => unknown(one, known, 'one of the targets of this service')));
    for (const [path, name] of named) {
      if (stage.protected || !protectedTargets.has(name)) continue;
      const found = `${describe(name)}, which a protected stage deploys to`;
      issues.push({ path, found, expected: 'another target', hint: 'an open stage would go around its approvals' });
    }
  }
  const used = new Set(file.stages.flatMap((stage) => wavesOf(stage).flat()));
  for (const target of known.filter((one) => !used.has(one))) {
    const hint = 'add it to a stage, or remove it';
    issues.push({
      path: ['targets', target],
      found: 'a target of no stage',
      expected: 'a stage that deploys there',
      hint,
    });
  }
  return issues;
}
