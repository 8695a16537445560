export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * The same value always gives the same text: keys sorted, `undefined` members left out. What is hashed (plans,
 * policies, audit rows) goes through here, so that two machines agree on the hash.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonical(one ?? null)).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}
