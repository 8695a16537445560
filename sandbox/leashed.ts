import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LEASH = fileURLToPath(new URL('./leash.ts', import.meta.url));

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

/** A running program that ends with this process. */
export type Leashed = {
  /** Of the program itself. */
  readonly pid: number;
  /** How it ended; settles when it has. */
  readonly ended: Promise<Exit>;
  isRunning(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Asks it to end, and kills it when it has not within `withinMs`. */
  stop(withinMs: number): Promise<Exit>;
};

/** Starts a program with this environment and no more; `onLine` hears what it writes. Rejects when it cannot be run. */
export async function startLeashed(
  command: [program: string, ...args: string[]],
  settings: { env: Record<string, string>; cwd: string; onLine: (line: string) => void },
): Promise<Leashed> {
  const keeper = spawn(process.execPath, [LEASH, ...command], {
    env: settings.env,
    cwd: settings.cwd,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [keeper.stdout, keeper.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', settings.onLine);
  }
  let exit: Exit | null = null;
  const ended = new Promise<Exit>((resolve) => {
    keeper.on('message', (message: { pid: number } | Exit) => {
      if ('code' in message) exit = message;
    });
    // Closed, and not only ended: its last lines have been read.
    keeper.on('close', (code, signal) => {
      exit ??= { code, signal };
      resolve(exit);
    });
  });
  const first = await Promise.race([once(keeper, 'message'), ended]);
  const pid = Array.isArray(first) ? (first[0] as { pid?: number }).pid : undefined;
  if (pid === undefined) throw new Error(`${command[0]} cannot be run`);

  const leashed: Leashed = {
    pid,
    ended,
    isRunning: () => exit === null,
    kill(signal) {
      if (exit === null) process.kill(pid, signal);
    },
    async stop(withinMs) {
      leashed.kill('SIGTERM');
      const late = setTimeout(() => leashed.kill('SIGKILL'), withinMs);
      try {
        return await ended;
      } finally {
        clearTimeout(late);
      }
    },
  };
  return leashed;
}
