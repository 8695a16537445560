import type { Json } from '../core/json.ts';
import { BELAY_SECRETS, type Variables } from './env.ts';
import type { Issue, Path } from './problem.ts';

const REFERENCE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * The options with each `${NAME}` replaced by that environment variable: for the factory that needs the real value, and
 * never for anything that is printed or stored. An unknown one stays as it is written; `loadInstallation` has refused it.
 */
export function resolveSecrets(options: Json, variables: Variables): Json {
  return mapText(options, [], (text) =>
    text.replace(REFERENCE, (written, name: string) => (isOurs(name) ? written : (variables[name] ?? written))),
  );
}

/** References that cannot be resolved, or that would hand one of Belay's own secrets to a provider. */
export function referenceIssues(options: Json, variables: Variables, at: Path): Issue[] {
  const issues: Issue[] = [];
  mapText(options, at, (text, path) => {
    for (const [written, name = ''] of text.matchAll(REFERENCE)) {
      if (isOurs(name)) {
        const hint = 'give the provider or source a secret of its own';
        issues.push({ path, found: `${written}, a secret of Belay's own`, expected: 'another variable', hint });
      } else if (!variables[name]) {
        const hint = `set ${name} where Belay runs`;
        issues.push({ path, found: `${written}, which is not set`, expected: 'a variable of the environment', hint });
      }
    }
    return text;
  });
  return issues;
}

/** The values that were put in, so that a message which repeats one can be cleaned. */
export function redact(text: string, options: Json, variables: Variables): string {
  let clean = text;
  mapText(options, [], (written) => {
    for (const [reference, name = ''] of written.matchAll(REFERENCE)) {
      const secret = variables[name];
      if (secret) clean = clean.replaceAll(secret, reference);
    }
    return written;
  });
  return clean;
}

function isOurs(name: string): boolean {
  return BELAY_SECRETS.has(name);
}

function mapText(value: Json, path: Path, change: (text: string, path: Path) => string): Json {
  if (typeof value === 'string') return change(value, path);
  if (Array.isArray(value)) return value.map((one, index) => mapText(one, [...path, index], change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapText(one, [...path, key], change)]));
}
