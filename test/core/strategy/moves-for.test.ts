import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Chain, Ground, Move, Wish } from '../../../src/core/strategy/ground.ts';
import { movesFor } from '../../../src/core/strategy/moves-for.ts';
import { capacityOf, leastServing, play } from '../../../src/core/strategy/play.ts';
import { weightsOf } from '../../../src/core/strategy/weights.ts';
import { instancesFor, type Strategy } from '../../../src/core/target.ts';

const OLD = 'sha256:old';
const NEW = 'sha256:new';
const NEWER = 'sha256:newer';

/*
 * Goal: whatever is asked of a target, in whatever order the chains of a batch go, it never has fewer or more instances
 * than its strategy allows, nothing ends before it was drained, and in the end it is as wished. Method: random targets,
 * strategies and histories; each plan is played with its chains interleaved at random, with a look after every move.
 */

const strategies: fc.Arbitrary<Strategy> = fc.oneof(
  fc
    .record({ maxSurge: fc.nat(2), maxUnavailable: fc.nat(2) })
    .filter(({ maxSurge, maxUnavailable }) => maxSurge + maxUnavailable > 0)
    .map((room): Strategy => ({ is: 'rolling', ...room, drainMs: 10 })),
  fc.constant<Strategy>({ is: 'weight', drainMs: 10 }),
  fc.constantFrom(0, 1000).map((keepMs): Strategy => ({ is: 'blue-green', keepMs, drainMs: 10 })),
  fc.constant<Strategy>({ is: 'replace', drainMs: 10 }),
  fc.integer({ min: 1, max: 2 }).map((maxUnavailable): Strategy => ({ is: 'symlink', maxUnavailable, drainMs: 10 })),
);

const sizes = fc.dictionary(fc.constantFrom('eu', 'us', 'ap'), fc.integer({ min: 1, max: 5 }), { minKeys: 1 });

const asks = fc.record({
  digest: fc.constantFrom(OLD, NEW, NEWER),
  share: fc.constantFrom(0.05, 0.25, 0.5, 0.75, 1),
  isCanary: fc.boolean(),
  hasBaseline: fc.boolean(),
  isWayBack: fc.boolean(),
  named: fc.nat(3),
});

type Ask = typeof asks extends fc.Arbitrary<infer One> ? One : never;

function groundOf(usual: Record<string, number>, config: string | null = null): Ground {
  const instances = Object.entries(usual).flatMap(([region, count]) =>
    Array.from({ length: count }, (_, index) => ({
      id: `${region}-${index + 1}`,
      region,
      digest: OLD,
      config,
      role: 'stable' as const,
      isHealthy: true,
      isServing: true,
      isBeside: false,
    })),
  );
  return { instances, usual, config, split: null };
}

function newIds(): (region: string) => string {
  let made = 0;
  return (region) => `${region}-new-${++made}`;
}

const count = (ground: Ground, is: (one: Ground['instances'][number]) => boolean) => ground.instances.filter(is).length;
const isUser = (one: Ground['instances'][number]) => one.role === 'stable' || one.role === 'canary';
const total = (ground: Ground) => Object.values(ground.usual).reduce((sum, one) => sum + one, 0);

/** How many more and fewer than usual a strategy may have, with `beside` instances wished beside. */
function room(strategy: Strategy, usual: number, beside: number): { more: number; fewer: number } {
  switch (strategy.is) {
    case 'rolling':
      return { more: strategy.maxSurge, fewer: strategy.maxUnavailable };
    case 'symlink':
      return { more: 0, fewer: strategy.maxUnavailable };
    case 'replace':
      return { more: 1, fewer: 0 };
    case 'weight':
      return { more: Math.max(1, beside), fewer: 0 };
    case 'blue-green':
      return { more: usual, fewer: 0 };
  }
}

/** Plays a plan, one move at a time, the chains of each batch interleaved by `pick`. */
function playAll(
  start: Ground,
  plan: Chain[][],
  pick: (max: number) => number,
  look: (now: Ground, move: Move) => void,
): Ground {
  let now = start;
  for (const batch of plan) {
    const left = batch.map((chain) => [...chain]);
    while (left.length > 0) {
      const chain = left[pick(left.length)] ?? [];
      const move = chain.shift();
      if (chain.length === 0) left.splice(left.indexOf(chain), 1);
      if (!move) continue;
      look(now, move);
      now = play(now, move);
    }
  }
  return now;
}

function wishOf(ground: Ground, strategy: Strategy, ask: Ask): Wish {
  const { digest, isWayBack } = ask;
  const share = isWayBack ? 1 : ask.share;
  const isCanary = !isWayBack && share < 1 && ask.isCanary;
  const ids = ground.instances.filter((one) => isUser(one) && !one.isBeside).map((one) => one.id);
  const instances = share < 1 && ask.named > 0 ? ids.reverse().slice(0, instancesFor(share, total(ground))) : null;
  return {
    digest,
    share,
    instances,
    strategy,
    isCanary,
    baseline: isCanary && ask.hasBaseline ? OLD : null,
    isWayBack,
  };
}

