import { authorize } from '../../src/core/authorize.ts';
import { decide } from '../../src/core/decide.ts';
import { decideDrift } from '../../src/core/drift-act.ts';
import type { DriftCase } from '../../src/core/drift-case.ts';
import type { Event } from '../../src/core/event.ts';
import type { ServiceSpec } from '../../src/core/pipeline.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import type {
  DeployRequest,
  Desk,
  DriftOutcome,
  DriftRequest,
  Outcome,
  RollbackRequest,
} from '../../src/slack/desk.ts';
import type { Replays } from '../../src/slack/guard.ts';
import { aPlan, aRelease, aRollout, aService, NOON_MS, sha } from '../support/rollout.ts';

export const SILENT = { info: () => {}, warn: () => {}, error: () => {} };

export function replaysInMemory(): Replays {
  const noted = new Set<string>();
  return {
    seen: async (digest) => {
      const isKnown = noted.has(digest);
      noted.add(digest);
      return isKnown;
    },
  };
}

export type FakeDesk = Desk & {
  rollouts: Map<string, Rollout>;
  /** By target. */
  known: Map<string, DriftCase>;
  asked: {
    deploys: DeployRequest[];
    rollbacks: RollbackRequest[];
    events: Event[];
    resolved: (string | null)[];
    drifts: DriftRequest[];
  };
  /** When set, the next commit fails with it. */
  failure: Error | null;
};

/** A desk in memory over the real core: the same rules, one commit after another. */
export function aDesk(rollouts: Rollout[] = [], services: ServiceSpec[] = [aService()]): FakeDesk {
  const byId = new Map(rollouts.map((one) => [one.id, one]));
  let tail: Promise<unknown> = Promise.resolve();
  const commit = <T>(work: () => T): Promise<T> => {
    const run = tail.then(() => {
      if (desk.failure) throw desk.failure;
      return work();
    });
    tail = run.catch(() => {});
    return run;
  };
  const desk: FakeDesk = {
    rollouts: byId,
    known: new Map(),
    asked: { deploys: [], rollbacks: [], events: [], resolved: [], drifts: [] },
    failure: null,
    services: () => services,
    rollout: async (id) => byId.get(id) ?? null,
    live: async (service) =>
      [...byId.values()].filter((one) => one.endedAtMs === null && (service ?? one.service) === one.service),
    past: async () => [],
    history: async (service) => [...byId.values()].filter((one) => (service ?? one.service) === one.service),
    placements: async () => [],
    rollbackChoices: async () => [],
    resolve: async (service, ref) => {
      desk.asked.resolved.push(ref);
      if (!services.some((one) => one.name === service)) {
        return { code: 'unknown-service', found: service, nearest: null, known: services.map((one) => one.name) };
      }
      if (ref !== null && ref !== 'main' && ref !== sha('a')) return { code: 'not-on-default-branch', found: ref };
      return aRelease({ service });
    },
    plan: async (service, release, upTo) =>
      aPlan(
        services.find((one) => one.name === service),
        release,
        upTo,
      ),
    deploy: (request) =>
      commit((): Outcome => {
        const allowed = authorize(request.actor, 'deploy-protected');
        if (!allowed.allowed) return { is: 'refused', refusal: allowed.refusal, rollout: null };
        desk.asked.deploys.push(request);
        const rollout = aRollout({ id: `ro-${byId.size + 1}`, release: request.release });
        byId.set(rollout.id, rollout);
        return { is: 'accepted', rollout };
      }),
    rollback: (request) =>
      commit((): Outcome => {
        const allowed = authorize(request.actor, 'rollback');
        if (!allowed.allowed) return { is: 'refused', refusal: allowed.refusal, rollout: null };
        desk.asked.rollbacks.push(request);
        return { is: 'accepted', rollout: aRollout({ id: 'ro-back', kind: 'rollback' }) };
      }),
    submit: (id, event) =>
      commit((): Outcome => {
        const rollout = byId.get(id);
        if (!rollout) throw new Error('no such rollout');
        desk.asked.events.push(event);
        const decision = decide(rollout, event);
        if (decision.answer.is === 'refused') return { is: 'refused', refusal: decision.answer.refusal, rollout };
        byId.set(id, decision.rollout);
        return { is: 'accepted', rollout: decision.rollout };
      }),
    drift: async (_service, target) => desk.known.get(target) ?? null,
    drifts: async () => [...desk.known.values()],
    decideDrift: (request) =>
      commit((): DriftOutcome => {
        const known = desk.known.get(request.target);
        if (!known) throw new Error('no such drift');
        desk.asked.drifts.push(request);
        const act = request.act === 'fix' ? { ...request, rolloutId: 'ro-fix' } : request;
        const decision = decideDrift(known, { ...act, atMs: NOON_MS }, { participants: [], sha: '', required: 1 });
        if (decision.is === 'refused') return { ...decision, known };
        desk.known.set(request.target, decision.next);
        return { is: 'accepted', known: decision.next };
      }),
    now: () => NOON_MS,
  };
  return desk;
}
