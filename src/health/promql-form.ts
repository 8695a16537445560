import { nearest } from '../core/nearest.ts';

const NAMES = ['version', 'before', 'service', 'targets', 'role', 'since'];
/** What VictoriaMetrics fills in by itself. */
const FOREIGN = ['__interval', '__rate_interval'];
const CLOSES: Record<string, string> = { '(': ')', '[': ']', '{': '}' };

/** A whole quoted text, a comment, an escaped character, a name, a bracket, or a quote that nothing ends. */
const TOKEN = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`|#[^\n]*|\\.|\$\{?([A-Za-z_]\w*)\}?|[()[\]{}"'`]/g;
/** A quoted text that is one name and nothing else. */
const ONLY_A_NAME = /^["']\$\{?([A-Za-z_]\w*)\}?["']$/;

/**
 * What no server can take as PromQL: a quote or a bracket that nothing ends, or a name that nothing is filled in for.
 * The rest of the language is the server's to know, so a query that one of them takes is never refused here.
 */
export function whyNotPromql(promql: string): string | null {
  const open: { char: string; at: number }[] = [];
  for (const { 0: token, 1: name, index } of promql.matchAll(TOKEN)) {
    const last = open.at(-1);
    if (name !== undefined) {
      if (!NAMES.includes(name) && !FOREIGN.includes(name)) return unknownName(token, name);
    } else if (/^["'`]$/.test(token)) return `The ${token} at character ${index + 1} is never closed: close the quote`;
    else if (token in CLOSES) open.push({ char: token, at: index + 1 });
    else if (/^[)\]}]$/.test(token)) {
      if (last === undefined) return `The ${token} at character ${index + 1} closes nothing: open it, or remove it`;
      const expected = CLOSES[last.char];
      if (token !== expected) {
        return `The ${token} at character ${index + 1} cannot close the ${last.char} at character ${last.at}: expected ${expected}`;
      }
      open.pop();
    }
  }
  const [first] = open;
  if (first) return `The ${first.char} at character ${first.at} is never closed: expected ${CLOSES[first.char]}`;
  return whyNotNames(promql);
}

/** A label that is held against one name alone, `service="$servce"`, where nothing is filled in for that name. */
export function whyNotNames(matchers: string): string | null {
  for (const { 0: token, index } of matchers.matchAll(TOKEN)) {
    const [, name] = ONLY_A_NAME.exec(token) ?? [];
    // Elsewhere it may be meant: label_replace knows groups by such names.
    const isMatcher = /[=~]\s*$/.test(matchers.slice(0, index));
    const isKnown = name !== undefined && NAMES.includes(name) && !token.includes('{');
    if (name !== undefined && isMatcher && !isKnown) return `${unknownName(token.slice(1, -1), name)}; ${ITSELF}`;
  }
  return null;
}

const ITSELF = 'for a $ itself write =~"[$]…"';

function unknownName(token: string, name: string): string {
  const near = nearest(name, NAMES);
  const known = NAMES.map((one) => `$${one}`).join(', ');
  return `${token} is not filled in: expected one of ${known}${near === null ? '' : `; did you mean $${near}?`}`;
}
