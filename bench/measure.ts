/** One measured thing beside its yardstick. Figures of one line were taken in the same run, on the same machine. */
export type Line = {
  what: string;
  /** What Belay did, with its unit. */
  belay: string;
  /** What it is compared with, measured or quoted, with its unit. */
  beside: string;
  /** Belay over its yardstick, where both are measured. */
  ratio: number | null;
  goal: string;
  /** null: no goal was set. */
  isMet: boolean | null;
  /** What a reader has to know to believe the figures. */
  notes: string[];
};

/** How much is done: the full size says something, the quick one shows that the benchmark works. */
export type Size = { isQuick: boolean; rounds: number };

export type Benchmark = { name: string; run: (size: Size) => Promise<Line[]> };

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

/** The value that `share` of the others do not exceed (nearest rank). Throws for none: zero values have no median. */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('There is no percentile of no values');
  return value;
}

export type Contest = {
  /** The median of each contestant, in the order in which they were given. */
  medians: number[];
  /** The median of one's figure over the other's in the same round: a busy minute hits both. */
  ratio(one: number, other: number): number;
};

/**
 * Runs the contestants in turn, A B A B, so that whatever else the machine does meanwhile hits all of them. Each answers
 * one figure a round. The first round warms up and does not count.
 */
export async function interleaved(rounds: number, contestants: (() => Promise<number>)[]): Promise<Contest> {
  const figures: number[][] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const one: number[] = [];
    for (const contestant of contestants) one.push(await contestant());
    if (round > 0) figures.push(one);
  }
  const of = (contestant: number) => figures.map((round) => round[contestant] ?? Number.NaN);
  return {
    medians: contestants.map((_, contestant) => median(of(contestant))),
    ratio: (one, other) => median(figures.map((round) => (round[one] ?? Number.NaN) / (round[other] ?? Number.NaN))),
  };
}

export function perSecond(count: number, ms: number): number {
  return (count / ms) * 1000;
}

export const show = {
  rate: (value: number) => `${Math.round(value).toLocaleString('en')}/s`,
  ms: (value: number) => (value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value).toLocaleString('en')} ms`),
  ratio: (value: number) => value.toFixed(2),
};
