import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = /^belay-tests-(\d+)-/;

/**
 * Every temporary folder of a run is in one that is the run's own, and goes with it: also when the run is interrupted,
 * and no test comes to remove what it made. What a run left that was killed, the next one removes.
 */
export function setup(): void {
  const all = tmpdir();
  for (const name of readdirSync(all)) {
    const pid = Number(NAME.exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(pid) && !isRunning(pid)) remove(join(all, name));
  }
  const folder = mkdtempSync(join(all, `belay-tests-${process.pid}-`));
  process.env.TMPDIR = folder;
  process.on('exit', () => remove(folder));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is somebody else's, who may not be asked.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Children may still write while they end. */
function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
