import type { CheckRunner } from './checks/check.ts';
import { assertNever } from './core/assert.ts';
import type { Effect } from './core/effect.ts';
import type { Ancestry } from './core/event.ts';
import type { Json } from './core/json.ts';
import { partialOf, wholly } from './core/partial.ts';
import { wishOf } from './core/placing.ts';
import { stepAt } from './core/plan.ts';
import type { Artifact } from './core/release.ts';
import type { Rollout } from './core/rollout.ts';
import type { Due, Owed } from './engine/ledger.ts';
import type { Perform, PerformDrift, Performed } from './engine/perform.ts';
import type { Source } from './health/source.ts';
import { measureBefore, measureNow, readLoad } from './measure.ts';
import type { Provider, TargetRef } from './providers/provider.ts';

export type BuildState =
  | { is: 'running' }
  | { is: 'built'; digest: string; url: string | null }
  | { is: 'failed'; detail: string; url: string | null };

/** Everything that effects reach, and nothing else; composed once in app.ts. */
export type Edges = {
  now(): number;
  /** Where a service runs, when Belay deploys it; null: it does not. */
  targetsOf(service: string): string[] | null;
  provider(service: string): { provider: Provider; options(target: string): Json } | null;
  source(name: string): Source | null;
  check(kind: string): CheckRunner | null;
  github: {
    watchBuild(repo: string, sha: string, check: string | null, signal: AbortSignal): Promise<BuildState>;
    compare(repo: string, base: string, head: string, signal: AbortSignal): Promise<Ancestry>;
    isOnBranch(repo: string, branch: string, sha: string, signal: AbortSignal): Promise<boolean>;
  };
  people: {
    /** Which of these may still approve, re-read at most 60 s ago. Throws when somebody could not be looked up. */
    eligibleAmong(rollout: Rollout, principals: string[]): Promise<string[]>;
    project(rollout: Rollout): Promise<Performed>;
    announce(rollout: Rollout, effect: Extract<Effect, { kind: 'announce' }>): Promise<Performed>;
    page(rollout: Rollout, effect: Extract<Effect, { kind: 'page' }>): Promise<Performed>;
    projectDrift(service: string, target: string): Promise<Performed>;
  };
};

/** How often a build is looked at when no webhook says that something changed. */
const BUILD_EVERY_MS = 15_000;
const TELL_AGAIN_MS = 5 * 60_000;
/** A day of tries. */
const TELL_TRIES = 288;

/** Effect → edge → answer. One place; the engine knows no edge and the edges know no engine. */
export function createPerform(edges: Edges): Perform {
  return async (owed, rollout, signal) => {
    const { due } = owed;
    switch (due.kind) {
      case 'project':
        return told(owed, await edges.people.project(rollout));
      case 'announce':
        return told(owed, await edges.people.announce(rollout, due));
      case 'page':
        return told(owed, await edges.people.page(rollout, due));
      case 'watch-build':
        return watchBuild(edges, due, signal);
      case 'clear':
        return clear(edges, rollout, due, signal);
      case 'survey': {
        const { provider, ref } = target(edges, rollout, due.target);
        const observation = await provider.observe(ref, signal);
        return { is: 'event', event: { type: 'surveyed', generation: due.generation, observation } };
      }
      case 'observe': {
        const { provider, ref } = target(edges, rollout, due.target);
        const observation = await provider.observe(ref, signal);
        const { generation, round } = due;
        return { is: 'event', event: { type: 'observed', generation, round, observation } };
      }
      case 'deploy':
      case 'roll-back':
        return change(edges, rollout, owed, due, signal);
      case 'create':
      case 'remove':
        return environment(edges, rollout, owed, due, signal);
      case 'read-capacity':
        return readCapacity(edges, rollout, due, signal);
      case 'check':
        return check(edges, rollout, due, signal);
      case 'measure-before':
        return measureBefore(edges, rollout, owed, due, signal);
      case 'measure':
        return measureNow(edges, rollout, due, signal);
      case 'wake':
        return { is: 'event', event: { type: 'woke', generation: due.generation, timer: due.timer } };
      default:
        return assertNever(due, 'This effect');
    }
  };
}

