import type { Question } from './source.ts';

export type Filled = { ok: true; promql: string } | { ok: false; reason: 'bad-query' | 'no-data'; detail: string };

const PLACEHOLDER = /\$(version|before|service|targets)\b/y;

/**
 * Puts the question's values where the query says `$version`, `$before`, `$service` or `$targets`: only inside a quoted
 * label value, each escaped for it, so that no name can end the string and become PromQL. `$targets` is an alternation
 * for `=~`.
 */
export function fillIn(
  promql: string,
  question: Pick<Question, 'service' | 'targets' | 'digest' | 'beforeDigest'>,
): Filled {
  const values: Record<string, string | null> = {
    version: question.digest,
    before: question.beforeDigest,
    service: question.service,
    targets: question.targets.map(escapeRegex).join('|'),
  };
  let filled = '';
  let quote: string | null = null;
  for (let at = 0; at < promql.length; at += 1) {
    const char = promql[at] ?? '';
    PLACEHOLDER.lastIndex = at;
    const name = PLACEHOLDER.exec(promql)?.[1];
    if (name !== undefined) {
      if (quote !== '"' && quote !== "'") {
        return { ok: false, reason: 'bad-query', detail: `$${name} belongs inside quotes: label="$${name}"` };
      }
      const value = values[name] ?? null;
      if (value === null || value === '')
        return { ok: false, reason: 'no-data', detail: `nothing is known for $${name}` };
      filled += escapeString(value);
      at += name.length;
      continue;
    }
    filled += char;
    // A quoted value never spans lines: an apostrophe in a comment ends with its line.
    if (char === '\n' && quote !== '`') quote = null;
    else if (quote === null && (char === '"' || char === "'" || char === '`')) quote = char;
    else if (quote === char) quote = null;
    else if (char === '\\' && quote !== null && quote !== '`') {
      at += 1;
      filled += promql[at] ?? '';
    }
  }
  return { ok: true, promql: filled };
}

/** Why the placeholders of a query cannot be filled in whatever the values; null when they can. */
export function whyNotFillable(promql: string): string | null {
  const filled = fillIn(promql, { service: 'a', targets: ['a'], digest: 'a', beforeDigest: 'a' });
  return filled.ok ? null : filled.detail;
}

function escapeRegex(value: string): string {
  return value.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

function escapeString(value: string): string {
  return value.replace(/[\\"'\n\r]/g, (char) => (char === '\n' ? '\\n' : char === '\r' ? '\\r' : `\\${char}`));
}
