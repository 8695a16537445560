import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { InstanceOrder, InstanceSettings } from './behaviour.ts';

const ENTRY = fileURLToPath(new URL('./instance.ts', import.meta.url));
/** A process that does not end when asked is killed after this. */
const STOP_WITHIN_MS = 2_000;

/** One running process of the sample service. */
export type InstanceProcess = {
  readonly settings: InstanceSettings;
  /** Where it answers; null until it listens. */
  url(): string | null;
  isAlive(): boolean;
  /** Reads from the process itself what it runs; null when it does not answer. */
  health(timeoutMs?: number): Promise<{ digest: string } | null>;
  /** Healthy within the time, or why not. */
  whenHealthy(withinMs: number): Promise<{ is: 'healthy' } | { is: 'failed'; detail: string }>;
  tell(order: InstanceOrder): void;
  /** Asks it to end, then makes it; settles when the process is gone. */
  stop(): Promise<void>;
};

/** Starts one instance as its own process on a free port. `onExit` also hears of the end that `stop` asked for. */
export function startInstance(settings: InstanceSettings, onExit: () => void): InstanceProcess {
  const own = { ...settings };
  const child = spawn(process.execPath, [ENTRY, JSON.stringify(own)], {
    // Nothing of the parent's environment: it may hold secrets, and the sample service needs none of it.
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
  child.on('exit', onExit);

  const url = () => (port === null || !isAlive(child) ? null : `http://127.0.0.1:${port}`);

  async function health(timeoutMs = 1_000): Promise<{ digest: string } | null> {
    const base = url();
    if (!base) return null;
    try {
      const response = await fetch(`${base}/healthz`, { signal: AbortSignal.timeout(timeoutMs) });
      const body = (await response.json()) as { digest: string };
      return response.ok ? { digest: body.digest } : null;
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
      if (isAlive(child) && port === null) {
        const wake = { signal: deadline };
        await Promise.race([once(child, 'message', wake), once(child, 'close', wake)]).catch(() => {});
      }
      if (await health(withinMs)) return { is: 'healthy' };
      const why = isAlive(child) ? `not healthy within ${withinMs} ms` : `exited with code ${child.exitCode}`;
      return { is: 'failed', detail: lastWords ? `${why}: ${lastWords.trim()}` : why };
    },
    tell(order) {
      Object.assign(own, order);
      if (child.connected) child.send(order, () => {});
    },
    async stop() {
      if (!isAlive(child)) return;
      const gone = once(child, 'close');
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      await gone;
      clearTimeout(kill);
    },
  };
}

function isAlive(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
