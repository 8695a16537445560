/** One judged signal's part in the score. Signals that could not be measured have none. */
export type Part = { group: string | null; weight: number; isGood: boolean };

/**
 * The score of a step, 0 to 100: each group scores the good share of its judged weight, and counts with the group's own
 * weight. What is in no group, or in one without a weight, is scored all the same: such groups share what the weights leave
 * of 100, or, when they leave nothing, weigh as much as a named one does on average. Groups of which nothing was judged
 * leave their weight to the others, in proportion. null: nothing was judged.
 */
export function scoreOf(parts: readonly Part[], weights: Readonly<Record<string, number>>): number | null {
  const groups = new Map<string | null, { good: number; judged: number }>();
  for (const { group, weight, isGood } of parts) {
    const sums = groups.get(group) ?? { good: 0, judged: 0 };
    groups.set(group, { good: sums.good + (isGood ? weight : 0), judged: sums.judged + weight });
  }
  const present = [...groups].filter(([, { judged }]) => judged > 0);
  const unnamed = present.filter(([group]) => weightOf(group, weights) === null).length;
  const share = shareOfUnnamed(Object.values(weights), unnamed);
  let [score, total] = [0, 0];
  for (const [group, { good, judged }] of present) {
    const weight = weightOf(group, weights) ?? share;
    score += (weight * good) / judged;
    total += weight;
  }
  return total > 0 ? (100 * score) / total : null;
}

function weightOf(group: string | null, weights: Readonly<Record<string, number>>): number | null {
  // A group may be called `constructor`.
  return group !== null && Object.hasOwn(weights, group) ? (weights[group] ?? null) : null;
}

function shareOfUnnamed(named: readonly number[], unnamed: number): number {
  const given = named.reduce((sum, weight) => sum + weight, 0);
  return given < 100 ? (100 - given) / Math.max(1, unnamed) : given / named.length;
}
