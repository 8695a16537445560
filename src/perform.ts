import { change, check, environment, observe, readCapacity, type Sites } from './change.ts';
import { assertNever } from './core/assert.ts';
import type { Effect } from './core/effect.ts';
import type { Ancestry } from './core/event.ts';
import type { Artifact } from './core/release.ts';
import type { Rollout } from './core/rollout.ts';
import type { Due, Owed } from './engine/ledger.ts';
import type { Perform, PerformDrift, Performed } from './engine/perform.ts';
import { type Meters, measureBefore, measureNow } from './measure.ts';

export type BuildState =
  | { is: 'running' }
  | { is: 'built'; digest: string; url: string | null }
  | { is: 'failed'; detail: string; url: string | null };

/** Everything that effects reach, and nothing else; composed once in app.ts. */
export type Edges = Sites &
  Meters & {
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
        const observation = await observe(edges, rollout, due.target, signal);
        return { is: 'event', event: { type: 'surveyed', generation: due.generation, observation } };
      }
      case 'observe': {
        const observation = await observe(edges, rollout, due.target, signal);
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
