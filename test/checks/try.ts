import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckAnswer, CheckContext, CheckRequest, CheckRunner, Workflows } from '../../src/checks/check.ts';
import { createChildren } from '../../src/checks/children.ts';
import { readText } from '../../src/health/read-text.ts';

export const DIGEST = `sha256:${'a'.repeat(64)}`;
export const SHA = 'b'.repeat(40);

const nobody = () => Promise.reject(new Error('There is no GitHub in this test'));
const NO_GITHUB: Workflows = { find: nobody, dispatch: nobody, read: nobody, cancel: nobody, state: nobody };

/** What every kind is handed, real; its programs end with `await using`. */
export type Given = CheckContext & AsyncDisposable;

export function given(part: Partial<CheckContext> = {}): Given {
  const children = part.children ?? createChildren();
  return {
    now: Date.now,
    workflows: NO_GITHUB,
    readText: (request) => readText({ fetch, ...request }),
    children,
    path: process.env.PATH ?? '',
    folder: process.cwd(),
    ...part,
    [Symbol.asyncDispose]: () => children.stop(),
  };
}

let tries = 0;

/** A try under a key of its own. */
export function request(options: unknown, part: Partial<CheckRequest> = {}): CheckRequest {
  tries += 1;
  return {
    key: `r/1/check/smoke/eu/${tries}`,
    service: 'shop',
    target: 'eu',
    digest: DIGEST,
    sha: SHA,
    repo: 'acme/shop',
    branch: 'main',
    options: options as CheckRequest['options'],
    deadlineMs: 60_000,
    ...part,
  };
}

export type Ended = Exclude<CheckAnswer, { is: 'running' }>;

export const PATIENT = new AbortController().signal;

/** Asks again for as long as it runs, as the engine does. */
export async function finish(runner: CheckRunner, one: CheckRequest): Promise<Ended> {
  for (;;) {
    const answer = await runner.run(one, PATIENT);
    if (answer.is !== 'running') return answer;
    await sleep(Math.min(answer.retryAfterMs, 100));
  }
}

/** Whether a process is there. A zombie is not: it only waits to be counted. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat !== null && !/\) Z /.test(stat);
}

/** Whether any process is there that was started with this in its arguments. */
export async function isAnythingLeft(mark: string): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).some((line) => line.includes(mark));
}

/** Waits until it holds. That it looks only so often ends a wait that would never end. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let looks = 0; looks < 6_000; looks += 1) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error('It did not come to hold');
}
