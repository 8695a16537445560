const ESCAPES = new RegExp(`${String.fromCharCode(27)}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${String.fromCharCode(7)}]*)`, 'g');

/** Text from outside, inert: one line, no control characters or colours, the last `longest` characters of it. */
export function lastOf(text: string, longest: number): string {
  const line = text
    .replace(ESCAPES, '')
    .replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ')
    .trim();
  return line.length > longest ? `…${line.slice(1 - longest)}`.toWellFormed() : line.toWellFormed();
}
