import { authorize } from '../core/authorize.ts';
import { adoptedRelease, createRollback, createRollout } from '../core/create.ts';
import type { Decision } from '../core/decision.ts';
import type { PlanFacts } from '../core/facts.ts';
import { occupies } from '../core/lane.ts';
import { isImpossible } from '../core/outlook.ts';
import { laneOf, type ServiceSpec } from '../core/pipeline.ts';
import { type Hash, isPlanProblem, type Plan, type PlanProblem, planOf, type Request } from '../core/plan.ts';
import { type Actor, principalKey } from '../core/principal.ts';
import type { Refusal } from '../core/refusal.ts';
import type { Artifact, Release } from '../core/release.ts';
import type { Rollout } from '../core/rollout.ts';
import { touchedIn } from '../core/step.ts';
import { type Applied, applyDecision, applyEvent } from './apply.ts';
import type { Engine, Outcome } from './engine.ts';
import type { Good, Ledger, LedgerWriter, Placement } from './ledger.ts';

export type CommandOptions = {
  ledger: Ledger;
  engine: Pick<Engine, 'afterCommit'>;
  now: () => number;
  newId: () => string;
  hash: Hash;
  /** What runs and what is asked of it, before anything is written. null: nobody asks. Never rejects, takes seconds at most. */
  readFacts(service: ServiceSpec): Promise<PlanFacts | null>;
};

export type DeployCommand = {
  service: ServiceSpec;
  release: Release;
  upTo: string | null;
  actor: Actor;
  because: string | null;
};

export type RollbackCommand = {
  service: ServiceSpec;
  stage: string | null;
  /** A digest, a full sha, or null: what ran before. */
  to: string | null;
  actor: Actor;
  because: string;
};

/** The stage that a rollback means when none is named: the last protected one, or the last. */
export function rollbackStage(service: ServiceSpec, named: string | null): string | null {
  if (named !== null) return service.stages.some((stage) => stage.name === named) ? named : null;
  return (service.stages.findLast((stage) => stage.isProtected) ?? service.stages.at(-1))?.name ?? null;
}

export type Commands = ReturnType<typeof createCommands>;

