import { accessSync, constants } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { startLeashed } from './leashed.ts';

const READY_WITHIN_MS = 120_000;

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

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
