import { logGamma } from './gamma.ts';

/**
 * The regularised incomplete beta function I_x(a, b), for 0 ≤ x ≤ 1 and positive a, b: the continued fraction DLMF 8.17.22
 * by Lentz's method, on the side of the mean where it converges quickly (I_x(a, b) = 1 − I_{1−x}(b, a)).
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const isQuick = x < (a + 1) / (a + b + 2);
  return isQuick ? fromBelow(x, 1 - x, a, b) : 1 - fromBelow(1 - x, x, b, a);
}

/** P(F > f) of the F distribution with `top` and `bottom` degrees of freedom (Abramowitz and Stegun 26.6.2). */
export function fTail(f: number, top: number, bottom: number): number {
  if (!(f > 0)) return 1;
  if (f === Number.POSITIVE_INFINITY) return 0;
  return incompleteBeta(bottom / (bottom + top * f), bottom / 2, top / 2);
}

const MOST_TERMS = 500;
const TINY = 1e-300;

function fromBelow(x: number, rest: number, a: number, b: number): number {
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(rest)) / a;
  let fraction = 1;
  let numerator = 1;
  let denominator = 0;
  for (let term = 0; term < MOST_TERMS; term += 1) {
    const m = term >> 1;
    const step =
      term === 0
        ? 1
        : term % 2 === 0
          ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
          : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / apart(1 + step * denominator);
    numerator = apart(1 + step / numerator);
    const change = numerator * denominator;
    fraction *= change;
    if (Math.abs(1 - change) < 1e-15) break;
  }
  return front * (fraction - 1);
}

/** Never quite zero, so that the next step can divide by it. */
function apart(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
