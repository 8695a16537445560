import { decide } from '../core/decide.ts';
import type { Decision } from '../core/decision.ts';
import type { Event } from '../core/event.ts';
import type { Json } from '../core/json.ts';
import { nextInLane } from '../core/lane.ts';
import { principalKey } from '../core/principal.ts';
import type { Rollout } from '../core/rollout.ts';
import { watchedIn } from '../core/step.ts';
import type { LedgerWriter } from './ledger.ts';

/** What a transaction did, for whoever asked and for the loop after the commit. */
export type Applied = { decision: Decision; cancelled: string[] };

/** Load, decide, write: one event on one rollout, with everything that follows from it on its lane. */
export async function applyEvent(tx: LedgerWriter, rolloutId: string, event: Event): Promise<Applied | null> {
  const rollout = await tx.rollout(rolloutId);
  if (!rollout) return null;
  return applyDecision(tx, rollout, decide(rollout, event), event);
}

/** Writes a decision: state, facts, audit row and what is owed, and then lets the lane move on. */
export async function applyDecision(
  tx: LedgerWriter,
  previous: Rollout,
  decision: Decision,
  event: Event | { type: 'created'; atMs: number },
): Promise<Applied> {
  const { rollout, answer } = decision;
  const hasMoved = rollout.generation !== previous.generation || event.type === 'created';
  await tx.audit(
    {
      rolloutId: rollout.id,
      actor: actorOf(event, rollout),
      what: answer.is === 'changed' ? event.type : `${event.type} ${answer.is}`,
      body: auditBody(previous, decision, event, hasMoved),
    },
    event.atMs,
  );
  const cancelled: string[] = [];
  if (answer.is !== 'changed') return { decision, cancelled };
  await tx.saveRollout(rollout);
  if (hasMoved) cancelled.push(...(await tx.cancelOlder(rollout.id, rollout.generation)));
  cancelled.push(...(await takeOver(tx, decision, event.atMs)));
  for (const effect of decision.effects) await tx.owe(rollout, effect, event.atMs + effect.afterMs);
  await tx.record(rollout, previous.generation, decision.facts);
  await tx.oweProjection(rollout.id, event.atMs);
  if (hasMoved && freesLane(rollout)) cancelled.push(...(await moveLane(tx, rollout.lane, event.atMs)));
  return { decision, cancelled };
}

/** What an earlier release was to remove is made anew: nobody takes it away from this one any more. */
async function takeOver(tx: LedgerWriter, { rollout, effects }: Decision, atMs: number): Promise<string[]> {
  const cancelled: string[] = [];
  for (const effect of effects) {
    if (effect.kind !== 'create') continue;
    for (const { rolloutId, key } of await tx.cancelRemovals(rollout.service, effect.target)) {
      const { generation, target } = effect;
      const applied = await applyEvent(tx, rolloutId, { type: 'removed', atMs, generation, target });
      cancelled.push(key, ...(applied?.cancelled ?? []));
    }
  }
  return cancelled;
}

/** Only these phases can let another rollout of the lane start or end. */
function freesLane(rollout: Rollout): boolean {
  return rollout.endedAtMs !== null || ['queued', 'gated', 'holding'].includes(rollout.phase.is);
}

async function moveLane(tx: LedgerWriter, lane: string, atMs: number): Promise<string[]> {
  const cancelled: string[] = [];
  const move = nextInLane(await tx.openRollouts(lane));
  for (const { id, byRollout, bySha } of move.supersede) {
    const applied = await applyEvent(tx, id, { type: 'superseded', atMs, byRollout, bySha });
    cancelled.push(...(applied?.cancelled ?? []));
  }
  if (move.start === null) return cancelled;
  const starting = await tx.rollout(move.start);
  // Superseding an older one may have moved the lane already.
  if (starting?.phase.is !== 'queued') return cancelled;
  const desired = await tx.desired(lane);
  const desiredSha = desired?.sha ?? null;
  const last = await tx.lastSucceeded(lane);
  const applied = await applyEvent(tx, starting.id, {
    type: 'started',
    atMs,
    desiredSha,
    desiredDigest: desired?.digest ?? null,
    participants: await tx.participantsSince(desiredSha, starting.release),
    lastGood: await tx.lastGoodByTarget(starting.service),
    lastWatched: last ? watchedIn(last) : [],
  });
  cancelled.push(...(applied?.cancelled ?? []));
  return cancelled;
}

function actorOf(event: Event | { type: 'created' }, rollout: Rollout): string {
  if (event.type === 'created') return principalKey(rollout.request.by);
  return 'actor' in event ? principalKey(event.actor.principal) : 'belay';
}

/** The whole event where something came of it; a look that changed nothing leaves its type only, or the audit would be all looks. */
function auditBody(
  previous: Rollout,
  { rollout, effects, answer }: Decision,
  event: Event | { type: 'created' },
  hasMoved: boolean,
): Json {
  const isLook = !hasMoved && (event.type === 'measured' || event.type === 'observed' || event.type === 'stumbled');
  const body = {
    event: isLook ? { type: event.type } : event,
    from: previous.phase.is,
    to: rollout.phase.is,
    generation: rollout.generation,
    effects: effects.map((effect) => effect.key),
    ...(answer.is === 'changed' ? {} : { answer }),
  };
  // Events and answers are plain JSON; their types are interfaces of it that TypeScript does not see as such.
  return body as unknown as Json;
}
