import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Exit, type Leashed, startLeashed } from '../leashed.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A machine that is busy with much else takes its time to read the program. */
const READY_WITHIN_MS = 180_000;
const LOOK_EVERY_MS = 50;
const STOP_WITHIN_MS = 10_000;
const LINES_KEPT = 10_000;

/** The real process, as anybody starts it, that can be killed and started again. */
export type BelayProcess = {
  /** Of the process that runs, or ran last. */
  readonly pid: number;
  /** Where its web server listens; another port after each start. */
  readonly url: string;
  isRunning(): boolean;
  /** How the process that runs now ends; settles when it has. */
  whenEnded(): Promise<Exit>;
  /** Starts it (again) and settles when it is ready; rejects with its last words when it is not. */
  start(): Promise<void>;
  /** Sends a signal and settles when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  restart(signal?: NodeJS.Signals): Promise<void>;
  /** What it has written, over all its starts, oldest first. */
  log(): string[];
  isReady(): Promise<boolean>;
  stop(): Promise<void>;
};

/** `started` is told the address after each start, before the process counts as ready. */
export function belayProcess(settings: {
  configPath: string;
  logPath: string;
  env: Record<string, string>;
  started: (url: string) => void;
}): BelayProcess {
  const { configPath, logPath, started } = settings;
  const lines: string[] = [];
  let running: Leashed | null = null;
  let url = '';

  function heard(line: string): void {
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
    appendFileSync(logPath, `${line}\n`);
    const port = portIn(line);
    if (port === null) return;
    url = `http://127.0.0.1:${port}`;
    started(url);
  }

  function current(): Leashed {
    if (!running) throw new Error('Belay was not started yet');
    return running;
  }

  async function isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) });
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }

  const belay: BelayProcess = {
    get pid() {
      return running?.pid ?? 0;
    },
    get url() {
      return url;
    },
    isRunning: () => running?.isRunning() ?? false,
    async whenEnded() {
      return current().ended;
    },
    isReady,
    log: () => [...lines],
    async start() {
      if (running?.isRunning()) throw new Error('Belay runs already');
      url = '';
      running = await startLeashed([process.execPath, MAIN, 'start', '--config', configPath], {
        env: settings.env,
        cwd: ROOT,
        onLine: heard,
      });
      const giveUpAtMs = Date.now() + READY_WITHIN_MS;
      while (url === '' || !(await isReady())) {
        const lastWords = () => lines.slice(-15).join('\n');
        if (!running.isRunning()) throw new Error(`Belay ended while it was starting:\n${lastWords()}`);
        if (Date.now() > giveUpAtMs) {
          await running.stop(0);
          throw new Error(`Belay was not ready within ${READY_WITHIN_MS / 1000} s:\n${lastWords()}`);
        }
        await sleep(LOOK_EVERY_MS);
      }
    },
    async kill(signal = 'SIGKILL') {
      const process = current();
      process.kill(signal);
      return process.ended;
    },
    async restart(signal = 'SIGTERM') {
      await belay.kill(signal);
      await belay.start();
    },
    async stop() {
      if (running?.isRunning()) await running.stop(STOP_WITHIN_MS);
    },
  };
  return belay;
}

/** The port, from the line of the log that says that Belay runs. */
function portIn(line: string): number | null {
  if (!line.includes('"Belay runs"')) return null;
  const { port } = JSON.parse(line) as { port?: number };
  return port ?? null;
}
