import { caseId, type DriftCase, type DriftEvent, type DriftStep, driftStep, newCase } from '../core/drift-case.ts';
import type { ServiceSpec } from '../core/pipeline.ts';
import type { LedgerWriter, Placement } from './ledger.ts';

/** One event on what is known of a target, written with what people and the audit get of it. Answers what is known then. */
export async function turn(
  tx: LedgerWriter,
  service: ServiceSpec,
  placement: Placement,
  event: DriftEvent,
): Promise<DriftCase> {
  const saved = await tx.drift(service.name, placement.target);
  const known = { ...(saved ?? newCase(service.name, service.channel, placement)), channel: service.channel };
  const told =
    event.type === 'looked' ? { ...event, isTold: await tx.isDriftTold(service.name, placement.target) } : event;
  const step = driftStep(known, told);
  await writeStep(tx, known, step, 'belay', event.atMs, saved === null);
  return step.next;
}

/** Writes a step of a drift: its state, the audit row, and that its message must follow. */
export async function writeStep(
  tx: LedgerWriter,
  before: DriftCase,
  { next, happened }: DriftStep,
  actor: string,
  atMs: number,
  isNew = false,
): Promise<void> {
  if (isNew || JSON.stringify(next) !== JSON.stringify(before)) await tx.saveDrift(next);
  if (happened === null) return;
  const { generation, recorded, phase } = next;
  const body = JSON.parse(JSON.stringify({ generation, from: before.phase.is, recorded, phase }));
  await tx.audit({ rolloutId: caseId(next), actor, what: `drift ${happened}`, body }, atMs);
  await tx.oweDrift(next, atMs);
}
