import { accessSync, constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLeashed } from './leashed.ts';

const READY_WITHIN_MS = 20_000;

export type Prometheus = { url: string; stop(): Promise<void> };

/** The path of an installed Prometheus; null when there is none. */
export function findPrometheus(path: string): string | null {
  const candidates = path.split(delimiter).map((folder) => join(folder, 'prometheus'));
  return candidates.find(isExecutable) ?? null;
}

/** A real Prometheus server that scrapes every instance of the fleet each second. Rejects with what to do without one. */
export async function startPrometheus(folder: string, fleetUrl: string): Promise<Prometheus> {
  const binary = findPrometheus(process.env.PATH ?? '');
  if (!binary) throw new Error('There is no prometheus on the PATH. On Debian: apt install prometheus');
  const configPath = join(folder, 'prometheus.yml');
  await writeFile(
    configPath,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: shop
    http_sd_configs: [{ url: '${fleetUrl}/fleet/prometheus-targets', refresh_interval: 1s }]
`,
  );
  const url = `http://127.0.0.1:${await freePort()}`;
  const lines: string[] = [];
  const server = await startLeashed(
    [
      binary,
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=${new URL(url).host}`,
      '--log.level=warn',
    ],
    { env: {}, cwd: folder, onLine: (line) => lines.push(line) },
  );
  const giveUpAtMs = Date.now() + READY_WITHIN_MS;
  while (!(await answers(`${url}/-/ready`))) {
    if (server.isRunning() && Date.now() < giveUpAtMs) await sleep(100);
    else {
      await server.stop(0);
      throw new Error(`Prometheus did not start:\n${lines.slice(-5).join('\n')}`);
    }
  }
  return {
    url,
    stop: async () => {
      await server.stop(3_000);
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

/** Prometheus cannot be asked which port it took: it has to be told one. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening));
  const address = probe.address();
  await new Promise((closed) => probe.close(closed));
  return typeof address === 'object' && address ? address.port : 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
