import type { Signal } from '../../src/core/judge/signal.ts';
import type { ServiceSpec, StageSpec, StepSpec } from '../../src/core/pipeline.ts';
import type { Actor, Role } from '../../src/core/principal.ts';
import type { Release } from '../../src/core/release.ts';
import { PLAIN_STAGE, PLAIN_STEP, plainService } from './placing.ts';

/** The people of the tests. Ana writes, Ben and Bo approve, Cho is on call, Dan deploys; Eve is a guest. */
export const PEOPLE = {
  ana: { id: 'U0ANA', githubId: 100001 },
  ben: { id: 'U0BEN', githubId: 100002 },
  bo: { id: 'U0BO', githubId: 100006 },
  cho: { id: 'U0CHO', githubId: 100003 },
  dan: { id: 'U0DAN', githubId: 100004 },
  eve: { id: 'U0EVE', githubId: 100005 },
} as const;

export type PersonName = keyof typeof PEOPLE;

export function keyOf(name: PersonName): string {
  return `slack:T1/${PEOPLE[name].id}`;
}

const ROLES: Record<PersonName, Role[]> = {
  ana: ['viewer', 'deployer', 'approver'],
  ben: ['viewer', 'approver'],
  bo: ['viewer', 'approver'],
  cho: ['viewer', 'on-call'],
  dan: ['viewer', 'deployer'],
  eve: ['viewer'],
};

export function actor(name: PersonName): Actor {
  return {
    principal: { kind: 'slack', teamId: 'T1', userId: PEOPLE[name].id },
    name,
    standing: name === 'eve' ? 'guest' : 'member',
    roles: ROLES[name],
    githubId: PEOPLE[name].githubId,
  };
}

export function aSignal(overrides: Partial<Signal> = {}): Signal {
  return {
    name: 'errors',
    kind: 'threshold',
    neighbour: null,
    baseline: null,
    comparison: null,
    group: null,
    source: 'scrape',
    query: {},
    healthyWhen: { max: 0.01 },
    degradedWhen: { min: 0.05 },
    role: 'critical',
    weight: 100,
    failures: 1,
    of: 1,
    minSamples: 1,
    maxAgeMs: 60_000,
    unit: '%',
    ...overrides,
  };
}

export function aStep(overrides: Partial<StepSpec> = {}): StepSpec {
  return {
    name: 'all',
    kind: 'all',
    targets: ['staging'],
    share: 1,
    ...PLAIN_STEP,
    bake: { forMs: 10_000, everyMs: 2000, deadlineMs: 120_000 },
    onDegraded: 'rollback',
    ...overrides,
  };
}

export function aStage(overrides: Partial<StageSpec> = {}): StageSpec {
  return {
    name: 'staging',
    isProtected: false,
    approvals: null,
    steps: [aStep()],
    signals: [aSignal()],
    ...PLAIN_STAGE,
    deployDeadlineMs: 120_000,
    verifyDeadlineMs: 60_000,
    decideWithinMs: null,
    defaultDecision: null,
    ...overrides,
  };
}

/** Staging, then a protected production with a canary in both regions and a wave each. */
export function aService(overrides: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name: 'shop',
    pipeline: 'code',
    repo: 'acme/shop',
    branch: 'main',
    channel: 'C0SHOP',
    build: { check: 'build', deadlineMs: 1_800_000 },
    provider: 'fleet',
    targets: { staging: {}, eu: {}, us: {} },
    ...plainService(['staging', 'eu', 'us']),
    stages: [
      aStage(),
      aStage({
        name: 'production',
        isProtected: true,
        approvals: { required: 1, expireMs: 14_400_000 },
        steps: [
          aStep({ name: 'canary', kind: 'canary', targets: ['eu', 'us'], share: 0.1 }),
          aStep({ name: 'wave 1', kind: 'wave', targets: ['us'], onDegraded: 'ask' }),
          aStep({ name: 'wave 2', kind: 'wave', targets: ['eu'], onDegraded: 'ask' }),
        ],
        decideWithinMs: 600_000,
        defaultDecision: 'roll-back',
      }),
    ],
    roles: {
      deployer: [keyOf('ana'), keyOf('dan')],
      approver: [keyOf('ana'), keyOf('ben'), keyOf('bo')],
      'on-call': [keyOf('cho')],
      admin: [],
    },
    onCall: keyOf('cho'),
    ...overrides,
  };
}

/** The n-th commit of the default branch as a reviewed release of Ana's. */
export function aRelease(n: number, overrides: Partial<Release> = {}): Release {
  const sha = n.toString(16).padStart(40, '0').replace(/^0/, 'c');
  const yes = { answer: 'yes', text: '' } as const;
  return {
    id: `release-${String(n).padStart(4, '0')}`,
    service: 'shop',
    pipeline: 'code',
    repo: 'acme/shop',
    branch: 'main',
    sha,
    title: `Change ${n}`,
    url: `https://github.com/acme/shop/commit/${sha}`,
    committedAtMs: 1_000_000 + n * 1000,
    mergedAtMs: 1_000_000 + n * 1000,
    pullRequest: {
      number: n,
      title: `Change ${n}`,
      url: `https://github.com/acme/shop/pull/${n}`,
      headRef: `change-${n}`,
      authorLogin: 'ana',
      mergedByLogin: 'ana',
    },
    participants: [{ part: 'opener', githubId: PEOPLE.ana.githubId, login: 'ana', isBot: false }],
    review: { approvedBy: ['ben'], checks: 'green' },
    checklist: { tests: yes, telemetry: yes, breaking: { answer: 'no', text: '' }, rollback: yes },
    isRollForwardOnly: false,
    changedLines: 40,
    diffUrl: `https://github.com/acme/shop/pull/${n}/files`,
    ...overrides,
  };
}
