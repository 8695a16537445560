import { z } from 'zod';
import type { Chain, Ground, Move, Placed, Wish } from '../../core/strategy/ground.ts';
import { movesFor } from '../../core/strategy/moves-for.ts';
import { play } from '../../core/strategy/play.ts';
import type { Instance } from '../../core/target.ts';
import type { TargetRef } from '../provider.ts';

export const targetSchema = z.strictObject({
  regions: z
    .record(z.string().min(1), z.int().min(1).max(1000))
    .refine((regions) => Object.keys(regions).length > 0, 'Name at least one region, such as {eu: 4}.')
    .default({ local: 1 })
    .describe('How many instances there are in each region.'),
  digest: z.string().min(1).nullable().default(null).describe('What runs before the first change; null: unreadable.'),
  config: z.string().min(1).nullable().default(null).describe('Checksum of the configuration of every instance.'),
});

/** How a change that was accepted stands. */
export type Change = { kind: string; digest: string; callsLeft: number; isDone: boolean };

/** One target of a platform that exists only in this process. */
export type World = {
  ground: Ground;
  isThere: boolean;
  /** The newest number of an instance by region: no id comes twice. */
  numbers: Map<string, number>;
  /** When the old colour ends. */
  idleUntilMs: number;
  generation: number | null;
  changes: Map<string, Change>;
};

export function buildWorld(ref: TargetRef): World {
  const { regions, digest, config } = targetSchema.parse(ref.options ?? {});
  const ground: Ground = { instances: [], usual: regions, config, split: null };
  const world: World = {
    ground,
    isThere: true,
    numbers: new Map(),
    idleUntilMs: 0,
    generation: null,
    changes: new Map(),
  };
  const slots = Object.entries(regions).flatMap(([region, count]) => Array.from({ length: count }, () => ({ region })));
  ground.instances = slots.map(({ region }) => ({
    id: newId(world, ref.target, region),
    region,
    digest,
    config,
    role: 'stable',
    isHealthy: true,
    isServing: true,
    isBeside: false,
  }));
  return world;
}

function newId(world: World, target: string, region: string): string {
  const number = (world.numbers.get(region) ?? 0) + 1;
  world.numbers.set(region, number);
  return `${target}-${region}-${number}`;
}

/** What goes wrong while a change is carried out, and who hears of it. */
export type Course = {
  nowMs: number;
  /** These stay as they are. */
  stays: readonly string[];
  /** What comes up is healthy. */
  isHealthy: boolean;
  heard: (ground: Ground, move: Move) => void;
};

/** Plays a change to its end. Says why it cannot be, or null. */
export function carryOut(world: World, target: string, wish: Wish, course: Course): string | null {
  const planned = movesFor(world.ground, wish, (region) => newId(world, target, region));
  if ('impossible' in planned) return planned.impossible;
  const isLeftOut = (chain: Chain) => chain.some((move) => 'id' in move && course.stays.includes(move.id));
  const sick = new Set<string>();
  for (const move of planned.plan.flat().flatMap((chain) => (isLeftOut(chain) ? [] : chain))) {
    world.ground = play(world.ground, move);
    if (!course.isHealthy && (move.do === 'start' || move.do === 'restart')) sick.add(move.id);
    for (const one of world.ground.instances) {
      if (sick.has(one.id)) Object.assign(one, { isHealthy: false, isServing: false });
    }
    if (move.do === 'switch') world.idleUntilMs = course.nowMs + move.keepMs;
    course.heard(world.ground, move);
  }
  return null;
}

/** As it is read back. */
export function seenOf(one: Placed, isUnreadable: boolean): Instance {
  const { id, region, digest, config, role, isHealthy } = one;
  const read = isUnreadable ? { digest: null, config: null, isHealthy: false } : { digest, config, isHealthy };
  return { id, region, role, metricsUrl: null, ...read };
}
