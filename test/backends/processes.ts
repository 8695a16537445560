import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where a program of Debian is; null, and said so: the tests that need it are skipped. */
export function program(name: string, debian: string): string | null {
  const found = ['/usr/bin', '/usr/sbin', '/usr/local/bin']
    .map((path) => join(path, name))
    .find((path) => existsSync(path));
  if (!found) console.warn(`Skipped: there is no ${name} here. On Debian: apt install ${debian}`);
  return found ?? null;
}

export async function listen(one: Server): Promise<number> {
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return (one.address() as AddressInfo).port;
}

export async function close(one: Server): Promise<void> {
  one.closeAllConnections();
  await new Promise((resolve) => one.close(resolve));
}

/** A folder of the test's own; goes with it. */
export async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'backend-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A child that is ready when `isReady` says so; ends with `end`. */
export async function start(path: string, flags: string[], isReady: () => Promise<boolean>): Promise<ChildProcess> {
  const child = spawn(path, flags, { stdio: 'ignore' });
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  await until(isReady, (ready) => ready || isOver());
  if (!isOver() && (await isReady())) return child;
  await end(child);
  throw new Error(`${path} is not ready`);
}

export async function end(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Answers with 2xx. */
export function answers(url: string): () => Promise<boolean> {
  return () =>
    fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
}

/** Tries until `holds`; the last answer is the test's to judge. The time only ends a wait that would never end. */
export async function until<T>(attempt: () => Promise<T>, holds: (value: T) => boolean, forMs = 120_000): Promise<T> {
  const endMs = Date.now() + forMs;
  for (;;) {
    const value = await attempt();
    if (holds(value) || Date.now() > endMs) return value;
    await sleep(100);
  }
}
