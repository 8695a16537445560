import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import type { Json } from '../core/json.ts';
import { isSecretWrittenOut, literalSecrets } from './literal-secret.ts';
import { prescan } from './prescan.ts';
import { type Issue, type Path, type Problem, pathText } from './problem.ts';

/** A file that was read: its plain data, and where each path of it is written. */
export type Yaml = { file: string; value: Json; locate(issue: Issue): Problem };

/** Keys that are no data but handles of JavaScript objects. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads one YAML document as plain JSON data and nothing else: no aliases, tags, second documents, doubled keys,
 * infinite numbers or secrets written out. All that is wrong is told at once. `file` is only a name for problems.
 */
export function readYaml(text: string, file: string): { yaml: Yaml } | { problems: Problem[] } {
  const tooMuch = prescan(text);
  if (tooMuch) return { problems: [{ file, line: null, column: null, ...tooMuch, path: '' }] };

  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    schema: 'core',
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
  });
  const at = (offset: number, path: string, issue: Omit<Issue, 'path'>): Problem => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col, ...issue, path };
  };

  const problems: Problem[] = [];
  for (const fault of [...document.errors, ...document.warnings]) {
    problems.push(at(fault.pos[0], '', faultOf(fault.code, fault.message)));
  }
  for (const { offset, kind } of literalSecrets(text)) {
    problems.push(at(offset, '', writtenOut(`a secret written out (${kind}…)`)));
  }
  problems.push(...faultsOfNodes(document).map(({ offset, path, ...issue }) => at(offset, pathText(path), issue)));
  if (problems.length > 0) return { problems };

  const value = document.toJS({ maxAliasCount: 0 }) as Json;
  const locate = (issue: Issue): Problem => at(offsetOf(document, issue.path), pathText(issue.path), issue);
  return { yaml: { file, value, locate } };
}

type Fault = { offset: number } & Issue;

function faultsOfNodes(document: Document): Fault[] {
  const faults: Fault[] = [];
  visit(document, {
    Alias(_, node, ancestors) {
      const path = pathOf(ancestors);
      faults.push({ offset: offset(node), path, ...refused('an alias', 'the value itself', 'write it out') });
    },
    Pair(_, pair, ancestors) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      const place = { offset: offset(pair.key), path: [...pathOf(ancestors), key] };
      if (FORBIDDEN_KEYS.has(key)) faults.push({ ...place, ...refused(`the key ${key}`, 'another key', 'remove it') });
      if (isScalar(pair.value) && isSecretWrittenOut(key, pair.value.value)) {
        const [, name] = /^\$([A-Za-z_]\w*)$/.exec(String(pair.value.value)) ?? [];
        const isMeant = name !== undefined;
        const meant = refused(`$${name}`, 'a reference to the environment', `write \${${name}}`);
        faults.push({ ...place, ...(isMeant ? meant : writtenOut('a secret written out')) });
      }
    },
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'number') return;
      const written = node.source ?? String(node.value);
      const place = { offset: offset(node), path: pathOf(ancestors) };
      if (!Number.isFinite(node.value)) faults.push({ ...place, ...refused(written, 'a finite number', null) });
      else if (Math.abs(node.value) > Number.MAX_SAFE_INTEGER) {
        const quoted = `if it is an id or a sha, quote it: "${written.slice(0, 64)}"`;
        faults.push({ ...place, ...refused(`the number ${node.value}`, 'a number that loses no digits', quoted) });
      }
    },
  });
  return faults;
}

/** The path of what `visit` found, read from the pairs and lists above it. */
function pathOf(ancestors: readonly unknown[]): Path {
  const path: (string | number)[] = [];
  for (const [index, node] of ancestors.entries()) {
    const pair = node as { key?: unknown; items?: unknown[] };
    if (isScalar(pair.key)) path.push(String(pair.key.value));
    else if (Array.isArray(pair.items) && !isMap(node)) {
      const next = ancestors[index + 1];
      if (next !== undefined) path.push(pair.items.indexOf(next));
    }
  }
  return path;
}

/** Where a path is written: its key when there is one, or the nearest thing above it that exists. */
function offsetOf(document: Document, path: Path): number {
  let found = 0;
  let node: unknown = document.contents;
  if (isNode(node)) found = offset(node);
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part);
      if (!pair) break;
      found = offset(pair.key);
      node = pair.value;
    } else if (node !== null && typeof node === 'object' && 'items' in node && typeof part === 'number') {
      const item = (node.items as unknown[])[part];
      if (!isNode(item)) break;
      found = offset(item);
      node = item;
    } else break;
  }
  return found;
}

function offset(node: unknown): number {
  return isNode(node) || isAlias(node) ? ((node as Node).range?.[0] ?? 0) : 0;
}

function faultOf(code: string, message: string): Omit<Issue, 'path'> {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return refused('a second document (---)', 'one document', 'put each service into a file of its own');
    case 'DUPLICATE_KEY':
      return refused('the same key twice', 'each key once', 'remove one of them');
    case 'TAG_RESOLVE_FAILED':
      return refused('a tag (!…)', 'plain YAML', 'remove the tag');
    case 'TAB_AS_INDENT':
      return refused('a tab as indentation', 'spaces', null);
    default:
      return refused(message.replace(/\s+/g, ' ').slice(0, 200), 'valid YAML', null);
  }
}

function writtenOut(found: string): Omit<Issue, 'path'> {
  const hint = `put it into the environment and write \${NAME} here; treat this one as leaked and replace it`;
  return refused(found, 'a reference to the environment', hint);
}

function refused(found: string, expected: string, hint: string | null): Omit<Issue, 'path'> {
  return { found, expected, hint };
}
