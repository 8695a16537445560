import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Every temporary folder of a run is in one that is the run's own, and goes with it: also when the run is interrupted,
 * and no test comes to remove what it made.
 */
export function setup(): void {
  const folder = mkdtempSync(join(tmpdir(), 'belay-tests-'));
  process.env.TMPDIR = folder;
  // Children may still write while they end.
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
}
