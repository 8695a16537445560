import { createHash } from 'node:crypto';
import type { Ask } from './emulator.ts';

export type BuildEnd = { digest?: string | null; conclusion?: 'success' | 'failure'; check?: string };

/** The digest that the sandbox's CI gives what it built from a commit. */
export function digestOf(sha: string): string {
  return `sha256:${createHash('sha256').update(sha).digest('hex')}`;
}

/** A CI that builds every commit of main: check `build` runs for a while, names its artifact and passes. */
export type Builds = {
  start(sha: string): Promise<void>;
  finish(sha: string, end: BuildEnd): Promise<void>;
  stop(): Promise<void>;
};

/** `delayMs` null: builds end only by `finish`. `changed` is told of every check run that began or ended. */
export function startBuilds(
  ask: Ask,
  repo: string,
  delayMs: number | null,
  changed: (action: 'created' | 'completed', run: unknown) => void,
): Builds {
  const runs = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();
  const under = new Set<Promise<void>>();
  const path = `/repos/${repo}/check-runs`;

  async function begin(sha: string, name: string): Promise<number> {
    const known = runs.get(`${sha} ${name}`);
    if (known !== undefined) return known;
    const run = await ask('POST', path, { name, head_sha: sha, status: 'in_progress' }, 'ana');
    runs.set(`${sha} ${name}`, run.id as number);
    changed('created', run);
    return run.id as number;
  }

  async function end(sha: string, name: string, conclusion: string, title: string): Promise<void> {
    const id = await begin(sha, name);
    const body = { status: 'completed', conclusion, output: { title, summary: title } };
    changed('completed', await ask('PATCH', `${path}/${id}`, body, 'ana'));
  }

  async function finish(sha: string, given: BuildEnd): Promise<void> {
    clearTimeout(timers.get(sha));
    timers.delete(sha);
    const { digest = digestOf(sha), conclusion = 'success', check = 'build' } = given;
    await begin(sha, check);
    // In this order, so that the build is never green without its artifact.
    if (conclusion === 'success' && digest !== null) await end(sha, 'belay/artifact', 'success', digest);
    await end(sha, check, conclusion, conclusion === 'success' ? 'Built' : 'The tests failed');
  }

  return {
    async start(sha) {
      await begin(sha, 'build');
      if (delayMs === null) return;
      const later = () => {
        const finishing = finish(sha, {})
          .catch(() => {})
          .finally(() => under.delete(finishing));
        under.add(finishing);
      };
      timers.set(sha, setTimeout(later, delayMs));
    },
    finish,
    async stop() {
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(under);
    },
  };
}