/** What starts a rollout: a merge, a person's deploy, a rollback. Each is one transaction. */
export function createCommands({ ledger, engine, now, newId, hash, readFacts }: CommandOptions) {
  const plan = async (service: ServiceSpec, release: Release, upTo: string | null): Promise<Plan | PlanProblem> =>
    planOf(service, release, upTo, hash, await readFacts(service));

  /** A plan in spite of facts that make it impossible: they are read again, and hold it, when its stage begins. */
  function planned(service: ServiceSpec, release: Release, upTo: string | null, facts: PlanFacts | null): Plan {
    const made = planOf(service, release, upTo, hash, facts);
    if (!isPlanProblem(made)) return made;
    if (isImpossible(made)) return planned(service, release, upTo, null);
    throw new Error(`No plan of ${service.name} to ${upTo}: ${made.code}`);
  }

  async function create(tx: LedgerWriter, decision: Decision, atMs: number): Promise<Applied> {
    return applyDecision(tx, { ...decision.rollout, generation: 0 }, decision, { type: 'created', atMs });
  }

  async function launch(
    tx: LedgerWriter,
    service: ServiceSpec,
    release: Release,
    request: Request,
    facts: PlanFacts | null,
    atMs: number,
  ): Promise<Applied> {
    const made = planned(service, release, request.upTo, facts);
    const seed = { id: newId(), service, release, plan: made, request, nowMs: atMs };
    return create(tx, createRollout(seed), atMs);
  }

  /**
   * Merged commits, oldest first, as they were read from the source: each becomes one release and one rollout however
   * often it is reported, and the repository's head is remembered in the same transaction. Answers the new rollouts.
   */
  async function recordMerges(
    service: ServiceSpec,
    read: { headSha: string; releases: Release[] },
  ): Promise<Rollout[]> {
    const facts = read.releases.length > 0 ? await readFacts(service) : null;
    const atMs = now();
    const applied = await ledger.write(async (tx) => {
      const all: Applied[] = [];
      for (const release of read.releases) {
        if (!(await tx.addRelease(release))) continue;
        const request: Request = { by: { kind: 'belay' }, name: 'a merge', because: null, upTo: null };
        all.push(await launch(tx, service, release, request, facts, atMs));
      }
      await tx.setHead(service.repo, headOf(service), read.headSha, atMs);
      return all;
    });
    for (const one of applied) engine.afterCommit(one);
    return applied.map((one) => one.decision.rollout);
  }

  async function deploy(command: DeployCommand): Promise<Outcome> {
    const { service, release, upTo, actor } = command;
    const facts = await readFacts(service);
    const made = planOf(service, release, upTo, hash, facts);
    if (isPlanProblem(made)) {
      if (!isImpossible(made)) throw new Error(`No plan of ${service.name} to ${upTo}: ${made.code}`);
      return refuse({ code: 'plan-impossible', problem: made }, actor, `deploy ${service.name}`);
    }
    const action = made.stages.some((stage) => stage.isProtected) ? 'deploy-protected' : 'deploy';
    const allowed = authorize(actor, action);
    if (!allowed.allowed) return refuse(allowed.refusal, actor, `deploy ${service.name}`);
    const atMs = now();
    const applied = await ledger.write(async (tx) => {
      await tx.addRelease(release);
      const known = (await tx.release(service.name, service.pipeline, release.sha)) ?? release;
      const open = (await tx.openRollouts(laneOf(service))).find(
        (one) => one.kind === 'release' && one.release.sha === known.sha,
      );
      if (open) return open;
      const request: Request = { by: actor.principal, name: actor.name, because: command.because, upTo };
      return launch(tx, service, known, request, facts, atMs);
    });
    if (!('decision' in applied)) return { is: 'accepted', rollout: applied };
    engine.afterCommit(applied);
    return { is: 'accepted', rollout: applied.decision.rollout };
  }

  /**
   * Back to a version that was healthy there. What is on its way and has touched the stage takes itself back;
   * otherwise a rollback of the whole stage takes the lane at once. It asks no gate, no lock and no look-up.
   */
  async function rollback(command: RollbackCommand): Promise<Outcome> {
    const { service, actor, because } = command;
    const allowed = authorize(actor, 'rollback');
    const no = (refusal: Refusal) => refuse(refusal, actor, `rollback ${service.name}`);
    if (!allowed.allowed) return no(allowed.refusal);
    if (because.trim() === '') return no({ code: 'reason-missing' });
    const stage = rollbackStage(service, command.stage);
    if (stage === null) return no({ code: 'nothing-to-roll-back-to' });
    const atMs = now();
    const applied = await ledger.write(async (tx): Promise<Applied[] | Refusal> => {
      const live = (await tx.openRollouts(laneOf(service))).find(occupies);
      const goods = await tx.goods(service.name, stage);
      const chosen = command.to === null ? null : versionsOf(goods).find((one) => isVersion(one, command.to));
      if (command.to !== null && !chosen) return { code: 'never-healthy-here', digest: command.to };
      if (live && hasTouched(live, stage)) {
        const to = chosen ?? null;
        const event = { type: 'rollback-requested', atMs, actor, because, to } as const;
        const one = await applyEvent(tx, live.id, event);
        return one ? [one] : [];
      }
      const placements = (await tx.placements(service.name)).filter((one) => one.stage === stage);
      const to = chosen ?? versionBefore(versionsOf(goods), placements);
      if (!to) return { code: 'nothing-to-roll-back-to' };
      const all: Applied[] = [];
      const id = newId();
      const release =
        (await tx.release(service.name, service.pipeline, to.sha)) ?? adoptedRelease(service, to, id, atMs);
      const request: Request = { by: actor.principal, name: actor.name, because, upTo: stage };
      const seed = { id, service, release, plan: planned(service, release, stage, null), request, nowMs: atMs };
      const created = await create(tx, createRollback({ ...seed, to, because, by: actor.name }), atMs);
      // The lane is taken before it is given up: in between nothing that is queued may start.
      if (live) {
        const taken = await applyEvent(tx, live.id, { type: 'taken-over', atMs, byRollout: id, by: actor.name });
        if (taken) all.push(taken);
      }
      return [...all, created];
    });
    if (!Array.isArray(applied)) return no(applied);
    for (const one of applied) engine.afterCommit(one);
    const decision = applied.at(-1)?.decision;
    if (!decision) return no({ code: 'nothing-to-roll-back-to' });
    const { answer, rollout } = decision;
    return answer.is === 'refused' ? { is: 'refused', refusal: answer.refusal, rollout } : { is: 'accepted', rollout };
  }

  /** A refusal before there is a rollout is audited too: who tried what. */
  async function refuse(refusal: Refusal, actor: Actor, what: string): Promise<Outcome> {
    const entry = {
      rolloutId: null,
      actor: principalKey(actor.principal),
      what: `${what} refused`,
      body: { ...refusal },
    };
    await ledger.write((tx) => tx.audit(entry, now()));
    return { is: 'refused', refusal, rollout: null };
  }

  return { plan, recordMerges, deploy, rollback };
}

/** The row of `repos` that a service's pipeline reads from: two services of one repository each keep their own place. */
export function headOf(service: ServiceSpec): string {
  return `${service.branch}@${laneOf(service)}`;
}

function hasTouched(rollout: Rollout, stage: string): boolean {
  return 'at' in rollout.phase && rollout.plan.stages[rollout.phase.at.stage]?.name === stage
    ? touchedIn(rollout, rollout.phase.at).length > 0
    : false;
}

/** Distinct versions, newest first. */
export function versionsOf(goods: Good[]): Artifact[] {
  const seen = new Map<string, Artifact>();
  for (const good of goods) if (!seen.has(good.artifact.digest)) seen.set(good.artifact.digest, good.artifact);
  return [...seen.values()];
}

/** The version before the one that runs; a newer one was taken back, and is not gone back to. */
function versionBefore(versions: Artifact[], placements: Placement[]): Artifact | null {
  const running = versions.findLastIndex((one) => placements.some((now) => now.artifact.digest === one.digest));
  return versions[running + 1] ?? null;
}

function isVersion(artifact: Artifact, named: string | null): boolean {
  return artifact.digest === named || (artifact.sha !== '' && artifact.sha === named);
}
