import type { Missing } from '../core/judge/signal.ts';
import type { Counts } from './tally.ts';
import type { Growth } from './window.ts';

export type Combined =
  | { ok: true; value: number; samples: number | null }
  | { ok: false; missing: Missing; detail: string };

/** How growth becomes a number: of a counter `of`, or of its share in a counter `over`. */
export type How = { times: number } & (
  | { ratio: unknown }
  | { rate: unknown }
  | { increase: unknown }
  | { quantile: { q: number } }
);

/** One number from the growth of every judged instance: counts are added up before they are divided. */
export function combine(growths: readonly Growth[], how: How): Combined {
  if ('quantile' in how)
    return quantile(
      growths.map((one) => one.counts),
      how.quantile.q,
      how.times,
    );
  const of = sum(growths.map((one) => one.counts.of ?? 0));
  if ('increase' in how) return { ok: true, value: of * how.times, samples: of };
  if ('rate' in how) {
    const rate = sum(growths.map((one) => (1000 * (one.counts.of ?? 0)) / one.spanMs));
    return { ok: true, value: rate * how.times, samples: of };
  }
  const over = sum(growths.map((one) => one.counts.over ?? 0));
  if (over > 0) return { ok: true, value: (of / over) * how.times, samples: over };
  return { ok: false, missing: 'no-data', detail: 'no requests within the window' };
}

/** As Prometheus does it: linear within a bucket; beyond the last bound, that bound. */
function quantile(instances: readonly Counts[], q: number, times: number): Combined {
  const used = instances.filter((counts) => Object.keys(counts).length > 0);
  const [first] = used;
  if (first === undefined) return { ok: false, missing: 'no-data', detail: 'no requests within the window' };
  const names = Object.keys(first).sort();
  if (!used.every((counts) => Object.keys(counts).sort().join() === names.join())) {
    return { ok: false, missing: 'bad-answer', detail: 'the instances have different histogram buckets' };
  }
  const buckets = names
    .map((name) => ({ bound: boundOf(name), count: sum(used.map((counts) => counts[name] ?? 0)) }))
    .sort((a, b) => a.bound - b.bound);
  const total = buckets.at(-1);
  if (total?.bound !== Number.POSITIVE_INFINITY || buckets.length < 2) {
    return { ok: false, missing: 'bad-answer', detail: 'the histogram has no bucket le="+Inf" above another' };
  }
  if (!(total.count > 0)) return { ok: false, missing: 'no-data', detail: 'no requests within the window' };
  const rank = q * total.count;
  let below = { bound: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank && bucket.bound !== Number.POSITIVE_INFINITY) {
      const width = bucket.count - below.count;
      const share = width > 0 ? (rank - below.count) / width : 1;
      const from = Math.min(below.bound, bucket.bound);
      return { ok: true, value: (from + (bucket.bound - from) * share) * times, samples: total.count };
    }
    if (bucket.bound !== Number.POSITIVE_INFINITY) below = bucket;
  }
  return { ok: true, value: below.bound * times, samples: total.count };
}

function boundOf(le: string): number {
  return le === '+Inf' ? Number.POSITIVE_INFINITY : le === '' ? Number.NaN : Number(le);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
