import { mulberry32 } from '../../src/core/random.ts';

/** A small seeded generator: the same seed is the same run on every machine. */
export function seeded(seed: number) {
  const next = mulberry32(seed);
  return {
    next,
    chance: (share: number): boolean => next() < share,
    int: (below: number): number => Math.floor(next() * below),
    pick: <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T,
  };
}

export type Random = ReturnType<typeof seeded>;
