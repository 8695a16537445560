import type { Json } from '../core/json.ts';
import { WANT, type Want } from '../core/judge/want.ts';
import { laneOf, type Person, type ServiceSpec } from '../core/pipeline.ts';
import type { BelayFile, Kinds } from './belay-schema.ts';
import { checksOf } from './checks.ts';
import { contradictions } from './contradictions.ts';
import { located, readFile } from './file.ts';
import { kindOf, plain } from './kinds.ts';
import { splitTarget } from './places.ts';
import { pointIssues } from './point-issues.ts';
import type { Path, Problem } from './problem.ts';
import { type Asked, baselineOf, isCompared, serviceSpec } from './service.ts';
import { placeSchema, type ServiceFile, serviceSchema } from './service-schema.ts';
import type { SignalFile } from './signal-schema.ts';
import type { Yaml } from './yaml.ts';
import { check } from './zod-issues.ts';

export type LoadedService = { spec: ServiceSpec; yaml: Yaml };

/** A service file by itself: well-formed, whatever it refers to. */
export function parseService(path: string, name: string): { file: ServiceFile; yaml: Yaml } | { problems: Problem[] } {
  const read = readFile(path, name, 'examples/services/shop.yml');
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
      remembering: Object.entries(belay.sources)
        .filter(([, { kind }]) => kindOf(kind, kinds.sources)?.remembers !== false)
        .map(([source]) => source),
    }),
  ];

  const targets: Record<string, Json> = {};
  const targetSchema = kindOf(belay.providers[file.provider]?.kind, kinds.providers)?.targetSchema;
  for (const [target, written] of Object.entries(file.targets)) {
    const { place, options } = splitTarget(written);
    const placed = check(placeSchema, place, ['targets', target]);
    if ('issues' in placed) issues.push(...placed.issues);
    const checked = targetSchema && check(targetSchema, options, ['targets', target]);
    if (checked && 'issues' in checked) issues.push(...checked.issues);
    else if (checked) targets[target] = plain(checked.value);
  }
  const read = ({ source, query }: Asking, want: Want, path: Path, isBeside = false): Json => {
    const kind = kindOf(belay.sources[source]?.kind, kinds.sources);
    if (!kind) return null;
    const checked = check(kind.querySchema, query ?? {}, path);
    if ('issues' in checked) {
      issues.push(...checked.issues);
      return null;
    }
    const same = isBeside ? kind.whyNotBeside?.(checked.value) : null;
    if (same) {
      const found = 'a query that is the same for the release and for what it is held against';
      issues.push({ path, found, expected: 'a query that tells them apart', hint: same });
    }
    const hint = kind.whyNot(checked.value, want);
    if (hint === null) return plain(checked.value);
    const found = `a query that cannot give ${want === 'number' ? 'the number' : `the ${want}`} that it is asked for`;
    issues.push({ path, found, expected: 'another query or another kind', hint });
    return null;
  };
  const queries = new Map(
    signalsOf(file).map(({ signal, path }) => [
      signal,
      read(signal, WANT[signal.kind], [...path, 'query'], isHeldBeside(signal)),
    ]),
  );
  const traffic = file.traffic ? read(file.traffic, 'number', ['traffic', 'query']) : null;
  issues.push(
    ...pointIssues(file, (signal, everyMs) => {
      const kind = kindOf(belay.sources[signal.source]?.kind, kinds.sources);
      const query = queries.get(signal) ?? null;
      return (query !== null && kind?.points?.(query, everyMs)) || null;
    }),
  );
  const checks = checksOf(file.stages, kinds.checks);
  issues.push(...checks.issues);
  const problems = located(yaml, issues);
  if (problems.length > 0) return { problems };
  const asked: Asked = { query: (signal) => queries.get(signal) ?? null, traffic, checks: checks.specs };
  return { yaml, spec: serviceSpec(file, people, targets, asked) };
}

/** Is it compared with what runs at the same time? A neighbour cannot be, which is said elsewhere. */
function isHeldBeside(signal: SignalFile): boolean {
  const baseline = baselineOf(signal).is;
  return isCompared(signal) && signal.neighbour === undefined && (baseline === 'fresh' || baseline === 'current');
}

type Asking = { source: string; query?: unknown };

function signalsOf(file: ServiceFile) {
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
