import type { Chart, ChartPoint } from '../core/chart.ts';
import { formatDuration } from '../core/duration.ts';
import { cleaned, isDrawable } from './cleaned.ts';
import { type Run, runsOf } from './runs.ts';
import {
  formatTicks,
  formatValue,
  isWithinReach,
  place,
  type Scale,
  timeTicks,
  valueRange,
  valueTicks,
} from './scale.ts';
import { round, shortened, text, widthOf } from './svg.ts';

/** In pixels of the layout. */
const WIDTH = 600;
const HEIGHT = 260;

const INK = '#1f2328';
const FAINT = '#59636e';
const GRID = '#e4e8ed';
const HARM = '#c9251a';
const TONES = {
  good: { ink: '#116329', ground: '#dafbe1' },
  bad: { ink: '#a40e26', ground: '#ffdcd7' },
  unclear: { ink: '#59430a', ground: '#fff1c2' },
};
/** Each line is told by its pattern as well: colours alone would not do. */
const LINES = {
  now: { stroke: '#0a58ca', width: 3, dash: '' },
  baseline: { stroke: '#6b5b95', width: 3, dash: '0.1 7' },
  limit: { stroke: HARM, width: 2.2, dash: '11 6' },
};
type Line = (typeof LINES)[keyof typeof LINES];

const TOP = 102;
const BOTTOM = 228;
const RIGHT = 582;
/** Where what is said above the plot stands. */
const NOTES = TOP - 8;
/** Between the step and the looks there may be this many times what was watched; beyond, the axis leaves it out. */
const FAR = 2;

/** Where everything is drawn. `left`: where the plot begins. */
type Plot = { x: Scale; y: Scale; left: number; firstMs: number };