/** Shows what drifted: it belongs to no rollout. */
export function createPerformDrift({ people }: Pick<Edges, 'people'>): PerformDrift {
  return async (owed) => told(owed, await people.projectDrift(owed.due.service, owed.due.target));
}

/** What Slack refuses today may pass once somebody has invited Belay: it is tried for a while before it is dropped. */
function told(owed: Owed<Due>, performed: Performed): Performed {
  if (performed.is !== 'given-up' || owed.attempts >= TELL_TRIES) return performed;
  return { is: 'failed', detail: performed.detail, retryAfterMs: TELL_AGAIN_MS };
}

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

function target(edges: Edges, rollout: Rollout, name: string): { provider: Provider; ref: TargetRef } {
  const found = edges.provider(rollout.service);
  if (!found) {
    throw new Error(
      `${rollout.service} is no longer configured: put its service file back, so that ${name} can be reached`,
    );
  }
  return { provider: found.provider, ref: { service: rollout.service, target: name, options: found.options(name) } };
}

/** Under its key and its fence; after an unknown outcome what runs is read before anything is issued again. */
async function change(
  edges: Edges,
  rollout: Rollout,
  owed: Owed,
  effect: Of<'deploy'> | Of<'roll-back'>,
  signal: AbortSignal,
): Promise<Performed> {
  const { provider, ref } = target(edges, rollout, effect.target);
  const fence = owed.fence ?? 0;
  const { generation } = effect;
  const done = (): Performed => ({
    is: 'event',
    event: { type: effect.kind === 'deploy' ? 'deployed' : 'rolled-back', generation, target: effect.target },
  });
  if (owed.attempts > 1) {
    const observation = await provider.observe(ref, signal);
    const { phase } = rollout;
    const isDeploy = effect.kind === 'deploy' && 'at' in phase;
    const wish = isDeploy ? wishOf(rollout, phase.at, effect.target) : wholly(effect.artifact.digest);
    if (wish && !partialOf(observation, wish) && observation.generation === fence) return done();
  }
  const { artifact, strategy, key } = effect;
  const request = { ...ref, artifact, strategy, key, generation: fence };
  const answer =
    effect.kind === 'deploy'
      ? await provider.deploy({ ...request, ...placingOf(effect) }, signal)
      : await provider.rollBack(request, signal);
  switch (answer.is) {
    case 'done':
      return done();
    case 'running':
      return { is: 'later', afterMs: answer.retryAfterMs };
    case 'failed': {
      const { detail } = answer;
      if (!answer.isTerminal) return { is: 'failed', detail, retryAfterMs: null };
      const type = effect.kind === 'deploy' ? 'deploy-failed' : 'roll-back-failed';
      return { is: 'event', event: { type, generation, target: effect.target, detail } };
    }
  }
}

function placingOf({ share, instances, isCanary, baseline }: Of<'deploy'>) {
  return { share, instances, isCanary, baseline };
}

/** Made or removed under its key and its fence. What a newer change owns already is not removed any more. */
async function environment(
  edges: Edges,
  rollout: Rollout,
  owed: Owed,
  effect: Of<'create'> | Of<'remove'>,
  signal: AbortSignal,
): Promise<Performed> {
  const { provider, ref } = target(edges, rollout, effect.target);
  const request = { ...ref, key: effect.key, generation: owed.fence ?? 0 };
  const isMade = effect.kind === 'create';
  const answer = isMade ? await provider.create(request, signal) : await provider.remove(request, signal);
  const { generation } = effect;
  switch (answer.is) {
    case 'done':
      return { is: 'event', event: { type: isMade ? 'created' : 'removed', generation, target: effect.target } };
    case 'running':
      return { is: 'later', afterMs: answer.retryAfterMs };
    case 'failed': {
      const { detail } = answer;
      if (!answer.isTerminal) return { is: 'failed', detail, retryAfterMs: null };
      const about = { generation, target: effect.target, detail };
      return effect.kind === 'create'
        ? { is: 'event', event: { type: 'create-failed', ...about } }
        : { is: 'event', event: { type: 'remove-failed', ...about, round: effect.round } };
    }
  }
}

