import type { Measurement } from '../../src/core/judge/signal.ts';
import type { Release } from '../../src/core/release.ts';
import type { Edges } from '../../src/perform.ts';
import { createMemoryProvider, type MemoryProvider } from '../../src/providers/memory.ts';
import type { ChangeRequest, Provider, TargetRef } from '../../src/providers/provider.ts';
import { aRelease, keyOf } from '../support/service.ts';
import type { Random } from './random.ts';

/** How a release of the simulated service behaves. */
export type Behaviour = 'good' | 'degraded' | 'crashes' | 'red-build';

/** Thrown into whatever waits when the process is killed; nothing after it runs. */
export const NEVER = new Promise<never>(() => {});

export const TARGETS: Record<string, { regions: Record<string, number>; digest: string }> = {
  staging: { regions: { eu: 2 }, digest: 'sha256:first' },
  eu: { regions: { eu: 4 }, digest: 'sha256:first' },
  us: { regions: { us: 3 }, digest: 'sha256:first' },
};

/** What a planted bug changes in the world around the engine; each breaks one promise on purpose. */
export type PlantedBug =
  | 'no-fence'
  | 'result-before-intent'
  | 'key-changed-at-each-try'
  | 'acknowledge-before-commit'
  | 'early-measurement-swallowed';

/**
 * Everything outside the process: it survives a crash, it fails on demand, and it remembers what was done to it. Time
 * passes only when the simulator says so.
 */
export class Universe {
  nowMs = 1_700_000_000_000;
  /** Faults happen while this is on; with it off, everything must end. */
  isFaulty = true;
  /** The chance that a call fails, before or after its effect. */
  trouble: number;
  /** Slack answers nothing for the whole run. */
  isSlackDown: boolean;
  commits: { release: Release; behaviour: Behaviour; looks: number }[] = [];
  /** Calls whose caller gave up and that arrive later all the same. */
  late: (() => Promise<void>)[] = [];
  /** Keys that were committed as owed when the engine came to perform them. */
  intents = new Set<string>();
  /** Every call to the provider that changes something, as it was asked. */
  asked: { key: string; target: string; generation: number; digest: string; wasIntended: boolean }[] = [];
  /** How many changes are under way on a target, and the most there ever were. */
  busy = new Map<string, number>();
  overlaps: string[] = [];
  /** Whether somebody still may approve, by principal key. */
  left = new Set<string>();
  /** By message key: how many messages there are in the channel, and what the newest shows. */
  messages = new Map<string, string>();
  /** For each digest: what was measured, newest last. */
  looks = new Map<string, ('good' | 'bad' | 'none')[]>();
  /** The killed process: whatever it still waits for never answers. */
  life = 0;
  #newest = new Map<string, number>();
  readonly random: Random;
  readonly bug: PlantedBug | null;
  readonly provider: MemoryProvider;

  constructor(random: Random, bug: PlantedBug | null) {
    this.random = random;
    this.bug = bug;
    this.trouble = random.pick([0, 0.05, 0.15, 0.3]);
    this.isSlackDown = random.chance(0.15);
    this.provider = createMemoryProvider({ runningCalls: random.pick([0, 0, 1, 2]) });
  }

  merge(behaviour: Behaviour): void {
    const n = this.commits.length + 1;
    this.commits.push({ release: aRelease(n), behaviour, looks: this.random.int(3) });
  }

  behaviourOf(digest: string): Behaviour {
    return this.commits.find((one) => digestOf(one.release.sha) === digest)?.behaviour ?? 'good';
  }

  fails(): boolean {
    return this.isFaulty && this.random.chance(this.trouble);
  }

