import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { draw } from '../../src/chart/draw.ts';
import { renderChart } from '../../src/chart/render.ts';
import { aChart, points, STEP_MS, seen } from './picture.ts';

const BLUE = '#0a58ca';
const RED = '#c9251a';
const VIOLET = '#6b5b95';
const paths = (svg: string, stroke: string) =>
  [...svg.matchAll(new RegExp(`<path d="([^"]+)" fill="none" stroke="${stroke}"`, 'g'))]
    .map((one) => one[1] ?? '')
    // The samples beside the names.
    .filter((d) => !/^M[\d.]+ 61h/.test(d));
const words = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((one) => one[1] ?? '');
const hostile = JSON.parse(readFileSync(new URL('../hostile-inputs.json', import.meta.url), 'utf8')) as unknown;
const strings = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : value !== null && typeof value === 'object'
      ? Object.values(value).flatMap(strings)
      : [];

describe('H5 the picture of a signal', () => {
  it('is a small PNG that is read on a phone', async () => {
    const png = await renderChart(aChart());
    const { width, height, isWhole } = seen(png);
    expect([width, height, isWhole]).toEqual([900, 390, true]);
    expect(png.length).toBeLessThan(40_000);
  });

  it('shows both lines, the limit, and words that the machine has no font for', async () => {
    const all = seen(await renderChart(aChart()));
    expect(all.count(BLUE)).toBeGreaterThan(800);
    expect(all.count(RED)).toBeGreaterThan(400);
    expect(all.count(VIOLET)).toBeGreaterThan(100);
    const mute = seen(await renderChart(aChart({ title: '' })));
    expect(all.count('#1f2328') - mute.count('#1f2328')).toBeGreaterThan(200);
  });

  it('is the same picture each time', async () => {
    expect(Buffer.from(await renderChart(aChart())).equals(await renderChart(aChart()))).toBe(true);
  });

  it('says in words what the lines say in colours: values with unit, limit, step and verdict', () => {
    const said = words(draw(aChart()));
    for (const one of ['errors', 'degraded', 'now 1.4 %', 'before 0.3 %', 'limit ≤ 1 %', 'deployed']) {
      expect(said).toContain(one);
    }
  });

  it('tells the lines apart by their patterns, too', () => {
    const svg = draw(aChart());
    expect(svg).toMatch(new RegExp(`stroke="${RED}"[^>]* stroke-dasharray="11 6"`));
    expect(svg).toMatch(new RegExp(`stroke="${VIOLET}"[^>]* stroke-dasharray="0.1 7"`));
    expect(svg).not.toMatch(new RegExp(`stroke="${BLUE}"[^>]* stroke-dasharray`));
  });
});

