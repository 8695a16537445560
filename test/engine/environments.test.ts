import { describe, expect, it } from 'vitest';
import type { Perform } from '../../src/engine/perform.ts';
import { START_MS, withEnvironment } from '../support/given.ts';
import { actor } from '../support/service.ts';
import { aHouse, performIn } from './world.ts';

/** A platform that refuses every removal, and writes down what it was asked to remove. */
function stubborn() {
  const asked: string[] = [];
  const good = performIn({}, () => START_MS);
  const perform: Perform = async (owed, rollout, signal) => {
    const { due } = owed;
    if (due.kind !== 'remove') return good(owed, rollout, signal);
    asked.push(due.key);
    const { generation, target, round } = due;
    return { is: 'event', event: { type: 'remove-failed', generation, target, round, detail: 'in use' } };
  };
  return { perform, asked };
}

describe('P1 T18 an environment that is made anew for the next release', () => {
  it('belongs to that one: the removal that an earlier one still owes is called off', async () => {
    const { perform, asked } = stubborn();
    const house = aHouse({ service: withEnvironment(), perform });
    await house.merge(1);
    await house.until('preparing');
    await house.until('surveying');
    await house.act('rollout-001', () => ({ type: 'aborted', actor: actor('cho'), because: 'stop' }));
    await house.step();
    expect((await house.rollout()).environments).toEqual([{ target: 'staging', isLeaving: true }]);
    await house.merge(2);
    const next = await house.until('gated', 'rollout-002');
    expect(next.environments).toEqual([{ target: 'staging', isLeaving: true }]);
    expect((await house.rollout()).environments).toEqual([]);
    const before = asked.length;
    for (let looks = 0; looks < 5; looks += 1) await house.step();
    expect(asked.slice(before).every((key) => key.startsWith('rollout-002/'))).toBe(true);
    expect(house.owed().filter((key) => key.includes('/remove/'))).toHaveLength(1);
  });
});
