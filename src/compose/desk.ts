import { isImpossible } from '../core/outlook.ts';
import { laneOf, type ServiceSpec } from '../core/pipeline.ts';
import { isPlanProblem, type Plan } from '../core/plan.ts';
import type { Release } from '../core/release.ts';
import { type Commands, rollbackStage, versionsOf } from '../engine/commands.ts';
import type { DriftCommands } from '../engine/drift-commands.ts';
import type { Engine } from '../engine/engine.ts';
import type { Ledger } from '../engine/ledger.ts';
import type { Desk, RefProblem } from '../slack/desk.ts';
import { pastOf } from './past.ts';

export type DeskParts = {
  services: ServiceSpec[];
  ledger: Ledger;
  engine: Engine;
  commands: Commands;
  driftCommands: DriftCommands;
  resolveRef(service: ServiceSpec, ref: string | null): Promise<Release | RefProblem>;
  nearest(word: string, known: readonly string[]): string | null;
  now(): number;
};

/** What people can ask of Belay, answered from the ledger and the engine. */
export function createDesk(parts: DeskParts): Desk {
  const { services, ledger, engine, commands, nearest } = parts;
  const names = services.map((service) => service.name);
  const serviceOf = (name: string) => services.find((service) => service.name === name);
  const unknown = (found: string): RefProblem => ({
    code: 'unknown-service',
    found,
    nearest: nearest(found, names),
    known: names,
  });

  function known(name: string): ServiceSpec {
    const service = serviceOf(name);
    if (!service) throw new Error(`There is no service ${name}`);
    return service;
  }

  async function plan(name: string, release: Release, upTo: string | null): Promise<Plan | RefProblem> {
    const service = serviceOf(name);
    if (!service) return unknown(name);
    const made = await commands.plan(service, release, upTo);
    if (!isPlanProblem(made) || isImpossible(made)) return made;
    const stages = service.stages.map((stage) => stage.name);
    const found = made.code === 'unknown-stage' ? made.found : '';
    return { code: 'unknown-stage', found, nearest: nearest(found, stages), known: stages };
  }

  return {
    services: () => services,
    rollout: (id) => ledger.rollout(id),
    live: async (name, limit) => {
      const service = name === null ? null : serviceOf(name);
      if (name !== null && !service) return [];
      return ledger.openRollouts(service ? laneOf(service) : null, limit);
    },
    history: (name, limit) => ledger.history(name, limit),
    past: (rollout) => pastOf(ledger, rollout),
    placements: (name) => ledger.placements(name),
    rollbackChoices: async (name, named) => {
      const service = serviceOf(name);
      const stage = service ? rollbackStage(service, named) : null;
      if (!service || stage === null) return [];
      const goods = await ledger.goods(name, stage);
      return Promise.all(
        versionsOf(goods).map(async (artifact) => {
          const release = await ledger.release(name, service.pipeline, artifact.sha);
          const atMs = goods.find((one) => one.artifact.digest === artifact.digest)?.atMs ?? 0;
          return { artifact, atMs, title: release?.title ?? 'The version that ran before' };
        }),
      );
    },
    resolve: async (name, ref) => {
      const service = serviceOf(name);
      return service ? parts.resolveRef(service, ref) : unknown(name);
    },
    plan,
    deploy: ({ service, ...rest }) => commands.deploy({ ...rest, service: known(service) }),
    rollback: ({ service, ...rest }) => commands.rollback({ ...rest, service: known(service) }),
    submit: async (rolloutId, event) => {
      const outcome = await engine.submit(rolloutId, event);
      if (!outcome) throw new Error(`There is no rollout ${rolloutId}`);
      return outcome;
    },
    drift: (service, target) => ledger.drift(service, target),
    drifts: (service) => ledger.drifts(service),
    decideDrift: (request) => parts.driftCommands.decide(request),
    now: parts.now,
  };
}
