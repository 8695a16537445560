import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that a system hands out to whoever listens on any or connects: 32768 on Linux, 49152 elsewhere. */
const [FIRST, END] = [10_000, 32_000];
const given = new Set<number>();

/**
 * A port for a program that has to be told one. Nobody listens there, and nobody comes to by chance before the program
 * does: a port of those that the system hands out could be another's a moment later.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.on('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