/** What serves, what will while the change runs, and what is asked of it. A load that cannot be read is said. */
async function readCapacity(
  edges: Edges,
  rollout: Rollout,
  effect: Of<'read-capacity'>,
  signal: AbortSignal,
): Promise<Performed> {
  const { provider, ref } = target(edges, rollout, effect.target);
  const { share, strategy, generation, round } = effect;
  const capacity = await provider.capacity(ref, { share, strategy }, signal);
  const { traffic } = rollout.spec;
  const read = traffic ? await readLoad(edges, rollout.service, traffic, effect.target, signal) : null;
  const load = read && read.value !== null ? read.value : null;
  const detail = read && read.value === null ? read.detail : '';
  const perInstance = traffic?.perInstance ?? null;
  return { is: 'event', event: { type: 'capacity-read', generation, round, capacity, load, perInstance, detail } };
}

/** One try at one check: retries, deadlines over all and what a failure means are the core's. */
async function check(edges: Edges, rollout: Rollout, effect: Of<'check'>, signal: AbortSignal): Promise<Performed> {
  const { key, generation, target, tryNumber } = effect;
  const { name, kind, options, deadlineMs } = effect.check;
  const runner = edges.check(kind);
  if (!runner) throw new Error(`There is no kind of check called ${kind}`);
  const { digest, sha } = runningOn(rollout, target);
  const { repo, branch } = rollout.spec;
  const request = { key, service: rollout.service, target, digest, sha, repo, branch, options, deadlineMs };
  const answer = await runner.run(request, signal);
  if (answer.is === 'running') return { is: 'later', afterMs: answer.retryAfterMs };
  return { is: 'event', event: { type: 'checked', generation, check: name, target, tryNumber, result: answer } };
}

/** What the step that is under way has put on a target: the release, or in a downgrade what ran before. */
function runningOn(rollout: Rollout, target: string): Artifact {
  const isBefore = 'at' in rollout.phase && stepAt(rollout.plan, rollout.phase.at).deploys === 'before';
  const artifact = isBefore ? rollout.before[target] : rollout.artifact;
  if (!artifact) throw new Error(`Nothing that is known runs on ${target}`);
  return artifact;
}

async function watchBuild(edges: Edges, effect: Of<'watch-build'>, signal: AbortSignal): Promise<Performed> {
  const { generation, repo, sha, check } = effect;
  const state = await edges.github.watchBuild(repo, sha, check, signal);
  switch (state.is) {
    case 'running':
      return { is: 'later', afterMs: BUILD_EVERY_MS };
    case 'built': {
      const artifact: Artifact = { digest: state.digest, sha };
      return { is: 'event', event: { type: 'built', generation, artifact, url: state.url } };
    }
    case 'failed':
      return { is: 'event', event: { type: 'build-failed', generation, detail: state.detail, url: state.url } };
  }
}

async function clear(edges: Edges, rollout: Rollout, effect: Of<'clear'>, signal: AbortSignal): Promise<Performed> {
  const { generation, repo, branch, baseSha, headSha, approvers } = effect;
  const { github, people } = edges;
  const [ancestry, defaultBranchHasHead, eligible] = await Promise.all([
    baseSha === null ? ('ahead' as const) : github.compare(repo, baseSha, headSha, signal),
    github.isOnBranch(repo, branch, headSha, signal),
    approvers.length > 0 ? people.eligibleAmong(rollout, approvers) : [],
  ]);
  return { is: 'event', event: { type: 'cleared', generation, ancestry, eligible, defaultBranchHasHead } };
}
