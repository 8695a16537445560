/** Where text stands, and how. In pixels of the layout. */
export type Placed = {
  x: number;
  y: number;
  size: number;
  isBold?: boolean;
  anchor?: 'start' | 'middle' | 'end';
  fill?: string;
};

/** One line of text, which is nothing but text however hostile its words are. */
export function text(words: string, at: Placed): string {
  const weight = at.isBold ? ' font-weight="600"' : '';
  const fill = at.fill ? ` fill="${at.fill}"` : '';
  return `<text x="${round(at.x)}" y="${round(at.y)}" font-size="${at.size}"${weight} text-anchor="${at.anchor ?? 'start'}"${fill}>${escaped(words)}</text>`;
}

/** What the font has no signs for. */
const UNKNOWN =
  /\p{Extended_Pictographic}|[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]/gu;

/** At most `max` characters. What XML cannot carry, or nobody can see, becomes a space; what cannot be drawn, a box. */
export function shortened(words: string, max: number): string {
  const line = words
    .slice(0, 4 * max)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .replace(UNKNOWN, '□')
    .trim();
  const points = [...line];
  return points.length <= max ? line : `${points.slice(0, max - 1).join('')}…`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

function escaped(words: string): string {
  return words.replace(/[&<>"']/g, (one) => ENTITIES[one] ?? '');
}

/** About how wide text in Inter is: its letters are half as wide as they are high, some more, some less. */
export function widthOf(words: string, size: number, isBold = false): number {
  return [...words].length * size * (isBold ? 0.57 : 0.52);
}

/** A tenth of a pixel is as much as can be seen, and keeps the text of a long line short. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
