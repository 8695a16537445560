import { readFile } from 'node:fs/promises';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import type { Chart } from '../core/chart.ts';
import { draw } from './draw.ts';
import { encodePng } from './png.ts';

const WASM = import.meta.resolve('@resvg/resvg-wasm/index_bg.wasm');
/** Brought along: a host, or a container, may have no fonts at all. */
const FONTS = [
  import.meta.resolve('@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf'),
  import.meta.resolve('@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf'),
];

/** So many pixels for each of the layout: screens are read at arm's length. */
const ZOOM = 1.5;

let fonts: Promise<Uint8Array[]> | null = null;

/** Once for each process; after a failure it is tried again. */
function ready(): Promise<Uint8Array[]> {
  fonts ??= load().catch((error: unknown) => {
    fonts = null;
    throw error;
  });
  return fonts;
}

async function load(): Promise<Uint8Array[]> {
  const read = (url: string) => readFile(new URL(url));
  const [wasm, ...fontFiles] = await Promise.all([WASM, ...FONTS].map(read));
  if (wasm) await initWasm(wasm);
  return fontFiles;
}

/**
 * The chart as a PNG of 900 by 390 pixels, the same on every machine: no browser, no system fonts, no native code. A
 * few tens of milliseconds on the processor. Rejects when the renderer itself fails.
 */
export async function renderChart(chart: Chart): Promise<Uint8Array> {
  const fontBuffers = await ready();
  const image = new Resvg(draw(chart), {
    font: { fontBuffers, defaultFontFamily: 'Inter', sansSerifFamily: 'Inter' },
    // Opaque, also outside the rounded corners: what lies behind the picture is not known.
    background: '#ffffff',
    fitTo: { mode: 'zoom', value: ZOOM },
  });
  try {
    const rendered = image.render();
    try {
      return encodePng(rendered.pixels, rendered.width, rendered.height);
    } finally {
      rendered.free();
    }
  } finally {
    image.free();
  }
}
