import { nearest } from '../core/nearest.ts';
import { describe, type Issue, type Path, suggestion } from './problem.ts';

export type Named = [path: Path, name: string];

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

/** A name that is none of the known ones, with the one that was probably meant. */
export function unknown([path, name]: Named, known: readonly string[], expected: string): Issue[] {
  if (known.includes(name)) return [];
  return [{ path, found: describe(name), expected, hint: suggestion(nearest(name, known), known) }];
}

/** Collects issues below one place of the file. */
export function issuesAt(at: Path) {
  const issues: Issue[] = [];
  const refuse = (path: Path, found: string, expected: string, hint: string | null = null): void => {
    issues.push({ path: [...at, ...path], found, expected, hint });
  };
  return { issues, refuse };
}
