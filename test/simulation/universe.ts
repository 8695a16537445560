import type { Release } from '../../src/core/release.ts';
import type { Observation } from '../../src/core/target.ts';
import type { Edges } from '../../src/perform.ts';
import { aRelease, keyOf } from '../support/service.ts';
import { type Conduct, Health } from './health.ts';
import type { PlantedBug } from './planted-bug.ts';
import { Platform } from './platform.ts';
import type { Random } from './random.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { FIRST_DIGEST, optionsOf, PER_INSTANCE } from './simulated-service.ts';

/** How a release of the simulated service behaves. */
export const BEHAVIOURS = [
  'good',
  'good',
  'good',
  'degraded',
  'leaks',
  'unclear',
  'slow',
  'breaks-neighbour',
  'crashes',
  'fails-check',
  'red-build',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

const CONDUCT: Partial<Record<Behaviour, Conduct>> = {
  degraded: { shows: { errors: 'bad', probe: 'bad' }, afterLooks: 0 },
  leaks: { shows: { errors: 'bad' }, afterLooks: 4 },
  unclear: { shows: { errors: 'between' }, afterLooks: 0 },
  slow: { shows: { latency: 'bad' }, afterLooks: 1 },
  'breaks-neighbour': { shows: { 'payments errors': 'bad' }, afterLooks: 0 },
};
const WELL: Conduct = { shows: {}, afterLooks: 0 };

/** Thrown into whatever waits when the process is killed; nothing after it runs. */
export const NEVER = new Promise<never>(() => {});

/**
 * Everything outside the process: it survives a crash, it fails on demand, and it remembers what was done to it. Time
 * passes only when the simulator says so.
 */
export class Universe {
  readonly clock = new SimulatedClock();
  readonly health: Health;
  readonly platform: Platform;
  readonly random: Random;
  readonly bug: PlantedBug | null;
  /** Rollouts, by the generation of their deploy, of which somebody decided to begin the step with too little capacity. */
  readonly begunShort = new Set<string>();
  /** Calls fail and the process dies while this is on. */
  isFaulty = true;
  /** Numbers are missing and changes reach only some while this is on; with both off, everything must end. */
  isFickle = true;
  /** The chance that a call fails, before or after its effect. */
  trouble: number;
  /** Slack answers nothing for the whole run. */
  isSlackDown: boolean;
  commits: { release: Release; behaviour: Behaviour; looks: number }[] = [];
  /** Whether somebody still may approve, by principal key. */
  left = new Set<string>();
  /** By message key: how many messages there are in the channel, and what the newest shows. */
  messages = new Map<string, string>();
  /** The killed process: whatever it still waits for never answers. */
  life = 0;
  /** What hurts its neighbours runs somewhere. */
  #isNeighbourHurt = false;

  constructor(random: Random, bug: PlantedBug | null) {
    this.random = random;
    this.bug = bug;
    const trouble = random.pick([0, 0.05, 0.15, 0.3]);
    // A write that comes too late is rare: where nothing stops it, it is waited for in bad weather.
    this.trouble = bug === 'no-fence' ? 0.3 : trouble;
    this.isSlackDown = random.chance(0.15);
    this.health = new Health(random, this.clock, bug, (digest) => this.#conductOf(digest));
    this.platform = new Platform({
      random,
      bug,
      now: () => this.clock.nowMs,
      fails: (share) => this.fails(share),
      disappoints: (share) => this.disappoints(share),
      crashes: (digest) => this.behaviourOf(digest) === 'crashes',
      newestDigest: () => {
        const newest = this.commits.at(-1);
        return newest ? digestOf(newest.release.sha) : FIRST_DIGEST;
      },
    });
  }

  merge(behaviour: Behaviour): void {
    const n = this.commits.length + 1;
    this.commits.push({ release: aRelease(n), behaviour, looks: this.random.int(3) });
  }

  behaviourOf(digest: string): Behaviour {
    return this.commits.find((one) => digestOf(one.release.sha) === digest)?.behaviour ?? 'good';
  }

  #conductOf(digest: string): Conduct {
    // A neighbour is asked without a version: it suffers from what runs beside it.
    if (digest === '') return this.#isNeighbourHurt ? (CONDUCT['breaks-neighbour'] ?? WELL) : WELL;
    return CONDUCT[this.behaviourOf(digest)] ?? WELL;
  }

  fails(share = 1): boolean {
    return this.isFaulty && this.random.chance(this.trouble * share);
  }

  /** The same of what is measured and of instances. */
  disappoints(share = 1): boolean {
    return this.isFickle && this.random.chance(this.trouble * share);
  }

  /** Something in the world changes by itself. */
  async turn(): Promise<void> {
    const { health, random } = this;
    switch (random.pick(['neighbour', 'users', 'load', 'target', 'target'] as const)) {
      case 'neighbour':
        return void (health.ill.delete('payments') || health.ill.add('payments'));
      case 'users':
        health.isQuiet = !health.isQuiet;
        return;
      case 'load':
        health.load = random.pick([0.5, 1.5, 2.5, 3.5, null].map((share) => share && share * PER_INSTANCE));
        return;
      case 'target':
        return this.platform.changeBehindTheBack();
    }
  }

  /** Everything that went wrong by itself is mended. */
  settle(): void {
    this.isFickle = false;
    this.health.ill.clear();
    this.health.isQuiet = false;
    this.health.load = 0.5 * PER_INSTANCE;
    this.platform.recover();
  }

  /** A call from this life of the process. After a crash its answer never arrives. */
  async #call<T>(life: number, run: () => Promise<T> | T): Promise<T> {
    if (this.fails()) throw new Error('503 before the effect');
    const answer = await run();
    if (life !== this.life) return NEVER;
    if (this.fails()) throw new Error('timed out after the effect');
    return answer;
  }

  /** The edges as one life of the process sees them, for the effect that is owed under this key. */
  edges(key: string): Edges {
    const { life, health } = this;
    const call = <T>(run: () => Promise<T> | T) => this.#call(life, run);
    health.begin(key);
    return {
      now: () => this.clock.nowMs,
      provider: () => ({ provider: this.platform.providerFor(call, key), options: optionsOf }),
      source: () => ({
        measure: async (question) => {
          if (question.digest === '') await this.#lookAtNeighbours();
          return life === this.life ? health.measure(question, key, this.disappoints()) : NEVER;
        },
      }),
      targetsOf: () => null,
      check: () => ({
        run: ({ digest }) => call(() => this.#check(digest)),
        examine: async () => ({ ok: true, detail: '' }),
      }),
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
        eligibleAmong: (_rollout, keys) => call(() => keys.filter((one) => !this.left.has(one))),
        project: (rollout) => this.#slack(call, `${rollout.id}/card`, rollout.phase.is),
        announce: (_rollout, effect) => this.#slack(call, effect.key, effect.what),
        page: (_rollout, effect) => this.#slack(call, effect.key, 'page'),
        projectDrift: (service, target) => this.#slack(call, `drift:${service}/${target}/card`, 'drift'),
      },
    };
  }

  /** A look between deploys, as one life of the process makes it. */
  observe(target: string): Promise<Observation> {
    const { life } = this;
    const provider = this.platform.providerFor((run) => this.#call(life, run), 'drift');
    return provider.observe({ service: 'shop', target, options: optionsOf(target) }, new AbortController().signal);
  }

  async #lookAtNeighbours(): Promise<void> {
    const all = (await Promise.all(['eu', 'us'].map((target) => this.platform.look(target)))).flat();
    this.#isNeighbourHurt = all.some((one) => this.behaviourOf(one.digest ?? '') === 'breaks-neighbour');
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

  #check(digest: string) {
    if (this.isFaulty && this.random.chance(0.3)) return { is: 'running' as const, retryAfterMs: 2000 };
    const isRed = this.behaviourOf(digest) === 'fails-check' || this.fails();
    return { is: isRed ? ('failed' as const) : ('passed' as const), detail: '', measures: [], url: null };
  }

  /** Somebody's account is deactivated: what they approved counts no more. */
  leaves(name: 'ben' | 'bo'): void {
    this.left.add(keyOf(name));
  }
}

export function digestOf(sha: string): string {
  return `sha256:${sha}`;
}
