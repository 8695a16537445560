import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** A Chromium that is installed on this machine, or null: on Debian, `apt install chromium`. */
export function findChromium(): string | null {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)].filter((one) => one !== '');
  const paths = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return paths.find((path) => existsSync(path)) ?? null;
}

/** A browser with one window and a profile of its own; it and the profile are gone when it is disposed of. */
export type Browser = AsyncDisposable & {
  page: Page;
  /** What the page wrote to its console as an error, threw, or asked for in vain. */
  errors: string[];
};

export async function openChromium(
  executablePath: string,
  look: { width: number; height: number; scale?: number },
): Promise<Browser> {
  const { width, height, scale = 1 } = look;
  const profile = await mkdtemp(join(tmpdir(), 'belay-chromium-'));
  const removeProfile = () => rm(profile, { recursive: true, force: true, maxRetries: 5 });
  const context = await chromium
    .launchPersistentContext(profile, {
      executablePath,
      headless: true,
      timeout: 120_000,
      viewport: { width, height },
      deviceScaleFactor: scale,
      args: [
        // Chromium's own sandbox does not work for root, and nothing but our own page is opened.
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
    .catch(async (error: unknown) => {
      await removeProfile();
      throw error;
    });
  const page = context.pages()[0] ?? (await context.newPage());
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('response', (response) => {
    if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
  });
  return {
    page,
    errors,
    async [Symbol.asyncDispose]() {
      await context.close();
      await removeProfile();
    },
  };
}
