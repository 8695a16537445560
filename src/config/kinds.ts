import type { Json } from '../core/json.ts';
import { nearest } from '../core/nearest.ts';
import type { Kinds } from './belay-schema.ts';
import type { Variables } from './env.ts';
import { describe, type Issue, type Path, suggestion } from './problem.ts';
import { redact, referenceIssues, resolveSecrets } from './references.ts';
import { check } from './zod-issues.ts';

/** Kinds and options of the providers or sources, checked with the real values where they refer to the environment. */
export function configuredIssues(
  value: Json,
  section: 'providers' | 'sources',
  kinds: Record<string, { schema: Kinds['providers'][string]['schema'] }>,
  variables: Variables | null,
): Issue[] {
  const entries = memberOf(value, section);
  if (entries === null || typeof entries !== 'object' || Array.isArray(entries)) return [];
  return Object.entries(entries).flatMap(([name, entry]): Issue[] => {
    if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return [];
    const { kind: written, ...options } = entry;
    if (typeof written !== 'string') return [];
    const at = [section, name];
    const kind = kindOf(written, kinds);
    if (!kind) {
      const known = Object.keys(kinds);
      const hint = suggestion(nearest(written, known), known);
      return [{ path: [...at, 'kind'], found: describe(written), expected: `a kind of ${section.slice(0, -1)}`, hint }];
    }
    const references = variables === null ? [] : referenceIssues(options, variables, at);
    const given = variables ?? {};
    const checked = check(kind.schema, resolveSecrets(options, given), at, options);
    const issues = 'issues' in checked ? checked.issues : [];
    return [
      ...references,
      ...issues
        // What a reference stands for is not known: nothing can be said of it.
        .filter((issue) => !hasOpenReference(options, issue.path.slice(2), given))
        .map((issue) => ({
          ...issue,
          expected: redact(issue.expected, options, given),
          hint: issue.hint && redact(issue.hint, options, given),
        })),
    ];
  });
}

function hasOpenReference(options: Json, path: Path, variables: Variables): boolean {
  const value = path.reduce<Json | undefined>(
    (inside, part) => (inside === undefined ? inside : memberOf(inside, part)),
    options,
  );
  return typeof value === 'string' && /\$\{/.test(JSON.stringify(resolveSecrets(value, variables)));
}

function memberOf(value: Json, key: string | number): Json {
  if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return null;
  return (value as Record<string | number, Json>)[key] ?? null;
}

/** A kind by its name; nothing that JavaScript's objects happen to have. */
export function kindOf<Kind>(name: string | undefined, kinds: Record<string, Kind>): Kind | undefined {
  return name !== undefined && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** What a kind's schema made of options, as plain JSON. */
export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null)) as Json;
}
