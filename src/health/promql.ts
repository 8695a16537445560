import type { Question } from './source.ts';

export type Filled = { ok: true; promql: string } | { ok: false; reason: 'bad-query' | 'no-data'; detail: string };

type Known = Pick<Question, 'service' | 'targets' | 'digest' | 'beforeDigest' | 'role' | 'sinceMs' | 'untilMs'>;

const PLACEHOLDER = /\$(version|before|service|targets|role|since)\b/y;

/**
 * Puts the question's values where the query says `$version`, `$before`, `$service`, `$targets` or `$role`: only inside a
 * quoted label value, each escaped for it, so that no name can end the string and become PromQL. `$targets` and `$role`
 * are alternations for `=~`. `$since`, the time since the step began, stands only where a duration may: `[$since]`.
 */
export function fillIn(promql: string, question: Known): Filled {
  const sinceSeconds = Math.floor((question.untilMs - question.sinceMs) / 1000);
  const values: Record<string, string | null> = {
    version: question.digest,
    before: question.beforeDigest,
    service: question.service,
    targets: question.targets.map(escapeRegex).join('|'),
    role: question.role ?? '.*',
    since: sinceSeconds >= 1 ? `${sinceSeconds}s` : null,
  };
  let filled = '';
  let quote: string | null = null;
  for (let at = 0; at < promql.length; at += 1) {
    const char = promql[at] ?? '';
    PLACEHOLDER.lastIndex = at;
    const name = PLACEHOLDER.exec(promql)?.[1];
    if (name !== undefined) {
      const end = at + 1 + name.length;
      const why = whyNotHere(name, quote, filled, promql.slice(end));
      if (why !== null) return { ok: false, reason: 'bad-query', detail: why };
      const value = values[name] ?? null;
      if (value === null || value === '') return { ok: false, reason: 'no-data', detail: UNKNOWN[name] ?? '' };
      filled += name === 'since' ? value : escapeString(value);
      at = end - 1;
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

const UNKNOWN: Record<string, string> = {
  version: 'nothing is known for $version: which version a neighbour runs, or ran on earlier days, is not known here',
  before: 'nothing is known for $before',
  service: 'nothing is known for $service',
  targets: 'nothing is known for $targets',
  since: 'the step began less than a second ago',
};

function whyNotHere(name: string, quote: string | null, before: string, after: string): string | null {
  if (name === 'since') {
    const isDuration = quote === null && /\[\s*$/.test(before) && /^\s*[\]:]/.test(after);
    return isDuration ? null : '$since belongs where a duration is: increase(metric[$since])';
  }
  if (quote !== '"' && quote !== "'") return `$${name} belongs inside quotes: label="$${name}"`;
  // It may stand for any role, which only a regular expression can say.
  if (name === 'role' && !/=~\s*["']$/.test(before)) return '$role belongs behind =~ alone: label=~"$role"';
  return null;
}

/** Why the placeholders of a query cannot be filled in whatever the values; null when they can. */
export function whyNotFillable(promql: string): string | null {
  const known: Known = {
    service: 'a',
    targets: ['a'],
    digest: 'a',
    beforeDigest: 'a',
    role: null,
    sinceMs: 0,
    untilMs: 1000,
  };
  const filled = fillIn(promql, known);
  return filled.ok ? null : filled.detail;
}

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };
/** What stands between quotes, behind a `#`, or as the range of a selector or a subquery. */
const TOKEN = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*|\[\s*([0-9a-z.]+)\s*(?::[^\]]*)?\]/g;
const PART = /(\d+)(ms|[smhdwy])/g;

/** The longest time that a query looks back over, `5m` in `rate(x[5m])`, in milliseconds; 0 when it says none that can be read. */
export function longestWindowMs(promql: string): number {
  const windows = [...promql.matchAll(TOKEN)].map(([, window = '']) => {
    if (/^\d+(\.\d+)?$/.test(window)) return 1000 * Number(window);
    return [...window.matchAll(PART)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS],
      0,
    );
  });
  return Math.max(0, ...windows);
}

function escapeRegex(value: string): string {
  return value.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

function escapeString(value: string): string {
  return value.replace(/[\\"'\n\r]/g, (char) => (char === '\n' ? '\\n' : char === '\r' ? '\\r' : `\\${char}`));
}
