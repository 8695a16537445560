import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes the folder of a file, and those above it. Throws where one cannot be made. One at a time: Node's own `recursive`
 * never returns where making a folder answers that there is none, as below /proc.
 */
export function makeFolderOf(path: string): void {
  const folder = dirname(path);
  if (existsSync(folder)) return;
  makeFolderOf(folder);
  mkdirSync(folder);
}
