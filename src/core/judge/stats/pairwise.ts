import { at, type Sorted } from './sorted.ts';

/** Few enough to be sorted at once. */
const FEW = 48;
const GOLDEN = 0.618_033_988_749_895;

/**
 * The k-th smallest (from 1) of all differences canary − baseline, exactly, without making them all: a quickselect on the
 * matrix of differences, whose rows and columns are in order, so that one staircase walk counts what is below a pivot.
 * O((m + n)·log(mn)) where sorting is O(mn·log(mn)). After Monahan, "Fast computation of the Hodges-Lehmann location
 * estimator" (ACM Algorithm 616, 1984).
 */
export function kthDifference(baseline: Sorted, canary: Sorted, k: number): number {
  const rows = baseline.length;
  // Row i may still hold the answer in its columns low[i] to high[i] − 1.
  const low = new Int32Array(rows);
  const high = new Int32Array(rows).fill(canary.length);
  const below = new Int32Array(rows);
  const within = new Int32Array(rows);
  let remaining = rows * canary.length;
  let wanted = k;
  for (let round = 1; remaining > FEW; round += 1) {
    const pivot = candidate(baseline, canary, low, high, Math.floor(remaining * ((round * GOLDEN) % 1)));
    let [isLess, isAtMost, before] = [0, 0, 0];
    let [less, atMost] = [0, 0];
    for (let row = 0; row < rows; row += 1) {
      const from = at(baseline, row);
      while (less < canary.length && at(canary, less) - from < pivot) less += 1;
      if (atMost < less) atMost = less;
      while (atMost < canary.length && at(canary, atMost) - from <= pivot) atMost += 1;
      below[row] = less;
      within[row] = atMost;
      isLess += less;
      isAtMost += atMost;
    }
    if (k > isLess && k <= isAtMost) return pivot;
    remaining = 0;
    for (let row = 0; row < rows; row += 1) {
      if (k <= isLess) high[row] = Math.min(high[row] as number, below[row] as number);
      else low[row] = Math.max(low[row] as number, within[row] as number);
      remaining += Math.max(0, (high[row] as number) - (low[row] as number));
      before += low[row] as number;
    }
    wanted = k - before;
  }
  return at(collect(baseline, canary, low, high).sort(), wanted - 1);
}

/** The median of all differences canary − baseline. */
export function medianDifference(baseline: Sorted, canary: Sorted): number {
  const pairs = baseline.length * canary.length;
  const half = Math.ceil(pairs / 2);
  const lower = kthDifference(baseline, canary, half);
  if (pairs % 2 === 1) return lower;
  // The next one in order: the same again, or the smallest that is larger.
  let [isAtMost, atMost, next] = [0, 0, Number.POSITIVE_INFINITY];
  for (const from of baseline) {
    while (atMost < canary.length && at(canary, atMost) - from <= lower) atMost += 1;
    isAtMost += atMost;
    if (atMost < canary.length) next = Math.min(next, at(canary, atMost) - from);
  }
  return isAtMost > half ? lower : lower / 2 + next / 2;
}

/** The `index`-th candidate, row by row. A pivot that jumps about keeps the search short whatever the shape of the data. */
function candidate(baseline: Sorted, canary: Sorted, low: Int32Array, high: Int32Array, index: number): number {
  let left = index;
  for (let row = 0; row < baseline.length; row += 1) {
    const count = Math.max(0, (high[row] as number) - (low[row] as number));
    if (left < count) return at(canary, (low[row] as number) + left) - at(baseline, row);
    left -= count;
  }
  return 0;
}

function collect(baseline: Sorted, canary: Sorted, low: Int32Array, high: Int32Array): Float64Array {
  const found: number[] = [];
  for (let row = 0; row < baseline.length; row += 1) {
    for (let column = low[row] as number; column < (high[row] as number); column += 1) {
      found.push(at(canary, column) - at(baseline, row));
    }
  }
  return Float64Array.from(found);
}
