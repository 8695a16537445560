/**
 * p values adjusted for having been looked at together, in the order of the input: whoever takes those at or below α is
 * wrong, in expectation, in at most a share α of what was taken; and where nothing differs at all, raises a false alarm with
 * probability α at most. Benjamini and Hochberg, "Controlling the false discovery rate" (1995); R: `p.adjust(method = "BH")`.
 */
export function benjaminiHochberg(ps: readonly number[]): number[] {
  const order = ps.map((p, index) => ({ p, index })).sort((a, b) => b.p - a.p);
  const adjusted = ps.map(() => 1);
  let least = 1;
  order.forEach(({ p, index }, position) => {
    least = Math.min(least, (p * ps.length) / (ps.length - position));
    adjusted[index] = least;
  });
  return adjusted;
}
