import type { DriftCase } from '../../core/drift-case.ts';
import { formatDuration } from '../../core/duration.ts';
import { isOver, type Rollout } from '../../core/rollout.ts';
import type { Placement } from '../desk.ts';
import { type Block, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { headline, whyLine } from './card.ts';
import { driftNote } from './drift.ts';
import { code, escaped, shortVersion, time } from './escape.ts';
import { counted } from './naming.ts';
import { stateOf, waitsFor } from './words.ts';

/** How many rollouts a status lists: more are a wall that nobody reads. */
export const MOST_SHOWN = 20;

/** What runs where, and what moves now. */
export function statusOf(
  placements: { service: string; runs: Placement[]; drifts: DriftCase[] }[],
  live: Rollout[],
): Message {
  const blocks: Block[] = placements.map(({ service, runs, drifts }) =>
    section([
      `*${escaped(service, 60)}*`,
      ...(runs.length > 0
        ? runs.flatMap((one) => {
            const note = driftNote(drifts.find((known) => known.target === one.target) ?? null);
            const line = `${escaped(one.stage, 40)} · ${code(one.target)}: ${code(shortVersion(one.artifact))} since ${time(one.atMs)}`;
            return note === null ? [line] : [line, note];
          })
        : ['Nothing is recorded as running yet.']),
    ]),
  );
  const shown = live.slice(0, MOST_SHOWN);
  const more = live.length > shown.length ? ['… and more: ask for one service, `/deploy status <service>`.'] : [];
  const lines = ['*Moves or waits now*', ...shown.map(liveLine), ...more];
  blocks.push(section(live.length > 0 ? lines : 'Nothing moves now.'));
  const count = `${shown.length || 'No'}${more.length > 0 ? ' or more' : ''}`;
  const moving = live.length === 1 ? '1 rollout moves' : `${count} rollouts move`;
  return withinBudget({
    text: `Status of ${placements.map((one) => escaped(one.service, 60)).join(', ') || 'no service'}: ${moving} now.`,
    blocks,
  });
}

/** Who moves, who waits behind, in which order. */
export function queueOf(live: Rollout[]): Message {
  const lanes = Map.groupBy(live, (one) => one.lane);
  const blocks: Block[] = [...lanes].map(([lane, rollouts]) =>
    section([
      `*${escaped(lane, 80)}*`,
      ...rollouts
        .toSorted((a, b) => a.createdAtMs - b.createdAtMs)
        .map((one, index) => `${index + 1}. ${liveLine(one)}`),
    ]),
  );
  if (blocks.length === 0) blocks.push(section('Nothing moves and nothing waits.'));
  return withinBudget({
    text: live.length === 1 ? '1 rollout moves or waits.' : `${live.length || 'No'} rollouts move or wait.`,
    blocks,
  });
}

function liveLine(rollout: Rollout): string {
  const state = stateOf(rollout.phase.is);
  const waits = waitsFor(rollout);
  return `${state.emoji} ${state.word} · ${headline(rollout)}${waits ? `, waits for ${waits}` : ''}`;
}

/** What happened, newest first. */
export function historyOf(service: string | null, rollouts: Rollout[]): Message {
  const lines = rollouts.map((one) => {
    const state = stateOf(one.phase.is);
    const took = one.endedAtMs === null ? '' : `, took ${formatDuration(one.endedAtMs - one.createdAtMs)}`;
    const why = isOver(one) ? whyLine(one) : null;
    const kind = one.kind === 'rollback' ? 'rollback ' : '';
    return `${state.emoji} ${kind}${state.word} · ${headline(one)} by ${escaped(one.request.name, 40)} ${time(one.createdAtMs)}${took}${why ? ` — ${why}` : ''}`;
  });
  const of = service === null ? 'all services' : escaped(service, 60);
  return withinBudget({
    text:
      rollouts.length === 0 ? `No rollouts of ${of} yet.` : `The last ${counted(rollouts.length, 'rollout')} of ${of}.`,
    blocks: [section([`*History of ${of}*`]), ...chunks(lines.length > 0 ? lines : ['Nothing was rolled out yet.'])],
  });
}

function chunks(lines: string[]): Block[] {
  const blocks: Block[] = [];
  for (let start = 0; start < lines.length; start += 5) blocks.push(section(lines.slice(start, start + 5)));
  return blocks;
}
