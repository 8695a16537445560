import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { InstanceOrder, InstanceSettings } from './behaviour.ts';

const ENTRY = fileURLToPath(new URL('./instance.ts', import.meta.url));
/** A process that says nothing for this long is not there: longer than a busy machine stalls. */
const READ_WITHIN_MS = 5_000;
/** A process that does not end when asked is killed after this. */
const STOP_WITHIN_MS = 2_000;

/** What a process says of itself. */
export type Health = { digest: string; config: string };

/** One running process of the sample service. */
export type InstanceProcess = {
  readonly settings: InstanceSettings;
  /** Where it answers; null until it listens. */
  url(): string | null;
  isAlive(): boolean;
  /** Reads from the process itself what it runs; null when it does not answer. */
  health(timeoutMs?: number): Promise<Health | null>;
  /** Healthy within the time, or why not. */
  whenHealthy(withinMs: number): Promise<{ is: 'healthy' } | { is: 'failed'; detail: string }>;
  tell(order: InstanceOrder): void;
  /** Asks it to end, then makes it; settles when the process is gone. */
  stop(): Promise<void>;
};

/** Starts one instance as its own process on a free port. `onExit` also hears of the end that `stop` asked for. */
export function startInstance(settings: InstanceSettings, onExit: () => void): InstanceProcess {
  const own = { ...settings };
  const { child, url, lastWords } = spawnListening(ENTRY, own);
  child.on('exit', onExit);

  async function health(timeoutMs = READ_WITHIN_MS): Promise<Health | null> {
    const base = url();
    if (!base) return null;
    try {
      const response = await fetch(`${base}/healthz`, { signal: AbortSignal.timeout(timeoutMs) });
      const { digest, config } = (await response.json()) as Health;
      return response.ok ? { digest, config } : null;
    } catch {
      return null;
    }
  }

  return {
    settings: own,
    url,
    health,
    isAlive: () => isAlive(child),
    async whenHealthy(withinMs) {
      // Woken by the child's word that it listens, or by its end; never polled while nothing can have changed.
      const deadline = AbortSignal.timeout(withinMs);
      if (isAlive(child) && url() === null) {
        const wake = { signal: deadline };
        await Promise.race([once(child, 'message', wake), once(child, 'close', wake)]).catch(() => {});
      }
      if (await health(withinMs)) return { is: 'healthy' };
      const why = isAlive(child) ? `not healthy within ${withinMs} ms` : `exited with code ${child.exitCode}`;
      return { is: 'failed', detail: lastWords() ? `${why}: ${lastWords().trim()}` : why };
    },
    tell(order) {
      Object.assign(own, order);
      if (child.connected) child.send(order, () => {});
    },
    stop: () => stopChild(child),
  };
}

/** A program of the sandbox that says its port once it listens, and ends when this process does. */
export function spawnListening(
  entry: string,
  settings: object,
): { child: ChildProcess; url(): string | null; lastWords(): string } {
  const child = spawn(process.execPath, [entry, JSON.stringify(settings)], {
    // Nothing of the parent's environment: it may hold secrets, and the sample services need none of it.
    env: {},
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let port: number | null = null;
  let lastWords = '';
  child.on('message', (message: { port: number }) => {
    port = message.port;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = `${lastWords}${chunk}`.slice(-500);
  });
  child.on('error', (error) => {
    lastWords = error.message;
  });
  const url = () => (port === null || !isAlive(child) ? null : `http://127.0.0.1:${port}`);
  return { child, url, lastWords: () => lastWords };
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (!isAlive(child)) return;
  const gone = once(child, 'close');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await gone;
  clearTimeout(kill);
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
