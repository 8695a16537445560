import type { CheckRunner } from './checks/check.ts';
import type { Effect } from './core/effect.ts';
import type { Json } from './core/json.ts';

import { leftOut, partialOf, wholly } from './core/partial.ts';
import { wishOf } from './core/placing.ts';
import { stepAt } from './core/plan.ts';
import type { Artifact } from './core/release.ts';
import type { Rollout } from './core/rollout.ts';
import type { Observation } from './core/target.ts';
import type { Owed } from './engine/ledger.ts';
import type { Performed } from './engine/perform.ts';
import { type Meters, readLoad } from './measure.ts';
import type { Provider, TargetRef } from './providers/provider.ts';

/** What is reached to change a target, to read it and to check what runs there. */
export type Sites = Pick<Meters, 'now' | 'source'> & {
  provider(service: string): { provider: Provider; options(target: string): Json } | null;
  check(kind: string): CheckRunner | null;
};

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;

/** What runs on a target now, instance by instance. */
export async function observe(sites: Sites, rollout: Rollout, name: string, signal: AbortSignal): Promise<Observation> {
  const { provider, ref } = target(sites, rollout, name);
  return provider.observe(ref, signal);
}

/** Under its key and its fence; after an unknown outcome what runs is read before anything is issued again. */
export async function change(
  sites: Sites,
  rollout: Rollout,
  owed: Owed,
  effect: Of<'deploy'> | Of<'roll-back'>,
  signal: AbortSignal,
): Promise<Performed> {
  const { provider, ref } = target(sites, rollout, effect.target);
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
export async function environment(
  sites: Sites,
  rollout: Rollout,
  owed: Owed,
  effect: Of<'create'> | Of<'remove'>,
  signal: AbortSignal,
): Promise<Performed> {
  const { provider, ref } = target(sites, rollout, effect.target);
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
export async function readCapacity(
  sites: Sites,
  rollout: Rollout,
  effect: Of<'read-capacity'>,
  signal: AbortSignal,
): Promise<Performed> {
  const { provider, ref } = target(sites, rollout, effect.target);
  const { share, strategy, generation, round } = effect;
  const capacity = await provider.capacity(ref, { share, strategy }, signal);
  const { traffic } = rollout.spec;
  const of = { service: rollout.service, target: effect.target, without: leftOut(rollout, effect.target) };
  const read = traffic ? await readLoad(sites, traffic, of, signal) : null;
  const load = read && read.value !== null ? read.value : null;
  const detail = read && read.value === null ? read.detail : '';
  const perInstance = traffic?.perInstance ?? null;
  return { is: 'event', event: { type: 'capacity-read', generation, round, capacity, load, perInstance, detail } };
}

/** One try at one check: retries, deadlines over all and what a failure means are the core's. */
export async function check(
  sites: Sites,
  rollout: Rollout,
  effect: Of<'check'>,
  signal: AbortSignal,
): Promise<Performed> {
  const { key, generation, target, tryNumber } = effect;
  const { name, kind, options, deadlineMs } = effect.check;
  const runner = sites.check(kind);
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

function target(sites: Sites, rollout: Rollout, name: string): { provider: Provider; ref: TargetRef } {
  const found = sites.provider(rollout.service);
  if (!found) {
    throw new Error(
      `${rollout.service} is no longer configured: put its service file back, so that ${name} can be reached`,
    );
  }
  return { provider: found.provider, ref: { service: rollout.service, target: name, options: found.options(name) } };
}
