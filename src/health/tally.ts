import type { Missing } from '../core/judge/signal.ts';
import type { Page, Sample } from './exposition.ts';
import type { ScrapeQuery } from './scrape-query.ts';

/** The counters that a query needs from one page, by a name of ours: `of`, `over`, or the bound of a bucket. */
export type Counts = Record<string, number>;

export type Tally = { ok: true; counts: Counts } | { ok: false; missing: Missing; detail: string };

type CountedQuery = Exclude<ScrapeQuery, { value: unknown }>;
type Labels = Record<string, string>;

/** Reads one instance's page for a query over counters. A series that is not there yet counts 0 if its metric is. */
export function tally(page: Page, query: CountedQuery): Tally {
  if ('ratio' in query) {
    const { of, where, over, overWhere } = query.ratio;
    const failed = select(page, of, where);
    const all = select(page, over, overWhere);
    if (!failed.ok) return failed;
    return all.ok ? finite({ of: sum(failed.samples), over: sum(all.samples) }) : all;
  }
  if ('quantile' in query) {
    const { of, where } = query.quantile;
    const found = select(page, `${of}_bucket`, where, of);
    return found.ok ? finite(bucketsOf(found.samples)) : found;
  }
  const { of, where } = 'rate' in query ? query.rate : query.increase;
  const found = select(page, of, where);
  return found.ok ? finite({ of: sum(found.samples) }) : found;
}

type Selected = { ok: true; samples: Sample[] } | { ok: false; missing: Missing; detail: string };

/** A metric's samples that carry these labels. A metric or label that is not there at all is a mistake, not a zero. */
export function select(page: Page, metric: string, where: Labels, declaredAs: string = metric): Selected {
  const all = page.samples.get(metric) ?? [];
  if (all.length === 0 && !page.declared.has(declaredAs)) return no(`there is no metric ${metric}`);
  for (const label of Object.keys(where)) {
    if (all.length > 0 && !all.some((one) => one.labels.has(label))) return no(`${metric} has no label ${label}`);
  }
  const wanted = Object.entries(where);
  return {
    ok: true,
    samples: all.filter((one) => wanted.every(([label, glob]) => matches(one.labels.get(label) ?? '', glob))),
  };
}

/** `*` stands for any text. Linear: the pieces are looked for from left to right, never backwards. */
export function matches(text: string, glob: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return text === glob;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

function bucketsOf(samples: Sample[]): Counts {
  const buckets = new Map<string, number>();
  for (const { labels, value } of samples) {
    const bound = labels.get('le') ?? '';
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  return Object.fromEntries(buckets);
}

function finite(counts: Counts): Tally {
  return Object.values(counts).every((one) => Number.isFinite(one))
    ? { ok: true, counts }
    : { ok: false, missing: 'not-a-number', detail: 'a counter is not a finite number' };
}

function sum(samples: Sample[]): number {
  return samples.reduce((total, one) => total + one.value, 0);
}

function no(detail: string): { ok: false; missing: Missing; detail: string } {
  return { ok: false, missing: 'no-data', detail };
}
