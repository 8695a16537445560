import { inflateSync } from 'node:zlib';
import type { Chart, ChartPoint } from '../../src/core/chart.ts';

export const STEP_MS = 1_700_000_000_000;
const EVERY_MS = 30_000;

/** One point every half a minute after the step. */
export function points(values: (number | null)[], everyMs = EVERY_MS): ChartPoint[] {
  return values.map((value, index) => ({ atMs: STEP_MS + (index + 1) * everyMs, value }));
}

/** A signal that went bad: errors that rose above 1 %. */
export function aChart(over: Partial<Chart> = {}): Chart {
  return {
    title: 'errors',
    unit: '%',
    now: points([0.31, 0.27, 0.33, 0.29, null, null, 0.42, 0.55, 0.61, 0.78, 0.9, 1.12, 1.4]),
    baseline: points([0.3, 0.31, 0.28, 0.3, 0.29, 0.3, 0.31, 0.3, 0.28, 0.3, 0.32, 0.29, 0.3]),
    limit: { max: 1 },
    stepAtMs: STEP_MS,
    verdict: { word: 'degraded', tone: 'bad' },
    words: {
      now: 'now',
      baseline: 'before',
      limit: 'limit ≤ 1 %',
      step: 'deployed',
      earlier: 'before the first look',
      missing: 'not measured',
      cut: 'the axis does not begin at 0',
    },
    ...over,
  };
}

/** What a viewer of the PNG sees: its size, and the colour at a place as `#rrggbb`. Throws when it is no PNG of ours. */
export function seen(png: Uint8Array) {
  const bytes = Buffer.from(png);
  if (bytes.subarray(0, 8).toString('latin1') !== '\x89PNG\r\n\x1a\n') throw new Error('This is no PNG.');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    chunks.set(bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const header = chunks.get('IHDR') ?? Buffer.alloc(13);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const rows = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0));
  const colour = (x: number, y: number) => {
    const at = y * (3 * width + 1) + 1 + 3 * x;
    return `#${rows.toString('hex', at, at + 3)}`;
  };
  /** How many pixels have this colour. */
  const count = (wanted: string) => {
    let sum = 0;
    for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) sum += colour(x, y) === wanted ? 1 : 0;
    return sum;
  };
  return { width, height, isWhole: chunks.has('IEND') && rows.length === height * (3 * width + 1), colour, count };
}
