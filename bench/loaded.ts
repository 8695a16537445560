import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Load, Loaded } from './load.ts';

const GENERATOR = fileURLToPath(new URL('./load.ts', import.meta.url));

/** Puts load on a server of this process from another one. Throws when an answer was not the expected status. */
export async function loaded(load: Load, expected: string): Promise<Loaded> {
  const child = fork(GENERATOR, { execArgv: [] });
  const answered = once(child, 'message');
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The load generator ended with ${code} before it had answered`);
  });
  child.send(load);
  const [result] = (await Promise.race([answered, ended])) as [Loaded];
  ended.catch(() => undefined);
  if (result.statuses[expected] !== load.count) {
    throw new Error(`Expected ${load.count} answers ${expected}, found ${JSON.stringify(result.statuses)}`);
  }
  return result;
}

export async function serving(given: Server | RequestListener): Promise<AsyncDisposable & { port: number }> {
  const server = typeof given === 'function' ? createServer(given) : given;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
