import { readFileSync } from 'node:fs';
import type { Json } from '../core/json.ts';
import { type Issue, type Problem, pathText } from './problem.ts';
import { urlIssues } from './url.ts';
import { readYaml, type Yaml } from './yaml.ts';

/** A file as checked YAML. `name` is how it is called in problems, `example` where one of its kind is. */
export function readFile(path: string, name: string, example: string): { yaml: Yaml } | { problems: Problem[] } {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return whole(name, `no file that can be read (${code})`, 'a YAML file', `to start from, copy ${example}`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return whole(name, 'bytes that are not UTF-8', 'a text file in UTF-8', 'save it again as UTF-8');
  }
  return readYaml(text, name);
}

function whole(file: string, found: string, expected: string, hint: string): { problems: Problem[] } {
  return { problems: [{ file, line: null, column: null, path: '', found, expected, hint }] };
}

/**
 * Issues with their places, in the order of the file. URLs are looked at here, whatever the schemas made of them; where
 * a kind's own schema has refused one already, that is enough.
 */
export function located(yaml: Yaml, issues: Issue[]): Problem[] {
  const said = new Set(issues.map((issue) => pathText(issue.path)));
  const urls = urlIssues(yaml.value as Json, []).filter((issue) => !said.has(pathText(issue.path)));
  return [...issues, ...urls]
    .map((issue) => yaml.locate(issue))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
