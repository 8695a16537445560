import { isJudgedIn, type Person, type Place } from '../core/pipeline.ts';
import { issuesAt, type Named, twice, unknown } from './names.ts';
import { placesOf } from './places.ts';
import { describe, type Issue, type Path } from './problem.ts';
import { rolloutIssues } from './rollout-issues.ts';
import { baselineOf, isCompared } from './service.ts';
import type { ServiceFile, StageFile } from './service-schema.ts';
import { type KnownSources, signalIssues } from './signal-issues.ts';
import { stepsOf } from './waves.ts';

/** The names that a service file may refer to. */
export type Known = KnownSources & { people: readonly Person[]; providers: readonly string[] };

/** Everything in a well-formed service file that contradicts itself or the installation. Each line would fail in production. */
export function contradictions(file: ServiceFile, known: Known): Issue[] {
  const places = placesOf(file);
  return [
    ...peopleIssues(file, known.people),
    ...unknown([['provider'], file.provider], known.providers, 'one of the providers of belay.yml'),
    ...(file.traffic
      ? unknown([['traffic', 'source'], file.traffic.source], known.sources, 'one of the sources of belay.yml')
      : []),
    ...signalIssues(file, known),
    ...file.stages.flatMap((stage, index) => stageIssues(stage, file, known.people, places, ['stages', index])),
    ...twice(file.stages.map((stage, index) => [['stages', index, 'name'], stage.name])),
    ...targetIssues(file),
  ];
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

function stageIssues(
  stage: StageFile,
  file: ServiceFile,
  people: readonly Person[],
  places: Record<string, Place>,
  path: Path,
): Issue[] {
  return [
    ...evidenceIssues(stage, file, places, path),
    ...approvalIssues(stage, file, people, path),
    ...rolloutIssues(stage, file, places, path),
  ];
}

/** Every step needs evidence that can promote it; traffic alone is none. */
function evidenceIssues(stage: StageFile, file: ServiceFile, places: Record<string, Place>, path: Path): Issue[] {
  const { issues, refuse } = issuesAt(path);
  const evidence = [...file.signals, ...stage.signals]
    .filter((signal) => signal.kind !== 'requests')
    .map(({ role, ...signal }) => ({ role, baseline: isCompared(signal) ? baselineOf(signal) : null }));
  const hint = 'without evidence it could never pass';
  for (const step of stepsOf(stage, places, null)) {
    const judged = evidence.filter((signal) => isJudgedIn(signal, step));
    const where = judged.length < evidence.length ? ` for ${step.name}, which has no such baseline` : '';
    if (stage.protected && !judged.some((signal) => signal.role === 'critical')) {
      refuse(['signals'], `no critical signal${where}`, 'a critical one in every step', hint);
      break;
    }
    if (!judged.some((signal) => signal.role !== 'observe')) {
      refuse(['signals'], `no signal that decides${where}`, 'a critical or scored one in every step', hint);
      break;
    }
  }
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

function targetIssues(file: ServiceFile): Issue[] {
  const known = Object.keys(file.targets);
  const { issues, refuse } = issuesAt([]);
  const protectedTargets = new Set(file.stages.filter((one) => one.protected).flatMap((one) => one.targets));
  for (const [index, stage] of file.stages.entries()) {
    const named = stage.targets.map((name, t): Named => [['stages', index, 'targets', t], name]);
    issues.push(...twice(named), ...named.flatMap((one) => unknown(one, known, 'one of the targets of this service')));
    for (const [path, name] of named) {
      if (!stage.protected && protectedTargets.has(name)) {
        const found = `${describe(name)}, which a protected stage deploys to`;
        refuse(path, found, 'another target', 'an open stage would go around its approvals');
      } else if (stage.environment === 'ephemeral' && isElsewhere(file, index, name)) {
        const found = `${describe(name)}, which another stage deploys to`;
        refuse(path, found, 'a target of its own', 'an ephemeral environment is removed when its stage is over');
      }
    }
  }
  const used = new Set(file.stages.flatMap((stage) => stage.targets));
  for (const target of known.filter((one) => !used.has(one))) {
    const hint = 'add it to a stage, or remove it';
    refuse(['targets', target], 'a target of no stage', 'a stage that deploys there', hint);
  }
  return issues;
}

function isElsewhere(file: ServiceFile, index: number, target: string): boolean {
  return file.stages.some((stage, other) => other !== index && stage.targets.includes(target));
}
