const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

/**
 * P(Z > z) of the standard normal distribution, to about 14 digits, in the far tail too (relative). Hart's approximation
 * 5666 with the continued fraction beyond 7.07, as given by West, "Better approximations to cumulative normal functions"
 * (2005).
 */
export function normalTail(z: number): number {
  const x = Math.abs(z);
  const tail = x > 37.5 ? 0 : x < 7.071_067_811_865_475 ? near(x) : far(x);
  return z < 0 ? 1 - tail : tail;
}

function near(x: number): number {
  const top =
    (((((3.526_249_659_989_11e-2 * x + 0.700_383_064_443_688) * x + 6.373_962_203_531_65) * x + 33.912_866_078_383) *
      x +
      112.079_291_497_871) *
      x +
      221.213_596_169_931) *
      x +
    220.206_867_912_376;
  const bottom =
    ((((((8.838_834_764_831_84e-2 * x + 1.755_667_163_182_64) * x + 16.064_177_579_207) * x + 86.780_732_202_946_1) *
      x +
      296.564_248_779_674) *
      x +
      637.333_633_378_831) *
      x +
      793.826_512_519_948) *
      x +
    440.413_735_824_752;
  return (Math.exp(-0.5 * x * x) * top) / bottom;
}

function far(x: number): number {
  const fraction = x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))));
  return Math.exp(-0.5 * x * x) / (fraction * ROOT_TWO_PI);
}

/**
 * The z that is exceeded with probability `share` (above 0, below 1): Abramowitz and Stegun 26.2.23 to three digits, then
 * Newton's method on `normalTail`, which doubles the digits each time.
 */
export function normalQuantile(share: number): number {
  if (share > 0.5) return -normalQuantile(1 - share);
  const t = Math.sqrt(-2 * Math.log(share));
  let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 3; step += 1) {
    z += (normalTail(z) - share) * Math.exp(0.5 * z * z) * ROOT_TWO_PI;
  }
  return z;
}
