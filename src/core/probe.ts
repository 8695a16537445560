/** What the answer to one HTTP request must be to pass. */
export type Expected = {
  status: number;
  contains?: string | undefined;
  /** A member of the JSON body, dots go deeper, and its value. */
  json?: { field: string; equals: string | number | boolean } | undefined;
};

/** The first part of an answer that is not as expected; null: it passes. */
export function missedBy(expected: Expected, answer: { status: number; text: string }): keyof Expected | null {
  if (answer.status !== expected.status) return 'status';
  if (expected.contains !== undefined && !answer.text.includes(expected.contains)) return 'contains';
  if (expected.json && memberOf(answer.text, expected.json.field) !== expected.json.equals) return 'json';
  return null;
}

function memberOf(text: string, field: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const key of field.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
