const HALF_LOG_TWO_PI = 0.918_938_533_204_672_7;

/**
 * What Stirling's formula leaves out of log(x!), for any x above 0: the series 1/12x − 1/360x³ + … (Abramowitz and Stegun
 * 6.1.41), reached from small x by δ(x) = δ(x + 1) + (x + ½)·log(1 + 1/x) − 1. About 15 digits.
 */
export function stirlingError(x: number): number {
  let error = 0;
  let n = x;
  for (; n < 16; n += 1) error += (n + 0.5) * Math.log1p(1 / n) - 1;
  const square = 1 / (n * n);
  return error + (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / n;
}

/** log Γ(x) for x above 0. */
export function logGamma(x: number): number {
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + stirlingError(x);
}
