import { stirlingError } from './gamma.ts';

/** `drawn` out of `marked + unmarked`, without putting back: how many marked ones are among them? */
export type Urn = { marked: number; unmarked: number; drawn: number };

/**
 * P(X ≥ x) and P(X ≤ x) of the hypergeometric distribution, both with x itself. One term is found by Loader's saddle-point
 * form ("Fast and accurate computation of binomial probabilities", 2000; R's `dhyper`), which keeps its digits at 1e9
 * counts; the others follow by ratios, outwards, until they no longer matter.
 */
export function hypergeometricTails(x: number, urn: Urn): { atLeast: number; atMost: number } {
  const { marked, unmarked, drawn } = urn;
  const probability = Math.exp(logProbability(x, urn));
  const isAbove = x * (marked + unmarked) > drawn * marked;
  let [term, beyond] = [probability, 0];
  for (let at = x; term > beyond * 1e-17; at += isAbove ? 1 : -1) {
    const up = (marked - at) * (drawn - at);
    const down = at * (unmarked - drawn + at);
    term *= isAbove ? up / ((at + 1) * (unmarked - drawn + at + 1)) : down / ((marked - at + 1) * (drawn - at + 1));
    if (!(term > 0)) break;
    beyond += term;
  }
  const near = Math.min(1, beyond + probability);
  const far = Math.max(0, 1 - beyond);
  return isAbove ? { atLeast: near, atMost: far } : { atLeast: far, atMost: near };
}

function logProbability(x: number, { marked, unmarked, drawn }: Urn): number {
  const share = drawn / (marked + unmarked);
  const rest = (marked + unmarked - drawn) / (marked + unmarked);
  return (
    logBinomial(x, marked, share, rest) +
    logBinomial(drawn - x, unmarked, share, rest) -
    logBinomial(drawn, marked + unmarked, share, rest)
  );
}

/** log of the probability of x out of n, each with `share`; `rest` is 1 − share, given so that no digit is lost. */
function logBinomial(x: number, n: number, share: number, rest: number): number {
  if (x < 0 || x > n) return Number.NEGATIVE_INFINITY;
  if (n === 0) return 0;
  if (x === 0) return rest < 0.5 ? n * Math.log(rest) : n * Math.log1p(-share);
  if (x === n) return share < 0.5 ? n * Math.log(share) : n * Math.log1p(-rest);
  const saddle = stirlingError(n) - stirlingError(x) - stirlingError(n - x);
  const scale = Math.log(2 * Math.PI) + Math.log(x) + Math.log1p(-x / n);
  return saddle - deviance(x, n * share) - deviance(n - x, n * rest) - scale / 2;
}

/** x·log(x/m) + m − x, without the cancellation near x = m (Loader's bd0). */
function deviance(x: number, m: number): number {
  if (Math.abs(x - m) >= 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
  const v = (x - m) / (x + m);
  let sum = (x - m) * v;
  let power = 2 * x * v;
  for (let odd = 3; odd < 2000; odd += 2) {
    power *= v * v;
    const next = sum + power / odd;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}
