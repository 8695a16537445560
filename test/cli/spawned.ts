import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BELAY = fileURLToPath(new URL('../../bin/belay', import.meta.url));

export type Ran = { code: number | null; out: string; err: string };

/** Runs the real `bin/belay` to its end, with an environment of its own. */
export function belay(args: string[], options: { env?: Record<string, string>; cwd?: string } = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(BELAY, args, {
      cwd: options.cwd ?? process.cwd(),
      env: { PATH: process.env.PATH ?? '', ...options.env },
    });
    const ran: Ran = { code: null, out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      ran.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      ran.err += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...ran, code }));
  });
}