/** The picture as SVG, `WIDTH` by `HEIGHT`. */
export function draw(chart: Chart): string {
  const now = cleaned(chart.now);
  const baseline = cleaned(chart.baseline);
  const values = [...now, ...baseline].flatMap((one) => (one.value === null ? [] : [one.value]));
  const limits = [chart.limit.min, chart.limit.max].filter(isDrawable);
  const range = valueRange(values, limits);
  const ticks = valueTicks(range.min, range.max);
  const labels = formatTicks(ticks);
  const left = 26 + Math.max(16, ...labels.map((label) => widthOf(label, 15)));
  const { firstMs, ...time } = timeRange(now.length > 0 ? now : baseline, chart.stepAtMs);
  const plot: Plot = {
    x: { ...time, from: left + 6, to: RIGHT - 6 },
    y: { min: range.min, max: range.max, from: BOTTOM, to: TOP },
    left,
    firstMs,
  };
  const digits = labels[0]?.split('.')[1]?.length ?? 0;
  const undrawn = limits.filter((limit) => !isWithinReach(values, limit));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="Inter" fill="${INK}">`,
    `<rect x="0.75" y="0.75" width="${WIDTH - 1.5}" height="${HEIGHT - 1.5}" rx="10" fill="#ffffff" stroke="#c9d1d9" stroke-width="1.5"/>`,
    ...heading(chart),
    ...legend([
      { line: LINES.now, label: valued(chart, chart.words.now, now, digits) },
      ...(baseline.length > 0
        ? [{ line: LINES.baseline, label: valued(chart, chart.words.baseline, baseline, digits) }]
        : []),
      ...(chart.words.limit === '' ? [] : [{ line: LINES.limit, label: limitLabel(chart, undrawn, range.max) }]),
    ]),
    ...ticks.map((tick, index) => gridLine(round(place(plot.y, tick)), tick === 0, labels[index] ?? '', left)),
    ...limits.flatMap((limit) => limitLine(limit, limit === chart.limit.max, plot)),
    ...stepLine(chart, plot),
    ...clipped(
      runsOf(baseline, plot.x).map((run) => path(run, plot, LINES.baseline)),
      plot,
    ),
    ...runsOf(now, plot.x).map((run) => path(run, plot, LINES.now)),
    ...newest(now, plot),
    ...timeAxis(chart.stepAtMs, plot),
    ...(range.isCut ? [text(chart.words.cut, { x: RIGHT, y: NOTES, size: 15, anchor: 'end', fill: FAINT })] : []),
    ...(values.length === 0
      ? [text(chart.words.missing, { x: (left + RIGHT) / 2, y: 178, size: 20, anchor: 'middle', fill: FAINT })]
      : []),
    '</svg>',
  ].join('\n');
}

/** What is watched, and the step when it is near: a step long before would leave the lines no room. */
function timeRange(points: ChartPoint[], stepAtMs: number): { min: number; max: number; firstMs: number } {
  const known = Number.isFinite(stepAtMs) ? stepAtMs : (points[0]?.atMs ?? 0);
  const firstMs = points[0]?.atMs ?? known;
  const lastMs = points.at(-1)?.atMs ?? known;
  const span = lastMs - firstMs;
  const isNear = span === 0 || (firstMs - known <= FAR * span && known - lastMs <= FAR * span);
  const min = isNear ? Math.min(firstMs, known) : firstMs;
  const max = isNear ? Math.max(lastMs, known) : lastMs;
  const margin = max === min ? 30_000 : (max - min) * 0.02;
  return { min: min - margin, max: max + margin, firstMs };
}

function isShown(atMs: number, x: Scale): boolean {
  return atMs >= x.min && atMs <= x.max;
}

function heading(chart: Chart): string[] {
  const { word, tone } = chart.verdict;
  const shown = shortened(word, 16);
  const width = widthOf(shown, 17, true) + 28;
  const x = WIDTH - 18 - width;
  const letters = Math.floor((x - 18 - 14) / widthOf('x', 22, true));
  return [
    text(shortened(chart.title, letters), { x: 18, y: 34, size: 22, isBold: true }),
    `<rect x="${round(x)}" y="13" width="${round(width)}" height="31" rx="15.5" fill="${TONES[tone].ground}"/>`,
    text(shown, { x: x + width / 2, y: 34.5, size: 17, isBold: true, anchor: 'middle', fill: TONES[tone].ink }),
  ];
}

function valued(chart: Chart, word: string, points: ChartPoint[], digits: number): string {
  const last = points.at(-1)?.value ?? null;
  const unit = shortened(chart.unit, 10);
  const value = last === null ? chart.words.missing : `${formatValue(last, digits)}${unit === '' ? '' : ` ${unit}`}`;
  return `${shortened(word, 20)} ${value}`;
}

/** A limit that is not drawn says on which side of the picture it lies. */
function limitLabel(chart: Chart, undrawn: number[], max: number): string {
  const arrow = undrawn.length === 0 ? '' : undrawn.some((limit) => limit > max) ? ' ↑' : ' ↓';
  return shortened(chart.words.limit, 34) + arrow;
}

/** Names every line beside its pattern. Long names are drawn smaller rather than over the edge. */
function legend(entries: { line: Line; label: string }[]): string[] {
  const widths = entries.map(({ label }) => 38 + widthOf(label, 17) + 20);
  const scale = Math.min(1, (WIDTH - 24) / widths.reduce((a, b) => a + b, 0));
  let x = 18;
  return entries.flatMap(({ line, label }, index) => {
    const at = x;
    x += (widths[index] ?? 0) * scale;
    return [
      `<path d="M${round(at)} 61h${round(30 * scale)}" ${styleOf(line)}/>`,
      text(label, { x: at + 38 * scale, y: 67, size: round(17 * scale) }),
    ];
  });
}

function gridLine(y: number, isZero: boolean, label: string, left: number): string {
  const stroke = isZero ? '#8c959f' : GRID;
  return `<path d="M${round(left)} ${y}H${RIGHT}" stroke="${stroke}" stroke-width="1.2"/>${text(label, { x: left - 8, y: y + 5, size: 15, anchor: 'end', fill: FAINT })}`;
}

/** The limit, and the side of it that is harm. */
function limitLine(limit: number, isMax: boolean, { y, left }: Plot): string[] {
  if (!isShown(limit, y)) return [];
  const at = round(place(y, limit));
  const [top, height] = isMax ? [TOP, at - TOP] : [at, BOTTOM - at];
  return [
    `<rect x="${round(left)}" y="${top}" width="${round(RIGHT - left)}" height="${round(Math.max(0, height))}" fill="${HARM}" fill-opacity="0.07"/>`,
    `<path d="M${round(left)} ${at}H${RIGHT}" ${styleOf(LINES.limit)}/>`,
  ];
}

function stepLine({ stepAtMs, words }: Chart, { x, firstMs }: Plot): string[] {
  const label = shortened(words.step, 20);
  if (isShown(stepAtMs, x)) {
    const at = round(place(x, stepAtMs));
    const half = widthOf(label, 15) / 2;
    const anchor = at - half < x.from - 8 ? 'start' : at + half > RIGHT ? 'end' : 'middle';
    const nudge = { start: -5, middle: 0, end: 5 }[anchor];
    return [
      `<path d="M${at} ${TOP - 4}V${BOTTOM + 5}" stroke="${INK}" stroke-width="1.6"/>`,
      text(label, { x: at + nudge, y: NOTES, size: 15, anchor }),
    ];
  }
  if (!Number.isFinite(stepAtMs)) return [];
  if (stepAtMs > firstMs) return [text(`${label} →`, { x: x.to, y: NOTES, size: 15, anchor: 'end', fill: FAINT })];
  const apart = formatDuration(firstMs - stepAtMs);
  return [text(`← ${label} ${apart} ${shortened(words.earlier, 30)}`, { x: x.from, y: NOTES, size: 15, fill: FAINT })];
}

function styleOf({ stroke, width, dash }: Line): string {
  const pattern = dash === '' ? '' : ` stroke-dasharray="${dash}"`;
  const cap = dash.startsWith('11') ? 'butt' : 'round';
  return `fill="none" stroke="${stroke}" stroke-width="${width}"${pattern} stroke-linejoin="round" stroke-linecap="${cap}"`;
}

function path(run: Run, { x, y }: Plot, line: Line): string {
  const points = run.map((one) => `${round(place(x, one.atMs))} ${round(place(y, one.value))}`);
  // A single point between two gaps is a dot: a round end of a line of almost no length.
  return points.length === 1
    ? `<path d="M${points[0]}h0.1" ${styleOf({ ...line, width: 7, dash: '' })}/>`
    : `<path d="M${points.join('L')}" ${styleOf(line)}/>`;
}

/** Not beside the plot: what was measured before the step may lie before all that is shown. */
function clipped(lines: string[], { left }: Plot): string[] {
  if (lines.length === 0) return [];
  const area = `x="${round(left)}" y="${TOP - 4}" width="${round(RIGHT - left)}" height="${BOTTOM - TOP + 8}"`;
  return [`<clipPath id="plot"><rect ${area}/></clipPath>`, `<g clip-path="url(#plot)">${lines.join('')}</g>`];
}

function newest(points: ChartPoint[], { x, y }: Plot): string[] {
  const last = points.at(-1);
  if (!last || last.value === null) return [];
  const centre = `cx="${round(place(x, last.atMs))}" cy="${round(place(y, last.value))}"`;
  return [`<circle ${centre} r="5.5" fill="${LINES.now.stroke}" stroke="#ffffff" stroke-width="2"/>`];
}

/** Counts from the step, or from the first look when the step is not in the picture. */
function timeAxis(stepAtMs: number, { x, left, firstMs }: Plot): string[] {
  const zeroMs = isShown(stepAtMs, x) ? stepAtMs : firstMs;
  const ticks = timeTicks(x.min, x.max, zeroMs, Math.floor((RIGHT - left) / 95));
  return ticks.map(({ atMs, label }) => {
    const at = round(place(x, atMs));
    const labelAt = Math.min(at, WIDTH - 12 - widthOf(label, 15) / 2);
    return `<path d="M${at} ${BOTTOM}v5" stroke="${FAINT}" stroke-width="1.2"/>${text(label, { x: labelAt, y: BOTTOM + 22, size: 15, anchor: 'middle', fill: FAINT })}`;
  });
}
