import type { Json } from '../core/json.ts';
import { WANT } from '../core/judge/want.ts';
import { laneOf, type Person, type ServiceSpec } from '../core/pipeline.ts';
import type { BelayFile, Kinds } from './belay-schema.ts';
import { checksOf } from './checks.ts';
import { contradictions } from './contradictions.ts';
import { located, readFile } from './file.ts';
import { kindOf, plain } from './kinds.ts';
import type { Path, Problem } from './problem.ts';
import { serviceSpec } from './service.ts';
import { type ServiceFile, type SignalFile, serviceSchema } from './service-schema.ts';
import type { Yaml } from './yaml.ts';
import { check } from './zod-issues.ts';

export type LoadedService = { spec: ServiceSpec; yaml: Yaml };

/** A service file by itself: well-formed, whatever it refers to. */
export function parseService(path: string, name: string): { file: ServiceFile; yaml: Yaml } | { problems: Problem[] } {
  const read = readFile(path, name);
  if ('problems' in read) return read;
  const parsed = check(serviceSchema, read.yaml.value);
  if ('issues' in parsed) return { problems: located(read.yaml, parsed.issues) };
  return { file: parsed.value, yaml: read.yaml };
}

/** One service file, held against belay.yml and the kinds that it uses; or everything that is wrong with it. */
export function loadService(
  path: string,
  name: string,
  belay: BelayFile,
  people: Person[],
  kinds: Kinds,
): LoadedService | { problems: Problem[] } {
  const parsed = parseService(path, name);
  if ('problems' in parsed) return parsed;
  const { file, yaml } = parsed;
  const issues = [
    ...contradictions(file, {
      people,
      providers: Object.keys(belay.providers),
      sources: Object.keys(belay.sources),
    }),
  ];

  const targets: Record<string, Json> = {};
  const targetSchema = kindOf(belay.providers[file.provider]?.kind, kinds.providers)?.targetSchema;
  for (const [target, options] of Object.entries(file.targets)) {
    // A target that needs nothing said may be left empty: `eu:`.
    const checked = targetSchema && check(targetSchema, options ?? {}, ['targets', target]);
    if (checked && 'issues' in checked) issues.push(...checked.issues);
    else if (checked) targets[target] = plain(checked.value);
  }
  const queries = new Map<SignalFile, Json>();
  for (const { signal, path } of signalsOf(file)) {
    const kind = kindOf(belay.sources[signal.source]?.kind, kinds.sources);
    if (!kind) continue;
    const at = [...path, 'query'];
    const checked = check(kind.querySchema, signal.query ?? {}, at);
    const why = 'value' in checked ? kind.whyNot(checked.value, WANT[signal.kind]) : null;
    if ('issues' in checked) issues.push(...checked.issues);
    else if (why !== null) {
      const found = `a query that cannot give what a signal of the kind ${signal.kind} needs`;
      issues.push({ path: at, found, expected: 'another query or another kind', hint: why });
    } else queries.set(signal, plain(checked.value));
  }
  const checks = checksOf(file.stages, kinds.checks);
  issues.push(...checks.issues);
  const problems = located(yaml, issues);
  if (problems.length > 0) return { problems };
  return { yaml, spec: serviceSpec(file, people, targets, (signal) => queries.get(signal) ?? null, checks.specs) };
}

function signalsOf(file: { signals: SignalFile[]; stages: { signals: SignalFile[] }[] }) {
  const placed = (at: Path) => (signal: SignalFile, index: number) => ({ signal, path: [...at, index] });
  return [
    ...file.signals.map(placed(['signals'])),
    ...file.stages.flatMap((stage, index) => stage.signals.map(placed(['stages', index, 'signals']))),
  ];
}

/** Two files for one lane would move the same targets at the same time. */
export function sameLane(services: LoadedService[]): Problem[] {
  const first = new Map<string, string>();
  return services.flatMap(({ spec, yaml }) => {
    const lane = laneOf(spec);
    const other = first.get(lane);
    if (other === undefined) {
      first.set(lane, yaml.file);
      return [];
    }
    const hint = 'give one of them another service or pipeline name';
    return [
      yaml.locate({ path: ['service'], found: `${lane}, which ${other} is too`, expected: 'another name', hint }),
    ];
  });
}