describe('the moves of every strategy', () => {
  it('R5 R8 keep within the room that the strategy gives, drain before anything ends, and get to what is wished', () => {
    fc.assert(
      fc.property(
        sizes,
        strategies,
        fc.array(asks, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        (usual, strategy, history, numbers) => {
          const newId = newIds();
          let ground = groundOf(usual);
          const pick = (max: number) => (numbers.next().value ?? 0) % max;
          for (const ask of history) {
            const wish = wishOf(ground, strategy, ask);
            const planned = movesFor(ground, wish, newId);
            if ('impossible' in planned) throw new Error(planned.impossible);
            const wanted = wish.share === 1 ? total(ground) : instancesFor(wish.share, total(ground));
            const before = ground;
            const beside = Math.max(
              wanted,
              count(before, (one) => one.isBeside && one.role !== 'baseline'),
            );
            const { more, fewer } = room(strategy, total(ground), beside);
            const least = leastServing(ground, planned);
            const look = (now: Ground, move: Move) => {
              const serving = count(now, (one) => one.isServing && one.role !== 'baseline');
              expect(serving).toBeGreaterThanOrEqual(total(now) - fewer);
              expect(count(now, (one) => one.isServing)).toBeGreaterThanOrEqual(least);
              expect(count(now, (one) => one.role !== 'baseline' && one.role !== 'idle')).toBeLessThanOrEqual(
                total(now) + more,
              );
              if (move.do === 'stop' || move.do === 'restart') {
                expect(now.instances.find((one) => one.id === move.id)?.isServing).toBe(false);
              }
              if (strategy.is === 'replace' || strategy.is === 'blue-green') expect(move.do).not.toBe('restart');
            };
            ground = playAll(ground, planned.plan, pick, look);
            look(ground, { do: 'split', split: null });
            const users = ground.instances.filter(isUser);
            const running = users.filter((one) => one.digest === wish.digest);
            expect(running.length).toBeGreaterThanOrEqual(wanted);
            const baselines = ground.instances.filter((one) => one.role === 'baseline');
            expect(baselines.map((one) => one.digest)).toEqual(Array(wish.baseline ? wanted : 0).fill(wish.baseline));
            // They are fresh: none of them was there before.
            expect(baselines.some((one) => before.instances.some((other) => other.id === one.id))).toBe(false);
            expect(users.every((one) => one.role === 'stable' || (wish.isCanary && one.digest === wish.digest))).toBe(
              true,
            );
            if (wish.share === 1) {
              expect(users).toHaveLength(total(ground));
              expect(users.every((one) => one.digest === wish.digest && !one.isBeside)).toBe(true);
              for (const [region, size] of Object.entries(usual))
                expect(users.filter((one) => one.region === region)).toHaveLength(size);
            }
            if (wish.isWayBack) expect(ground.instances).toHaveLength(total(ground));
            expect(new Set(ground.instances.map((one) => one.id)).size).toBe(ground.instances.length);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('R1 give every instance some of the traffic, all of it together, and the split its share', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(0.05, 0.25, 0.5, 0.75), fc.boolean(), (usual, share, hasBaseline) => {
        const strategy: Strategy = { is: 'weight', drainMs: 0 };
        const wish = wishOf(groundOf(usual), strategy, {
          digest: NEW,
          share,
          isCanary: true,
          hasBaseline,
          isWayBack: false,
          named: 0,
        });
        const planned = movesFor(groundOf(usual), wish, newIds());
        if ('impossible' in planned) throw new Error(planned.impossible);
        const ground = playAll(
          groundOf(usual),
          planned.plan,
          () => 0,
          () => {},
        );
        const weights = weightsOf(ground);
        const sum = (is: (one: Ground['instances'][number]) => boolean) =>
          ground.instances.filter(is).reduce((all, one) => all + (weights.get(one.id) ?? 0), 0);
        expect(sum(() => true)).toBeCloseTo(1);
        expect(sum((one) => one.digest === NEW)).toBeCloseTo(share);
        if (hasBaseline) expect(sum((one) => one.role === 'baseline')).toBeCloseTo(Math.min(share, (1 - share) / 2));
        expect([...weights.values()].every((one) => one > 0)).toBe(true);
      }),
    );
  });
});

describe('one strategy after the other', () => {
  const wish = (part: Partial<Wish>): Wish => ({
    digest: NEW,
    share: 1,
    instances: null,
    strategy: { is: 'rolling', maxSurge: 0, maxUnavailable: 1, drainMs: 10 },
    isCanary: false,
    baseline: null,
    isWayBack: false,
    ...part,
  });
  const movesOf = (ground: Ground, part: Partial<Wish>) => {
    const planned = movesFor(ground, wish(part), newIds());
    if ('impossible' in planned) throw new Error(planned.impossible);
    return planned.plan;
  };
  const changed = (ground: Ground, part: Partial<Wish>) =>
    playAll(
      ground,
      movesOf(ground, part),
      () => 0,
      () => {},
    );
  const words = (plan: Chain[][]) =>
    plan.map((batch) =>
      batch.map((chain) => chain.map((move) => ('id' in move ? `${move.do} ${move.id}` : move.do)).join(', ')),
    );

  it('R5 symlink puts the release beside the old one before anything is drained', () => {
    const strategy: Strategy = { is: 'symlink', maxUnavailable: 1, drainMs: 10 };
    expect(words(movesOf(groundOf({ eu: 2 }), { strategy }))).toEqual([
      ['split'],
      ['link eu-1, drain eu-1, restart eu-1, admit eu-1'],
      ['link eu-2, drain eu-2, restart eu-2, admit eu-2'],
    ]);
  });

  it('R5 the way back of a switch is the switch alone, while the old colour is kept', () => {
    const strategy: Strategy = { is: 'blue-green', keepMs: 60_000, drainMs: 10 };
    const switched = changed(groundOf({ eu: 2 }), { strategy });
    expect(switched.instances.map((one) => [one.digest, one.role, one.isServing])).toEqual([
      [OLD, 'idle', false],
      [OLD, 'idle', false],
      [NEW, 'stable', true],
      [NEW, 'stable', true],
    ]);
    expect(words(movesOf(switched, { strategy, digest: OLD, isWayBack: true }))).toEqual([
      ['switch'],
      ['drain eu-new-1, stop eu-new-1', 'drain eu-new-2, stop eu-new-2'],
    ]);
  });

  it('T18 on the way back from a weight, what is beside goes before anything else is touched', () => {
    const strategy: Strategy = { is: 'weight', drainMs: 10 };
    const ground = changed(groundOf({ eu: 2 }), { strategy, share: 0.5, isCanary: true, baseline: OLD });
    for (const one of ground.instances.slice(0, 1)) one.digest = NEW;
    expect(words(movesOf(ground, { strategy, digest: OLD, isWayBack: true }))).toEqual([
      ['split'],
      ['drain eu-new-1, stop eu-new-1', 'drain eu-new-2, stop eu-new-2'],
      ['start eu-new-1, admit eu-new-1, drain eu-1, stop eu-1'],
    ]);
  });

  it('R1 the named instances get the release; one that is gone is replaced by another', () => {
    const ground = changed(groundOf({ eu: 4 }), { share: 0.5, instances: ['eu-4', 'gone-7'], isCanary: true });
    const canary = ground.instances.filter((one) => one.digest === NEW).map((one) => [one.id, one.role]);
    expect(canary).toEqual([
      ['eu-1', 'canary'],
      ['eu-4', 'canary'],
    ]);
  });

  it('R6 an instance with the right version and another configuration is started anew', () => {
    const ground = groundOf({ eu: 2 }, 'right');
    for (const one of ground.instances.slice(1)) one.config = 'wrong';
    expect(words(movesOf(ground, { digest: OLD }))).toEqual([['split'], ['drain eu-2, restart eu-2, admit eu-2']]);
  });

  it('R3 what is down counts as missing: no other one is taken out, and the reason is said', () => {
    const ground = groundOf({ eu: 3 });
    for (const one of ground.instances.slice(0, 1)) Object.assign(one, { isHealthy: false, isServing: false });
    const planned = movesFor(ground, wish({ share: 0.3, instances: ['eu-2'] }), newIds());
    expect(planned).toEqual({ impossible: 'eu-1 does not serve, and no more than 1 may be missing' });
    // On the way everywhere it is the first to go, at no cost.
    expect(words(movesOf(ground, {})).flat()).toEqual([
      'split',
      'restart eu-1, admit eu-1',
      'drain eu-2, restart eu-2, admit eu-2',
      'drain eu-3, restart eu-3, admit eu-3',
    ]);
  });

  it.each<[Strategy, number]>([
    [{ is: 'rolling', maxSurge: 0, maxUnavailable: 2, drainMs: 0 }, 2],
    [{ is: 'rolling', maxSurge: 2, maxUnavailable: 0, drainMs: 0 }, 4],
    [{ is: 'symlink', maxUnavailable: 1, drainMs: 0 }, 3],
    [{ is: 'replace', drainMs: 0 }, 4],
    [{ is: 'weight', drainMs: 0 }, 4],
    [{ is: 'blue-green', keepMs: 0, drainMs: 0 }, 4],
  ])('R3 says beforehand how many of four serve at least: %j', (strategy, servingDuring) => {
    const ground = groundOf({ eu: 4 });
    expect(capacityOf('eu', ground, { share: 1, strategy })).toEqual({
      target: 'eu',
      instances: 4,
      serving: 4,
      servingDuring,
    });
  });
});
