import { assertNever } from './core/assert.ts';
import type { Effect } from './core/effect.ts';
import type { Ancestry } from './core/event.ts';
import type { Json } from './core/json.ts';
import type { Measurement, Signal } from './core/judge/signal.ts';
import type { Artifact } from './core/release.ts';
import type { Rollout } from './core/rollout.ts';
import { partialOf } from './core/step.ts';
import type { Owed } from './engine/ledger.ts';
import type { Perform, Performed } from './engine/perform.ts';
import type { Source } from './health/source.ts';
import type { Provider, TargetRef } from './providers/provider.ts';

export type BuildState =
  | { is: 'running' }
  | { is: 'built'; digest: string; url: string | null }
  | { is: 'failed'; detail: string; url: string | null };

/** Everything that effects reach, and nothing else; composed once in app.ts. */
export type Edges = {
  provider(service: string): { provider: Provider; options(target: string): Json } | null;
  source(name: string): Source | null;
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
  };
};

/** How often a build is looked at when no webhook says that something changed. */
const BUILD_EVERY_MS = 15_000;
/** A source that sees the instances for the first time needs a second look before it has a rate. */
const BEFORE_AGAIN_MS = 1000;
const BEFORE_LOOKS = 4;
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
      case 'measure-before':
        return measureBefore(edges, rollout, owed, due, signal);
      case 'measure': {
        const { generation, round } = due;
        const measurements = await measure(edges, rollout, due, due.now, due.before, signal);
        return { is: 'event', event: { type: 'measured', generation, round, measurements } };
      }
      case 'wake':
        return { is: 'event', event: { type: 'woke', generation: due.generation, timer: due.timer } };
      default:
        return assertNever(due, 'This effect');
    }
  };
}

/** What Slack refuses today may pass once somebody has invited Belay: it is tried for a while before it is dropped. */
function told(owed: Owed, performed: Performed): Performed {
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
  const share = effect.kind === 'deploy' ? effect.share : 1;
  const fence = owed.fence ?? 0;
  const { generation } = effect;
  const done = (): Performed => ({
    is: 'event',
    event: { type: effect.kind === 'deploy' ? 'deployed' : 'rolled-back', generation, target: effect.target },
  });
  if (owed.attempts > 1) {
    const observation = await provider.observe(ref, signal);
    const isThere = partialOf(observation, effect.artifact.digest, share) === null;
    if (isThere && observation.generation === fence) return done();
  }
  const request = { ...ref, artifact: effect.artifact, key: effect.key, generation: fence };
  const answer =
    effect.kind === 'deploy'
      ? await provider.deploy({ ...request, share }, signal)
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

async function measureBefore(
  edges: Edges,
  rollout: Rollout,
  owed: Owed,
  effect: Of<'measure-before'>,
  signal: AbortSignal,
): Promise<Performed> {
  // What ran before is measured as the release would be: it is the one that serves now.
  const measurements = effect.before ? await measure(edges, rollout, effect, effect.before, effect.before, signal) : [];
  const isTooSoon = measurements.some((one) => one.value === null && one.missing === 'no-data');
  if (isTooSoon && owed.attempts < BEFORE_LOOKS) return { is: 'later', afterMs: BEFORE_AGAIN_MS, isTry: true };
  return { is: 'event', event: { type: 'measured-before', generation: effect.generation, measurements } };
}

async function measure(
  edges: Edges,
  rollout: Rollout,
  effect: { signals: Signal[]; targets: string[] },
  now: Artifact,
  before: Artifact | null,
  signal: AbortSignal,
): Promise<Measurement[]> {
  return Promise.all(
    effect.signals.map(async (one): Promise<Measurement> => {
      const source = edges.source(one.source);
      if (!source) return missing(one, `There is no source called ${one.source} in belay.yml`);
      try {
        return await source.measure(
          {
            signal: one.name,
            query: one.query,
            service: rollout.service,
            targets: effect.targets,
            digest: now.digest,
            beforeDigest: before?.digest ?? null,
          },
          signal,
        );
      } catch (error) {
        return missing(one, error instanceof Error ? error.message : String(error));
      }
    }),
  );
}

function missing(signal: Signal, detail: string): Measurement {
  return { signal: signal.name, link: null, value: null, missing: 'unreachable', detail };
}
