import type { Database } from '../../../src/store/database.ts';
import type { Universe } from '../universe.ts';
import { all } from './rows.ts';
import { checkTimers } from './t14-audit.ts';
import { Violation } from './violation.ts';

type Placed = { target: string; stage: string; digest: string; left_out: string };

/** With the faults off: every rollout is over, nothing is owed, what runs is what is recorded, and nothing else is left. */
export async function checkEnd(universe: Universe, database: Database, ephemeral: string[]): Promise<void> {
  const open = all(database, 'SELECT id, phase FROM rollouts WHERE is_over = 0');
  if (open.length > 0) throw new Violation('T17', `never ended: ${JSON.stringify(open)}`);
  const owed = all<{ key: string }>(database, 'SELECT key FROM owed');
  if (owed.length > 0) throw new Violation('T12', `still owed at the end: ${owed.map((row) => row.key)}`);
  checkTimers(database);
  for (const target of ephemeral) {
    const wasMade = universe.platform.memory.environments.some((one) => one.target === target);
    if (wasMade && (await universe.platform.exists(target))) throw new Violation('T18', `${target} is still there`);
  }
  for (const placed of all<Placed>(database, 'SELECT target, stage, digest, left_out FROM placements')) {
    await checkPlaced(universe, placed);
  }
}

/** T5, T18: every instance runs what is recorded, but for those that somebody left out by name; nothing is left beside it. */
async function checkPlaced({ platform }: Universe, { target, digest, left_out }: Placed): Promise<void> {
  const without = JSON.parse(left_out) as string[];
  const there = (await platform.look(target)).filter((one) => one.role !== 'idle' && !without.includes(one.id));
  const odd = there.find((one) => one.digest !== digest);
  if (odd) throw new Violation('T5', `${odd.id} runs ${odd.digest}, and ${digest} is recorded`);
  const left = there.find((one) => one.role !== 'stable');
  if (left) throw new Violation('T18', `${left.id} is still there as ${left.role}`);
}
