import { adoptedRelease, createRepair } from '../core/create.ts';
import type { Drift, Recorded } from '../core/drift.ts';
import { type AcceptFacts, DRIFT_ACTIONS, type DriftAct, decideDrift } from '../core/drift-act.ts';
import { caseId, type DriftCase } from '../core/drift-case.ts';
import { occupies } from '../core/lane.ts';
import { laneOf, type ServiceSpec } from '../core/pipeline.ts';
import { type Hash, isPlanProblem, planOf, stageAt } from '../core/plan.ts';
import { type Actor, principalKey } from '../core/principal.ts';
import type { Refusal } from '../core/refusal.ts';
import { isReviewed, type Release } from '../core/release.ts';
import type { Rollout } from '../core/rollout.ts';
import { touchedIn } from '../core/step.ts';
import { type Applied, applyDecision, applyEvent } from './apply.ts';
import { isBusy } from './busy.ts';
import { writeStep } from './drift-turn.ts';
import type { Engine } from './engine.ts';
import type { Ledger, LedgerWriter } from './ledger.ts';

export type DriftCommandOptions = {
  services: ServiceSpec[];
  ledger: Ledger;
  engine: Pick<Engine, 'afterCommit'>;
  now: () => number;
  newId: () => string;
  hash: Hash;
};

/** What somebody wants done about a drift, and which state of it they saw. */
export type DriftWish = {
  service: string;
  target: string;
  number: number;
  generation: number;
  actor: Actor;
} & ({ act: 'fix' } | { act: 'accept'; because: string } | { act: 'ignore'; because: string; untilMs: number });

/** `known`: what is known of the target after it, committed. */
export type DriftOutcome =
  | { is: 'accepted'; known: DriftCase; rollout: Rollout | null }
  | { is: 'refused'; refusal: Refusal; known: DriftCase | null };

export type DriftCommands = ReturnType<typeof createDriftCommands>;

/** What people decide about a drift. Each is one transaction: of two who click, one is first. */
export function createDriftCommands({ services, ledger, engine, now, newId, hash }: DriftCommandOptions) {
  /**
   * Fix: a rollout puts what is recorded on this target alone, as a rollback does, asking for no approval. Accept: what
   * runs is recorded. Ignore: nothing more is said until then, unless it changes.
   */
  async function decide(wish: DriftWish): Promise<DriftOutcome> {
    const { service: name, target, actor } = wish;
    const atMs = now();
    const applied: Applied[] = [];
    const outcome = await ledger.write(async (tx): Promise<DriftOutcome> => {
      // The unit may run twice: what an earlier run gathered was never committed.
      applied.length = 0;
      const known = await tx.drift(name, target);
      const refuse = async (refusal: Refusal): Promise<DriftOutcome> => {
        const what = `${DRIFT_ACTIONS[wish.act]} refused`;
        const rolloutId = known ? caseId(known) : null;
        await tx.audit({ rolloutId, actor: principalKey(actor.principal), what, body: { target, ...refusal } }, atMs);
        return { is: 'refused', refusal, known };
      };
      const service = known && specOf(services, name, known.recorded);
      if (!known || !service) return refuse({ code: 'not-configured', target });
      const act: DriftAct = wish.act === 'fix' ? { ...wish, atMs, rolloutId: newId() } : { ...wish, atMs };
      const facts = act.act === 'accept' ? await acceptFacts(tx, service, known) : NOBODY;
      const decision = decideDrift(known, act, facts);
      if (decision.is === 'refused') return refuse(decision.refusal);
      let rollout: Rollout | null = null;
      if (act.act === 'fix') {
        const repaired = await repair(tx, service, known.recorded, act.rolloutId, actor, atMs);
        if (!Array.isArray(repaired)) return refuse(repaired);
        applied.push(...repaired);
        rollout = repaired.at(-1)?.decision.rollout ?? null;
      } else if (act.act === 'accept' && (await isBusy(tx, services, name, target))) {
        return refuse(await underWay(tx, service));
      }
      const because = 'because' in act ? act.because : null;
      const by = principalKey(actor.principal);
      await tx.recordDriftDecision(known, { by, name: actor.name, choice: DRIFT_ACTIONS[act.act], because, atMs });
      if (decision.placed) await tx.place(name, decision.placed);
      await writeStep(tx, known, decision, by, atMs);
      return { is: 'accepted', known: decision.next, rollout };
    });
    for (const one of applied) engine.afterCommit(one);
    engine.afterCommit(null);
    return outcome;
  }

  /** Owes the rollout that puts one target back on what is recorded. What is on its way and has touched nothing gives way. */
  async function repair(
    tx: LedgerWriter,
    service: ServiceSpec,
    recorded: Recorded,
    id: string,
    actor: Actor,
    atMs: number,
  ): Promise<Applied[] | Refusal> {
    const { target, artifact: to } = recorded;
    const live = (await tx.openRollouts(laneOf(service))).find(occupies);
    if ((live && hasWork(live)) || (await isBusy(tx, services, service.name, target))) return underWay(tx, service);
    const known = await tx.release(service.name, service.pipeline, to.sha);
    const release = known ?? adoptedRelease(service, to, id, atMs);
    const plan = planOf(service, release, recorded.stage, hash);
    if (isPlanProblem(plan)) return { code: 'not-configured', target };
    const because = `${target} came to run something else than is recorded`;
    const request = { by: actor.principal, name: actor.name, because, upTo: recorded.stage };
    const decision = createRepair({
      id,
      service,
      release,
      plan,
      request,
      nowMs: atMs,
      recorded,
      by: actor.name,
      because,
    });
    const before = { ...decision.rollout, generation: 0 };
    const created = await applyDecision(tx, before, decision, { type: 'created', atMs });
    // The lane is taken before it is given up: in between nothing that is queued may start.
    const taken = live
      ? await applyEvent(tx, live.id, { type: 'taken-over', atMs, byRollout: id, by: actor.name })
      : null;
    return taken ? [taken, created] : [created];
  }

  return { decide };
}

