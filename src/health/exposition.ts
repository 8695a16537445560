/** One line of a Prometheus text page. */
export type Sample = { name: string; labels: ReadonlyMap<string, string>; value: number };

/** What a page says: its samples by metric name, and the metrics that it declares even when they have no sample yet. */
export type Page = { samples: ReadonlyMap<string, Sample[]>; declared: ReadonlySet<string> };

export type ParsedPage = { ok: true; page: Page } | { ok: false; detail: string };

const MAX_SAMPLES = 50_000;
const MAX_LINE = 8_192;

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\[\\"n])*)"\s*(,|(?=\}))/y;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['NaN', Number.NaN],
  ['Inf', Number.POSITIVE_INFINITY],
  ['+Inf', Number.POSITIVE_INFINITY],
  ['-Inf', Number.NEGATIVE_INFINITY],
]);

/**
 * Reads the Prometheus text format 0.0.4, strictly and in one pass: a line that is not understood, a page that ends in
 * the middle of a line, or one that is too large refuses the whole page, since half a page counts wrongly.
 */
export function parsePage(text: string): ParsedPage {
  if (text !== '' && !text.endsWith('\n')) return { ok: false, detail: 'the page ends in the middle of a line' };
  const samples = new Map<string, Sample[]>();
  const declared = new Set<string>();
  let count = 0;
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    if (line.trim() === '') continue;
    if (line.length > MAX_LINE) return { ok: false, detail: `line ${number} is longer than ${MAX_LINE} characters` };
    if (line.startsWith('#')) {
      const [, word, name] = line.split(/\s+/, 3);
      if (word === 'TYPE' && name) declared.add(name);
      continue;
    }
    const sample = parseLine(line);
    if (sample === null) return { ok: false, detail: `line ${number} is not Prometheus text: ${line.slice(0, 60)}` };
    count += 1;
    if (count > MAX_SAMPLES) return { ok: false, detail: `the page has more than ${MAX_SAMPLES} samples` };
    const others = samples.get(sample.name);
    if (others) others.push(sample);
    else samples.set(sample.name, [sample]);
  }
  return { ok: true, page: { samples, declared } };
}

function parseLine(line: string): Sample | null {
  NAME.lastIndex = 0;
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return null;
  let at = name.length;
  const labels = new Map<string, string>();
  if (line[at] === '{') {
    at += 1;
    while (line[at] !== '}') {
      LABEL.lastIndex = at;
      const match = LABEL.exec(line);
      if (match === null) return null;
      const [, label = '', value = ''] = match;
      if (labels.has(label)) return null;
      labels.set(label, unquote(value));
      at = LABEL.lastIndex;
    }
    at += 1;
  }
  const [value = '', timestamp, ...more] = line.slice(at).trim().split(/\s+/);
  if (more.length > 0 || (timestamp !== undefined && !/^-?\d+$/.test(timestamp))) return null;
  const parsed = NUMBER.test(value) ? Number(value) : SPECIAL.get(value);
  return parsed === undefined ? null : { name, labels, value: parsed };
}

function unquote(value: string): string {
  return value.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}
