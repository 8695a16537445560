import { z } from 'zod';
import { nearest } from '../core/nearest.ts';
import { describe, either, type Issue, type Path, suggestion } from './problem.ts';

/**
 * What a schema says about `value`, as issues with the nearest known key or word. `shown` is what may be printed of the
 * value: the same data with `${NAME}` where a secret was put in.
 */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  at: Path = [],
  shown: unknown = value,
): { value: T } | { issues: Issue[] } {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  const keys = () => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  /** Whether another value at this place would be taken there. */
  const takes = (path: Path, other: unknown): boolean => {
    const again = schema.safeParse(withValue(value, path, other));
    return again.success || !again.error.issues.some((issue) => isAt(issue, path));
  };
  return { issues: result.error.issues.flatMap((issue) => issuesOf(issue, [], { at, shown, keys, takes })) };
}

type Asked = { at: Path; shown: unknown; keys: () => JsonSchema; takes(path: Path, other: unknown): boolean };

type JsonSchema = {
  description?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
};

function issuesOf(issue: z.core.$ZodIssue, inner: Path, asked: Asked): Issue[] {
  const { at, shown, keys: schema } = asked;
  const path = [...inner, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  const place = [...at, ...path];
  const found = describe(valueAt(shown, path));
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema(), path);
      return issue.keys.map((key) => ({
        path: [...place, key],
        found: `the unknown key ${key}`,
        expected: `one of ${known.join(', ')}`,
        hint: suggestionOrNull(nearest(key, known)),
      }));
    }
    case 'invalid_union': {
      // The branch that was meant is the one that knows the keys and misses least. A mismatch at the root names none.
      const strangers = (errors: z.core.$ZodIssue[]) =>
        errors.filter((one) => one.code === 'unrecognized_keys' && one.path.length === 0).length;
      const meant = issue.errors
        .filter((errors) => errors.some((one) => one.path.length > 0 || one.code === 'unrecognized_keys'))
        .sort((a, b) => strangers(a) - strangers(b) || a.length - b.length)[0];
      if (!meant) return [{ path: place, found, expected: words(issue.message, 'another value'), hint: null }];
      return meant.flatMap((one) => issuesOf(one, path, asked));
    }
    case 'invalid_key':
      return [
        { path: place, found: `the key ${String(path.at(-1))}`, expected: issue.issues[0]?.message ?? '', hint: null },
      ];
    case 'invalid_value': {
      const known = issue.values.map(String);
      const given = valueAt(shown, path);
      const near = typeof given === 'string' ? nearest(given, known) : null;
      return [{ path: place, found, expected: words(issue.message, either(known)), hint: suggestionOrNull(near) }];
    }
    case 'invalid_type': {
      const type = TYPES[issue.expected] ?? issue.expected;
      const expected = words(issue.message, type);
      // What a list takes that says itself how it is written may be more than one value: brackets alone would not do.
      const isSaid = issue.expected === 'array' && expected !== type;
      return [{ path: place, found, expected, hint: isSaid ? null : hintFor(issue.expected, path, asked) }];
    }
    case 'too_small':
      return [{ path: place, found, expected: words(issue.message, `at least ${issue.minimum}`), hint: null }];
    case 'too_big':
      return [{ path: place, found, expected: words(issue.message, `at most ${issue.maximum}`), hint: null }];
    default: {
      // A sentence of a kind's own check tells what is wrong; a phrase tells what is expected.
      const isSentence = /^[A-Z$]/.test(issue.message) && !/^(Expected|Invalid)\b/.test(issue.message);
      if (isSentence) return [{ path: place, found, expected: 'another value', hint: issue.message }];
      return [{ path: place, found, expected: words(issue.message, 'another value'), hint: null }];
    }
  }
}

/** What was probably meant, when the value has another type than is taken. */
function hintFor(wanted: string, path: Path, { shown, keys, takes }: Asked): string | null {
  const given = valueAt(shown, path);
  if (given === undefined) return descriptionAt(keys(), path);
  if (typeof given === 'number' && takes(path, String(given))) return 'quote it: YAML reads it as a number';
  if (typeof given === 'string') {
    if (wanted === 'array' && takes(path, [given])) return `in brackets: [${given}]`;
    if (given.trim() !== '' && takes(path, Number(given))) return 'remove the quotes: it is a number';
  }
  return null;
}

function descriptionAt(schema: JsonSchema, path: Path): string | null {
  return path.reduce<JsonSchema | undefined>((inside, part) => inside?.properties?.[part], schema)?.description ?? null;
}

/** `value` with something else at one place; what is on the way there is copied. */
function withValue(value: unknown, [head, ...rest]: Path, other: unknown): unknown {
  if (head === undefined) return other;
  if (Array.isArray(value)) return value.map((one, index) => (index === head ? withValue(one, rest, other) : one));
  if (value === null || typeof value !== 'object') return value;
  return { ...value, [head]: withValue((value as Record<string, unknown>)[head], rest, other) };
}

function isAt(issue: z.core.$ZodIssue, path: Path): boolean {
  return path.every((part, index) => issue.path[index] === part);
}

const TYPES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  nonoptional: 'a value',
};

/** A schema's own words when it has any; zod's stock messages are replaced by ours. */
function words(message: string, ours: string): string {
  if (/^(Invalid|Too (small|big)|Unrecognized)/.test(message)) return ours;
  return message.replace(/^expected /i, '').replace(/\.$/, '');
}

function suggestionOrNull(near: string | null): string | null {
  return near === null ? null : suggestion(near, []);
}

/** The keys that a mapping at `path` may have. */
export function keysAt(schema: JsonSchema, path: Path): string[] {
  const [head, ...rest] = path;
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const own = head === undefined ? Object.keys(schema.properties ?? {}) : [];
  const below =
    head === undefined
      ? undefined
      : typeof head === 'number'
        ? schema.items
        : (schema.properties?.[head] ??
          (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined));
  return [
    ...new Set([...own, ...(below ? keysAt(below, rest) : []), ...branches.flatMap((branch) => keysAt(branch, path))]),
  ];
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inside, part) =>
      inside !== null && typeof inside === 'object' && Object.hasOwn(inside, part)
        ? (inside as Record<string | number, unknown>)[part]
        : undefined,
    value,
  );
}
