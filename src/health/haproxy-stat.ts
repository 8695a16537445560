/** One line of HAProxy's statistics: its columns by name. */
export type StatLine = ReadonlyMap<string, string>;

export type ParsedStat = { ok: true; lines: StatLine[] } | { ok: false; detail: string };

/**
 * Reads the CSV of `show stat` and of the stats page, strictly: a line that has not as many columns as the head, or an
 * answer that ends in the middle of one, refuses all, since half of the servers count wrongly.
 */
export function parseStat(text: string): ParsedStat {
  if (!text.endsWith('\n')) return { ok: false, detail: 'the statistics end in the middle of a line' };
  const [head = '', ...rest] = text.split('\n').filter((line) => line !== '');
  if (!head.startsWith('# pxname,svname,'))
    return { ok: false, detail: `not HAProxy's statistics: ${head.slice(0, 60)}` };
  const names = columnsOf(head.slice(2)) ?? [];
  const lines: StatLine[] = [];
  for (const [index, line] of rest.entries()) {
    const columns = columnsOf(line);
    if (columns?.length !== names.length)
      return { ok: false, detail: `line ${index + 2} is not one of the statistics` };
    lines.push(new Map(names.map((name, at) => [name, columns[at] ?? ''])));
  }
  return { ok: true, lines };
}

const COLUMN = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;

/** null: a quote that does not end, or something behind it. */
function columnsOf(line: string): string[] | null {
  const columns: string[] = [];
  COLUMN.lastIndex = 0;
  for (;;) {
    const match = COLUMN.exec(line);
    if (match === null) return null;
    const [, quoted, bare = '', end] = match;
    columns.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end === '') return columns;
  }
}

/** A counter or gauge of a line; null: it is not there, or no whole number. */
export function countOf(line: StatLine, name: string): number | null {
  const text = line.get(name) ?? '';
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
