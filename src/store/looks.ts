import type { Kysely } from 'kysely';
import type { Fact, SignalLook } from '../core/decision.ts';
import type { Looked } from '../engine/ledger.ts';
import { prepared } from './prepared.ts';
import type { Tables } from './schema.ts';

/** Pictures are drawn while people decide or look back; what is older is in Slack, and in the audit. */
const KEPT_MS = 30 * 24 * 3_600_000;

/** As it is kept: names, numbers and verdicts without the names of their fields, which would be most of the text. */
type Body = [signal: string, now: number | null, baseline: number | null, verdict: SignalLook['verdict']][];

export type RecordLook = (
  rolloutId: string,
  generation: number,
  look: Extract<Fact, { fact: 'looked' }>,
) => Promise<void>;

/** `generation`: of the phase that looked, so that a step that is tried again does not continue its first try. */
export function lookRecorder(database: Kysely<Tables>): RecordLook {
  const save = prepared(database, (given: Tables['looks']) =>
    database
      .insertInto('looks')
      .values({
        rollout_id: given.rollout_id,
        generation: given.generation,
        round: given.round,
        stage: given.stage,
        step: given.step,
        since_ms: given.since_ms,
        at_ms: given.at_ms,
        body: given.body,
      })
      .onConflict((conflict) => conflict.columns(['rollout_id', 'generation', 'round']).doNothing()),
  );
  return async (rolloutId, generation, look) => {
    const body: Body = look.signals.map((one) => [one.signal, one.now, one.baseline, one.verdict]);
    const { stage, step, round, sinceMs, atMs } = look;
    await save({
      rollout_id: rolloutId,
      generation,
      round,
      stage,
      step,
      since_ms: sinceMs,
      at_ms: atMs,
      body: JSON.stringify(body),
    });
    // Whoever begins to watch makes room: the table grows with what is watched, and no further.
    if (round === 0) {
      await database
        .deleteFrom('looks')
        .where('at_ms', '<', atMs - KEPT_MS)
        .execute();
    }
  };
}

/** The looks of the newest try of a step, oldest first. */
export async function looksOf(
  database: Kysely<Tables>,
  rolloutId: string,
  stage: string,
  step: string,
): Promise<Looked[]> {
  const rows = await database
    .selectFrom('looks')
    .select(['generation', 'since_ms', 'at_ms', 'body'])
    .where('rollout_id', '=', rolloutId)
    .where('stage', '=', stage)
    .where('step', '=', step)
    .orderBy('generation')
    .orderBy('round')
    .execute();
  const newest = rows.at(-1)?.generation;
  return rows
    .filter((row) => row.generation === newest)
    .map((row) => ({
      sinceMs: row.since_ms,
      atMs: row.at_ms,
      signals: (JSON.parse(row.body) as Body).map(([signal, now, baseline, verdict]) => {
        return { signal, now, baseline, verdict };
      }),
    }));
}
