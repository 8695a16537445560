import { z } from 'zod';
import type { Strategy } from '../core/target.ts';
import { duration, name, number, positive, share } from './fields.ts';

export const bake = z.strictObject({
  for: duration.optional().describe('How long it must stay healthy while it is watched. Default 10m.'),
  every: duration.optional().describe('How often it is judged. Default 30s, or `for` when that is shorter.'),
  deadline: duration.optional().describe('When it is not healthy by then, on-call is asked. Default `for` and 30m.'),
});

const drain = duration.prefault('30s').describe('How long open connections may take to end before an instance does.');
const count = (max: number, least: number) => {
  const error = `a whole number from ${least} to ${max}`;
  return z.int({ error }).min(least, { error }).max(max, { error });
};
function drained<Rest extends { drain: number }>({ drain, ...rest }: Rest): Omit<Rest, 'drain'> & { drainMs: number } {
  return { ...rest, drainMs: drain };
}

const strategies = {
  rolling: z
    .strictObject({
      maxSurge: count(1000, 0).default(0).describe('How many instances more than usual there may be at a time.'),
      maxUnavailable: count(1000, 0).default(1).describe('How many instances of a target may be missing at a time.'),
      drain,
    })
    .describe('Instance by instance.')
    .transform(drained),
  weight: z
    .strictObject({ drain })
    .describe('A share of the traffic goes to new instances beside the old ones.')
    .transform(drained),
  'blue-green': z
    .strictObject({
      keep: duration.prefault('1h').describe('How long the old colour is kept for the way back.'),
      drain,
    })
    .describe('All instances anew, then one switch.')
    .transform(({ keep, ...rest }) => ({ keepMs: keep, ...drained(rest) })),
  replace: z.strictObject({ drain }).describe('New instances are made and the old ones removed.').transform(drained),
  symlink: z
    .strictObject({ maxUnavailable: count(1000, 1).default(1).describe('How many hosts start anew at a time.'), drain })
    .describe('The release is put beside the old one on each host, and a link is switched.')
    .transform(drained),
};

type StrategyName = keyof typeof strategies;
type Given = { [name in StrategyName]?: z.output<(typeof strategies)[name]> | undefined };
const names = Object.keys(strategies) as [StrategyName, ...StrategyName[]];

/** `rolling`, or with its options: `rolling: {maxSurge: 1}`. */
const strategy = z
  .union(
    [
      z.enum(names),
      z.strictObject({
        rolling: strategies.rolling.optional(),
        weight: strategies.weight.optional(),
        'blue-green': strategies['blue-green'].optional(),
        replace: strategies.replace.optional(),
        symlink: strategies.symlink.optional(),
      }),
    ],
    { error: 'rolling, weight, blue-green, replace or symlink, or one of them with its options' },
  )
  .transform((written, context): Strategy => {
    const given: Given = typeof written === 'string' ? { [written]: strategies[written].parse({}) } : written;
    if (Object.values(given).filter((one) => one !== undefined).length === 1) {
      const { rolling, weight, replace, symlink, 'blue-green': blueGreen } = given;
      if (rolling) return { is: 'rolling', ...rolling };
      if (weight) return { is: 'weight', ...weight };
      if (blueGreen) return { is: 'blue-green', ...blueGreen };
      if (replace) return { is: 'replace', ...replace };
      if (symlink) return { is: 'symlink', ...symlink };
    }
    context.addIssue({ code: 'custom', message: 'one strategy: rolling, weight, blue-green, replace or symlink' });
    return z.NEVER;
  });

const wave = z.union(
  [
    z.enum(['regions', 'rest']),
    share,
    z.strictObject({
      targets: z
        .array(name)
        .min(1, { error: 'at least one target' })
        .optional()
        .describe('These targets of the stage.'),
      region: name.optional().describe('The targets of this region.'),
      country: name.optional().describe('The targets of this country.'),
      ring: name.optional().describe('The targets of this ring.'),
      share: share.optional().describe('Only so much of them; cumulative.'),
      count: positive.optional().describe('Only so many instances of them together; cumulative.'),
    }),
  ],
  { error: 'a share such as 25%, a choice such as {region: eu-west} or {count: 10}, regions or rest' },
);

export const rollout = z.strictObject({
  strategy: strategy.prefault('rolling').describe('How each target gets from the old version to the new one.'),
  canary: z
    .strictObject({
      share: share.describe('So much of every target first; at least one instance in every region.'),
      baseline: z
        .enum(['fresh', 'none'])
        .optional()
        .describe('fresh: as many new instances of the old version to compare with. Default fresh for weight.'),
      bake: bake.prefault({}).describe('How long the canary is watched. Default `for`: 10m, or the traffic cycle.'),
    })
    .optional()
    .describe('A small first step on every target of the stage, picked at random. It always rolls back by itself.'),
  waves: z
    .array(wave)
    .min(1, { error: 'at least one wave' })
    .max(50, { error: 'at most 50 waves' })
    .optional()
    .describe(
      'One after the other; shares and counts are cumulative. Default: `regions` after a canary, else all at once.',
    ),
  order: z
    .enum(['as-written', 'least-traffic-first'])
    .default('as-written')
    .describe('Which of the `regions` goes first.'),
  regionsAtOnce: z
    .union([positive, z.array(positive).min(1, { error: 'at least one number' })], {
      error: 'a whole number above zero, or a list of them such as [1, 2, 4]',
    })
    .default(1)
    .describe('How many of the `regions` go together: first, second, …; the last number stands for the rest.'),
  speedUp: z
    .strictObject({
      factor: number
        .gt(1, { error: 'a number above 1 and up to 10' })
        .max(10, { error: 'a number above 1 and up to 10' })
        .describe('Each wave that passed divides the time of the next by this.'),
      floor: duration.describe('It gets no shorter than this.'),
    })
    .optional()
    .describe('Each wave is watched for a shorter time than the last.'),
});

export type RolloutFile = z.output<typeof rollout>;
export type BakeFile = z.output<typeof bake>;
export type WaveFile = z.output<typeof wave>;
