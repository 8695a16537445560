/**
 * How the rank sum of `chosen` of the ranked values is distributed when every choice is equally likely: the exact
 * permutation distribution, ties included (Streitberg and Röhmel, "Exact distributions for permutation and rank tests",
 * 1986). Answers P(sum = s) by s. Ranks are whole: those of ties are given doubled, and then all are.
 *
 * The work grows with the fourth power of the number of values: it is meant for twenty or so.
 */
export function rankSumDistribution(ranks: readonly number[], chosen: number): Float64Array {
  const width = ranks.reduce((sum, rank) => sum + rank, 1);
  const ways = new Float64Array((chosen + 1) * width);
  ways[0] = 1;
  let seen = 0;
  let reached = 0;
  for (const rank of ranks) {
    seen += 1;
    reached += rank;
    // Downwards, so that no value is chosen twice.
    for (let count = Math.min(chosen, seen); count > 0; count -= 1) {
      const to = count * width;
      const from = to - width - rank;
      for (let sum = rank; sum <= reached; sum += 1) {
        ways[to + sum] = (ways[to + sum] as number) + (ways[from + sum] as number);
      }
    }
  }
  const last = ways.subarray(chosen * width);
  const all = last.reduce((sum, count) => sum + count, 0);
  return last.map((count) => count / all);
}
