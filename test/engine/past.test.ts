import { expect, it } from 'vitest';
import { pastOf } from '../../src/compose/past.ts';
import { aRelease } from '../support/service.ts';
import { aHouse } from './world.ts';

it('D2 knows what was merged after what a rollback would put back, and when that was last healthy there', async () => {
  const house = aHouse();
  const first = await house.ship(1);
  const atMs = house.clock.now();
  house.clock.advance(3_600_000);
  await house.merge(2, 3);
  const id = 'rollout-003';
  await house.until('gated', id);
  await house.approve(id);
  while (!(await house.rollout(id)).touched.includes('eu')) await house.step();
  const [past, ...others] = await pastOf(house.ledger, await house.rollout(id));
  expect(others).toEqual([]);
  expect(past?.artifact).toEqual(first.artifact);
  expect(past?.targets.toSorted()).toEqual(['eu', 'us']);
  expect(past?.goodAtMs).toBeLessThanOrEqual(atMs);
  // The second was superseded by the third, and came with it all the same.
  expect(past?.since?.map((one) => one.sha)).toEqual([aRelease(3).sha, aRelease(2).sha]);
});

it('D2 a version that ran before Belay did is known to have been healthy, and what came after it is not known', async () => {
  const house = aHouse();
  await house.merge(1);
  await house.until('gated');
  await house.approve('rollout-001');
  while (!(await house.rollout()).touched.includes('eu')) await house.step();
  const [past] = await pastOf(house.ledger, await house.rollout());
  expect(past).toMatchObject({ since: null, goodAtMs: expect.any(Number) });
});