  /** A call from this life of the process. After a crash its answer never arrives. */
  async #call<T>(life: number, run: () => Promise<T> | T): Promise<T> {
    if (this.fails()) throw new Error('503 before the effect');
    const answer = await run();
    if (life !== this.life) return NEVER;
    if (this.fails()) throw new Error('timed out after the effect');
    return answer;
  }

  /** The edges as one life of the process sees them. */
  edges(): Edges {
    const life = this.life;
    const call = <T>(run: () => Promise<T> | T) => this.#call(life, run);
    return {
      now: () => this.nowMs,
      targetsOf: () => null,
      check: () => null,
      provider: () => ({ provider: this.#providerFor(call), options: (target) => TARGETS[target] ?? {} }),
      source: () => ({ measure: (question) => call(() => this.#measure(question.signal, question.digest)) }),
      github: {
        watchBuild: (_repo, sha) => call(() => this.#build(sha)),
        compare: (_repo, base, head) =>
          call(() => {
            const [from, to] = [this.#indexOf(base), this.#indexOf(head)];
            return from < to ? 'ahead' : from === to ? 'identical' : 'behind';
          }),
        isOnBranch: (_repo, _branch, sha) => call(() => this.#indexOf(sha) >= 0),
      },
      people: {
        eligibleAmong: (_rollout, keys) => call(() => keys.filter((key) => !this.left.has(key))),
        project: (rollout) => this.#slack(call, `${rollout.id}/card`, rollout.phase.is),
        announce: (_rollout, effect) => this.#slack(call, effect.key, effect.what),
        page: (_rollout, effect) => this.#slack(call, effect.key, 'page'),
        projectDrift: (service, target) => this.#slack(call, `drift:${service}/${target}/card`, 'drift'),
      },
    };
  }

  async #slack(call: <T>(run: () => T) => Promise<T>, key: string, shows: string) {
    if (this.isSlackDown && this.isFaulty)
      return { is: 'failed' as const, detail: 'Slack is down', retryAfterMs: 30_000 };
    // The message id makes a second post of the same message the same message.
    await call(() => void this.messages.set(key, shows));
    return { is: 'done' as const };
  }

  #indexOf(sha: string): number {
    return this.commits.findIndex((one) => one.release.sha === sha);
  }

  #build(sha: string) {
    const commit = this.commits.find((one) => one.release.sha === sha);
    if (!commit) throw new Error('404');
    if (commit.looks > 0) {
      commit.looks -= 1;
      return { is: 'running' as const };
    }
    return commit.behaviour === 'red-build'
      ? { is: 'failed' as const, detail: 'the check build is red', url: null }
      : { is: 'built' as const, digest: digestOf(sha), url: null };
  }

  #measure(signal: string, digest: string): Measurement {
    const seen = this.looks.get(digest) ?? [];
    this.looks.set(digest, seen);
    const isMissing = this.isFaulty && this.random.chance(this.trouble);
    seen.push(isMissing ? 'none' : this.behaviourOf(digest) === 'degraded' ? 'bad' : 'good');
    if (isMissing) {
      const missing = this.random.pick(['no-data', 'not-a-number', 'stale', 'many-series'] as const);
      return { signal, link: null, value: null, missing, detail: '' };
    }
    const value = this.behaviourOf(digest) === 'degraded' ? 0.2 : 0.001;
    return { signal, link: null, value, samples: 500, takenAtMs: this.nowMs };
  }

  #providerFor(call: <T>(run: () => Promise<T> | T) => Promise<T>): Provider {
    const { provider } = this;
    const signal = new AbortController().signal;
    const change = async (kind: 'deploy' | 'rollBack', request: ChangeRequest): ReturnType<Provider['deploy']> => {
      const { target, key, artifact, generation } = request;
      const run = async () => {
        this.asked.push({ key, target, generation, digest: artifact.digest, wasIntended: this.intents.has(key) });
        const isCrashing = this.behaviourOf(artifact.digest) === 'crashes';
        if (isCrashing) provider.inject(target, { is: 'unhealthy' }, 1);
        const answer = await provider[kind](this.bug === 'no-fence' ? this.#unfenced(request) : request, signal);
        provider.heal(target);
        return answer;
      };
      this.busy.set(target, (this.busy.get(target) ?? 0) + 1);
      if ((this.busy.get(target) ?? 0) > 1) this.overlaps.push(target);
      try {
        if (this.isFaulty && this.random.chance(this.trouble / 2)) {
          this.late.push(async () => void (await run()));
          throw new Error('timed out; it may still arrive');
        }
        return await call(run);
      } finally {
        this.busy.set(target, (this.busy.get(target) ?? 1) - 1);
      }
    };
    return {
      deploy: (request) => change('deploy', request),
      rollBack: (request) =>
        change('rollBack', { ...request, share: 1, instances: null, isCanary: false, baseline: null }),
      create: (request) => call(() => provider.create(request, signal)),
      remove: (request) => call(() => provider.remove(request, signal)),
      observe: (ref: TargetRef) => call(() => provider.observe(ref, signal)),
      capacity: (ref, planned) => call(() => provider.capacity(ref, planned, signal)),
    };
  }

  /** Planted: the platform takes an old change for as new as the newest that it has seen on the target. */
  #unfenced(request: ChangeRequest): ChangeRequest {
    const generation = Math.max(request.generation, this.#newest.get(request.target) ?? 0);
    this.#newest.set(request.target, generation);
    return { ...request, generation };
  }

  /** Somebody's account is deactivated: what they approved counts no more. */
  leaves(name: 'ben' | 'bo'): void {
    this.left.add(keyOf(name));
  }
}

export function digestOf(sha: string): string {
  return `sha256:${sha}`;
}