const NOBODY: AcceptFacts = { participants: [], sha: '', required: null };

/** The service as it is configured now, when the target is still in the stage that it was recorded for. */
function specOf(services: ServiceSpec[], name: string, { stage, target }: Recorded): ServiceSpec | null {
  const isThere = (one: ServiceSpec) =>
    one.stages.some((of) => of.name === stage && of.steps.some((step) => step.targets.includes(target)));
  return services.find((one) => one.name === name && isThere(one)) ?? null;
}

/** Taking its place now would leave what it has begun half done. */
function hasWork(rollout: Rollout): boolean {
  return 'at' in rollout.phase && touchedIn(rollout, rollout.phase.at).length > 0;
}

async function underWay(tx: LedgerWriter, service: ServiceSpec): Promise<Refusal> {
  const open = (await tx.openRollouts(laneOf(service))).filter(occupies);
  const first = open.find(hasWork) ?? open[0];
  const stage = first && 'at' in first.phase ? stageAt(first.plan, first.phase.at).name : '';
  return { code: 'work-under-way', service: service.name, sha: first?.release.sha ?? '', stage };
}

/**
 * Who may accept what runs, and how many have to. On a protected stage: as many as for a release there, and one more for
 * what has no review that Belay knows: a version that is no known release, or another configuration.
 */
async function acceptFacts(tx: LedgerWriter, service: ServiceSpec, known: DriftCase): Promise<AcceptFacts> {
  const { recorded, phase } = known;
  const runs = 'drift' in phase ? runningOf(phase.drift) : null;
  const version = runs && (await versionOf(tx, service, recorded, runs.digest));
  const release = version && (await tx.release(service.name, service.pipeline, version.sha));
  const participants = release ? await tx.participantsSince(recorded.artifact.sha || null, release) : [];
  const stage = service.stages.find((one) => one.name === recorded.stage);
  const isReviewedChange = release !== null && isReviewed(release as Release) && runs?.config === recorded.config;
  const asked = stage?.isProtected ? (stage.approvals?.required ?? null) : 1;
  const extra = stage?.isProtected && !isReviewedChange ? 1 : 0;
  return { participants, sha: version?.sha ?? '', required: asked === null ? null : asked + extra };
}

function runningOf({ running }: Drift): Drift['running'][number] | null {
  return running.length === 1 ? (running[0] ?? null) : null;
}

async function versionOf(tx: LedgerWriter, service: ServiceSpec, recorded: Recorded, digest: string) {
  if (digest === recorded.artifact.digest) return recorded.artifact;
  return tx.knownVersion(service.name, digest);
}
