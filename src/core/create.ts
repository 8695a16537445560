import { seedOf } from './assign.ts';
import type { Decision } from './decision.ts';
import { enter } from './door.ts';
import type { Recorded } from './drift.ts';
import { laneOf, type ServiceSpec } from './pipeline.ts';
import type { Plan, Request } from './plan.ts';
import type { Artifact, Release } from './release.ts';
import { rollBack } from './retreat.ts';
import { type Rollout, SCHEMA } from './rollout.ts';

type Seed = { id: string; service: ServiceSpec; release: Release; plan: Plan; request: Request; nowMs: number };

function blank(seed: Seed, kind: Rollout['kind'], artifact: Artifact | null): Rollout {
  const { service, release, plan, request, nowMs } = seed;
  return {
    id: seed.id,
    schema: SCHEMA,
    lane: laneOf(service),
    kind,
    service: service.name,
    pipeline: service.pipeline,
    channel: service.channel,
    release,
    artifact,
    plan,
    spec: {
      name: service.name,
      roles: service.roles,
      onCall: service.onCall,
      repo: service.repo,
      branch: service.branch,
      traffic: service.traffic,
    },
    request,
    createdAtMs: nowMs,
    endedAtMs: null,
    generation: 0,
    phase: { is: 'queued', sinceMs: nowMs },
    before: {},
    found: {},
    lastGood: {},
    desiredSha: null,
    desiredDigest: null,
    seed: seedOf(seed.id),
    assignment: {},
    environments: [],
    without: [],
    quiet: [],
    begunShort: [],
    checks: [],
    watchedFromMs: null,
    lastWatched: [],
    participants: release.participants,
    seen: {},
    touched: [],
    approvals: [],
    steps: [],
    stepStartedAtMs: null,
    stumble: null,
    seenAtMs: nowMs,
    lastAct: null,
  };
}

/** A release sets out: it waits for its build first. */
export function createRollout(seed: Seed): Decision {
  const { release, plan, nowMs } = seed;
  return enter(
    blank(seed, 'release', null),
    { is: 'building', sinceMs: nowMs },
    [
      { kind: 'watch-build', repo: release.repo, sha: release.sha, check: plan.build.check },
      { kind: 'wake', timer: 'build-deadline', afterMs: plan.build.deadlineMs },
    ],
    nowMs,
  );
}

/**
 * A rollback of a whole stage to a version that was healthy there. It waits for nothing: no queue, no approval, no
 * look-up. `stage` is the plan's last one.
 */
export function createRollback(seed: Seed & { to: Artifact; because: string; by: string }): Decision {
  const { plan, nowMs, to } = seed;
  const at = { stage: plan.stages.length - 1, step: 0 };
  const targets = [...new Set(plan.stages[at.stage]?.steps.flatMap((step) => step.targets) ?? [])];
  const rollout: Rollout = {
    ...blank(seed, 'rollback', to),
    touched: targets,
    before: Object.fromEntries(targets.map((target) => [target, to])),
  };
  return rollBack(rollout, at, { code: 'asked', by: seed.by, because: seed.because }, null, nowMs, to);
}

/** Puts one target alone on what is recorded there: between deploys, something else came to run on it. */
export function createRepair(seed: Seed & { recorded: Recorded; by: string; because: string }): Decision {
  const { plan, nowMs, recorded, by, because } = seed;
  const { target, artifact: to, config } = recorded;
  const at = { stage: plan.stages.length - 1, step: 0 };
  const rollout: Rollout = {
    ...blank(seed, 'rollback', to),
    touched: [target],
    before: { [target]: to },
    // What somebody decided to go on without when it was placed does not hold this up either.
    without: recorded.without.map((id) => ({ target, id, by, because, atMs: recorded.atMs })),
  };
  return rollBack(rollout, at, { code: 'drifted', target, by, config }, null, nowMs, to);
}

/** A version that ran before Belay knew the service: all that is known of it is its digest. */
export function adoptedRelease(service: ServiceSpec, artifact: Artifact, id: string, nowMs: number): Release {
  const unanswered = { answer: 'unanswered', text: '' } as const;
  return {
    id,
    service: service.name,
    pipeline: service.pipeline,
    repo: service.repo,
    branch: service.branch,
    sha: artifact.sha,
    title: 'The version that ran before',
    url: '',
    committedAtMs: nowMs,
    mergedAtMs: nowMs,
    pullRequest: null,
    participants: [],
    review: { approvedBy: [], checks: 'none' },
    checklist: { tests: unanswered, telemetry: unanswered, breaking: unanswered, rollback: unanswered },
    isRollForwardOnly: false,
    changedLines: null,
    diffUrl: '',
  };
}
