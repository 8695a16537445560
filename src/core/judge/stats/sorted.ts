/** Numbers in ascending order. Sorting once is what keeps every test below linear. */
export type Sorted = Float64Array;

/** A sorted copy; the input is left alone. A negative zero, which JSON does not know, becomes zero. */
export function sorted(values: readonly number[]): Sorted {
  return Float64Array.from(values, (value) => value + 0).sort();
}

/** The value at a position that the caller knows to be inside. */
export function at(values: Float64Array, index: number): number {
  return values[index] as number;
}

export function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