describe('T9 it is honest', () => {
  it('draws nothing beside the plot of what was measured long before the looks', async () => {
    const baseline = [-5000, 1000, 2000].map((ms) => ({ atMs: STEP_MS + ms, value: 9 }));
    const now = points([18.7, 19.4], 1000);
    const png = seen(await renderChart(aChart({ stepAtMs: STEP_MS - 5000, now, baseline, limit: {} })));
    const violet = Array.from({ length: 200 }, (_, row) => 150 + row).flatMap((y) =>
      Array.from({ length: png.width }, (_, x) => x).filter((x) => png.colour(x, y) === VIOLET),
    );
    expect(violet.length).toBeGreaterThan(100);
    expect(Math.min(...violet)).toBeGreaterThanOrEqual(60);
  });

  it('the axis begins at 0, below 0, or says that it does not', () => {
    const note = 'the axis does not begin at 0';
    expect(words(draw(aChart()))).toContain('0.0');
    expect(words(draw(aChart()))).not.toContain(note);
    const close = draw(aChart({ now: points([99.91, 99.95, 99.93]), baseline: [], limit: { min: 99.9 } }));
    expect(words(close)).toContain(note);
    expect(words(close)).toContain('now 99.93 %');
    expect(words(draw(aChart({ now: points([-4, -2]), baseline: [], limit: {} })))).toContain('0');
  });

  it('where nothing was measured, or nobody looked, the line has a gap', () => {
    const gap = draw(aChart({ now: points([1, 1, null, 1, 1]), baseline: [] }));
    expect(paths(gap, BLUE)).toHaveLength(2);
    const early = points([1, 1, 1]);
    const late = early.map((one) => ({ ...one, atMs: one.atMs + 3_600_000 }));
    expect(paths(draw(aChart({ now: [...early, ...late], baseline: [] })), BLUE)).toHaveLength(2);
    expect(paths(draw(aChart({ now: early, baseline: [] })), BLUE)).toHaveLength(1);
  });

  it('the newest value is not measured when the newest look was blind', () => {
    const said = words(draw(aChart({ now: points([1, 1, null]) })));
    expect(said).toContain('now not measured');
  });

  it('a limit that would flatten the lines is said with its side, and not drawn', () => {
    const svg = draw(aChart({ limit: { max: 5000 } }));
    expect(words(svg)).toContain('limit ≤ 1 % ↑');
    expect(paths(svg, RED)).toEqual([]);
    expect(words(draw(aChart({ limit: { max: 2 } })))).toContain('limit ≤ 1 %');
  });

  it('a step long before the first look is said and not squeezed in', () => {
    const said = words(draw(aChart({ stepAtMs: STEP_MS - 7_200_000 })));
    expect(said).toContain('← deployed 2 h before the first look');
  });

  it('no peak is lost among ten thousand points, and the picture stays small', async () => {
    const many = points(
      Array.from({ length: 10_000 }, (_, index) => (index === 7000 ? 900 : 100 + (index % 7))),
      1000,
    );
    const svg = draw(aChart({ now: many, baseline: many, limit: {} }));
    const [d = ''] = paths(svg, BLUE);
    expect(d.split('L').length).toBeLessThan(1300);
    expect(Math.min(...d.split('L').map((one) => Number(one.split(' ')[1])))).toBeLessThan(120);
    expect((await renderChart(aChart({ now: many, baseline: many, limit: {} }))).length).toBeLessThan(40_000);
  });
});

describe('T20 whatever comes from outside', () => {
  it('is text and nothing else, or a box where the font has no sign for it', async () => {
    const title = '<script>"&\'\u202e\u0000 日本 🚀 Ошибки';
    const svg = draw(aChart({ title, unit: '</svg>', verdict: { word: '<a>', tone: 'bad' } }));
    expect(svg).toContain('&lt;script&gt;&quot;&amp;&apos; □□ □ Ошибки');
    expect(svg.match(/<script|<a>|<\/svg>/g)).toEqual(['</svg>']);
  });

  it('never breaks the picture', { timeout: 120_000 }, async () => {
    const all = strings(hostile).slice(0, 60);
    expect(all.length).toBeGreaterThan(20);
    for (const one of all) {
      const chart = aChart({ title: one, unit: one, verdict: { word: one, tone: 'bad' } });
      const named = { ...chart.words, now: one, baseline: one, limit: one, step: one, earlier: one };
      expect(seen(await renderChart({ ...chart, words: named })).isWhole).toBe(true);
    }
  });

  it.each([
    ['no points', []],
    ['one point', [1]],
    ['the same value always', [2, 2, 2]],
    ['nothing but zeros', [0, 0]],
    ['not a number', [Number.NaN, Number.POSITIVE_INFINITY]],
    ['what could never be measured', [null, null]],
    ['negative values', [-5, -1, 3]],
    ['a million millions', [1e12, 2e12]],
    ['the largest numbers', [Number.MAX_VALUE, -Number.MAX_VALUE]],
    ['the smallest', [Number.MIN_VALUE, 1e-300]],
  ])('%s: is a picture, without a NaN in it', async (_, values) => {
    for (const limit of [{}, { min: -1e300 }, { max: Number.NaN }, { min: 0, max: 0 }]) {
      for (const stepAtMs of [STEP_MS, 0, Number.NaN, 9e15]) {
        const svg = draw(aChart({ now: points(values), baseline: points(values), limit, stepAtMs }));
        expect(svg.match(/NaN|Infinity|undefined/)).toBeNull();
      }
    }
    expect(seen(await renderChart(aChart({ now: points(values), baseline: [] }))).isWhole).toBe(true);
  });
});
