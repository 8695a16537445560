/** A key or an index for each level, from the top of the file. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with the configuration: where, what was found, what was expected, what to do. Never a secret's value. */
export type Problem = {
  /** The file as it was named, or `environment`. */
  file: string;
  line: number | null;
  column: number | null;
  /** `stages[1].canary.share`, the name of an environment variable, or '' for a whole file. */
  path: string;
  found: string;
  expected: string;
  hint: string | null;
};

/** A problem before its place in the file is known. */
export type Issue = { path: Path; found: string; expected: string; hint: string | null };

/** `belay.yml:12:5 slack.mode: found "sockets", expected socket or http; did you mean socket?` */
export function problemText(problem: Problem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`;
  const subject = problem.path === '' ? place : `${place} ${problem.path}`;
  const hint = problem.hint === null ? '' : `; ${problem.hint}`;
  return visible(`${subject}: found ${problem.found}, expected ${problem.expected}${hint}`);
}

/** What could move a cursor or turn the line around is shown by its code instead. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16) ?? ''}}`);
}

export function pathText(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

const SHOWN = 60;

/** A value in a sentence: short, one line, quoted when it is text, without the credentials of a URL. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing (null)';
  if (typeof value === 'string') {
    const text = value.replace(/:\/\/[^/?#\s]*@/g, '://…@');
    return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
  }
  if (typeof value === 'number') return `the number ${value}`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  return String(value);
}

/** `a, b or c`. */
export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** "did you mean x?", or the known words, or that there are none. */
export function suggestion(near: string | null, known: readonly string[]): string {
  if (near !== null) return `did you mean ${near}?`;
  return known.length === 0 ? 'there are none yet' : `known: ${known.join(', ')}`;
}
