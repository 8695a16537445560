import { createHash } from 'node:crypto';
import { enter } from '../../src/core/door.ts';
import type { Person, ServiceSpec, StageSpec } from '../../src/core/pipeline.ts';
import { isPlanProblem, type Plan, planOf } from '../../src/core/plan.ts';
import type { Actor } from '../../src/core/principal.ts';
import type { Release } from '../../src/core/release.ts';
import { type Rollout, SCHEMA } from '../../src/core/rollout.ts';
import { PLAIN_STAGE, PLAIN_STEP, plainService } from './placing.ts';

/** 2026-03-02 10:00 UTC, a Monday. */
export const NOON_MS = Date.UTC(2026, 2, 2, 10);

export const TEAM = 'T0HOME';
export const CHANNEL = 'C0API';

export const sha = (digit: string) => digit.repeat(40);
export const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export const ANA = `slack:${TEAM}/U0ANA`;
export const BEN = `slack:${TEAM}/U0BEN`;
export const CARO = `slack:${TEAM}/U0CARO`;

/** Ana and Ben approve, Caro deploys and wrote the change, Ben is on call. */
export const PEOPLE: Person[] = [person('Ana', 'U0ANA', 1), person('Ben', 'U0BEN', 2), person('Caro', 'U0CARO', 3)];

function person(name: string, userId: string, githubId: number): Person {
  const githubLogin = name.toLowerCase();
  return { name, principal: { kind: 'slack', teamId: TEAM, userId }, githubId, githubLogin };
}

export function anActor(over: Partial<Actor> = {}): Actor {
  const principal: Actor['principal'] = { kind: 'slack', teamId: TEAM, userId: 'U0ANA' };
  return { principal, name: 'Ana', standing: 'member', roles: ['viewer', 'approver'], githubId: 1, ...over };
}

export function aStage(over: Partial<StageSpec> = {}): StageSpec {
  const bake = { forMs: 600_000, everyMs: 30_000, deadlineMs: 3_600_000 };
  return {
    name: 'staging',
    isProtected: false,
    approvals: null,
    steps: [{ name: 'all', kind: 'all', targets: ['stg'], share: 1, ...PLAIN_STEP, bake, onDegraded: 'ask' }],
    signals: [],
    ...PLAIN_STAGE,
    deployDeadlineMs: 600_000,
    verifyDeadlineMs: 600_000,
    decideWithinMs: 900_000,
    defaultDecision: 'roll-back',
    ...over,
  };
}

/** A service with `staging` and a protected `prod`: a canary, then all. */
export function aService(over: Partial<ServiceSpec> = {}): ServiceSpec {
  const bake = { forMs: 600_000, everyMs: 30_000, deadlineMs: 3_600_000 };
  return {
    name: 'api',
    pipeline: 'code',
    repo: 'acme/api',
    branch: 'main',
    channel: CHANNEL,
    build: { check: null, deadlineMs: 1_800_000 },
    provider: 'memory',
    targets: { stg: {}, prod: {} },
    ...plainService(['stg', 'prod']),
    stages: [
      aStage(),
      aStage({
        name: 'prod',
        isProtected: true,
        approvals: { required: 1, expireMs: 3_600_000 },
        steps: [
          {
            name: 'canary',
            kind: 'canary',
            targets: ['prod'],
            share: 0.1,
            ...PLAIN_STEP,
            bake,
            onDegraded: 'rollback',
          },
          { name: 'all', kind: 'all', targets: ['prod'], share: 1, ...PLAIN_STEP, bake, onDegraded: 'ask' },
        ],
      }),
    ],
    roles: { deployer: [CARO], approver: [ANA, BEN], 'on-call': [BEN], admin: [] },
    onCall: BEN,
    ...over,
  };
}

export function aRelease(over: Partial<Release> = {}): Release {
  const unanswered = { answer: 'unanswered' as const, text: '' };
  return {
    id: 'rel-1',
    service: 'api',
    pipeline: 'code',
    repo: 'acme/api',
    branch: 'main',
    sha: sha('a'),
    title: 'Add a cache',
    url: 'https://github.com/acme/api/pull/12',
    committedAtMs: NOON_MS - 3_600_000,
    mergedAtMs: NOON_MS - 600_000,
    pullRequest: {
      number: 12,
      title: 'Add a cache',
      url: 'https://github.com/acme/api/pull/12',
      headRef: 'feature/cache',
      authorLogin: 'caro',
      mergedByLogin: 'caro',
    },
    participants: [{ part: 'author', githubId: 3, login: 'caro', isBot: false }],
    review: { approvedBy: ['ben'], checks: 'green' },
    checklist: {
      tests: { answer: 'yes', text: 'unit' },
      telemetry: unanswered,
      breaking: { answer: 'no', text: '' },
      rollback: { answer: 'yes', text: '' },
    },
    isRollForwardOnly: false,
    changedLines: 42,
    diffUrl: 'https://github.com/acme/api/compare/b...a',
    ...over,
  };
}

export function aPlan(service = aService(), release = aRelease(), upTo: string | null = null): Plan {
  const plan = planOf(service, release, upTo, sha256);
  if (isPlanProblem(plan)) throw new Error(`No plan: ${plan.code}`);
  return plan;
}

/** A rollout of `aRelease` by Caro, waiting for approval of prod unless told otherwise. */
export function aRollout(over: Partial<Rollout> & { serviceSpec?: ServiceSpec } = {}): Rollout {
  const { serviceSpec, ...rest } = over;
  const service = serviceSpec ?? aService();
  const release = over.release ?? aRelease();
  return {
    id: 'ro-1',
    schema: SCHEMA,
    lane: `${service.name}/${service.pipeline}`,
    kind: 'release',
    service: service.name,
    pipeline: service.pipeline,
    channel: service.channel,
    release,
    artifact: { digest: digest('1'), sha: release.sha },
    plan: aPlan(service, release),
    spec: service,
    request: {
      by: { kind: 'slack', teamId: TEAM, userId: 'U0CARO' },
      name: 'Caro',
      because: null,
      upTo: null,
    },
    createdAtMs: NOON_MS,
    endedAtMs: null,
    generation: 7,
    phase: { is: 'gated', sinceMs: NOON_MS, at: { stage: 1, step: 0 }, voided: 0 },
    before: { stg: { digest: digest('0'), sha: sha('b') }, prod: { digest: digest('0'), sha: sha('b') } },
    lastGood: {},
    desiredSha: sha('b'),
    participants: release.participants,
    desiredDigest: digest('0'),
    found: {},
    seed: 1,
    assignment: {},
    environments: [],
    without: [],
    quiet: [],
    begunShort: [],
    checks: [],
    watchedFromMs: null,
    lastWatched: [],
    seen: {},
    touched: ['stg'],
    approvals: [],
    steps: [
      {
        stage: 'staging',
        step: 'all',
        startedAtMs: NOON_MS,
        endedAtMs: NOON_MS + 700_000,
        ended: 'passed',
        verdict: 'healthy',
        watchedFromMs: NOON_MS,
        checks: [],
      },
    ],
    stepStartedAtMs: null,
    stumble: null,
    seenAtMs: NOON_MS,
    lastAct: null,
    ...rest,
  };
}

/** The same rollout in its next phase, through the one door. */
export function entering(rollout: Rollout, phase: Rollout['phase'], nowMs = NOON_MS): Rollout {
  return enter(rollout, phase, [], nowMs).rollout;
}
