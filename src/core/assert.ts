/** Fails the type check when a union gains a member that a switch forgot, and the process when one arrives anyway. */
export function assertNever(value: never, what: string): never {
  throw new Error(`${what} is not one that Belay knows: ${JSON.stringify(value)}`);
}

/** States a fact that must hold; a broken one is a bug in Belay and never an operator's mistake. */
export function assert(isTrue: boolean, fact: string): asserts isTrue {
  if (!isTrue) throw new Error(`This should hold but does not: ${fact}`);
}
